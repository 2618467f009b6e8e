"""Tokens of OAuth 2.0: whether one is valid, and whose it is. Loaded when a client comes with one."""
