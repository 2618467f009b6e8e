"""Keeping a store healthy: repair, expiry, import and export, backup, moving users.

Each part works beside deliveries and IMAP servers, may be stopped at any point, and goes on or begins again without
losing or doubling a message.
"""
