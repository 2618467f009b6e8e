"""The life of one message: resolve, ask, run, plan, commit. Synchronous."""
