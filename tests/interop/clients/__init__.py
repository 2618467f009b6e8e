"""Clients of ManageSieve that others wrote, each behind the same few calls: see `session`."""
