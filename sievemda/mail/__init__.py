"""Values of mail: addresses, envelopes, messages, flags, results. No I/O; imports nothing else of this package."""
