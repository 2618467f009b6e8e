"""The LMTP edge (asyncio): protocol, handler, replies."""
