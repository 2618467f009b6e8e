"""What is said of a token that lets nobody in."""

from __future__ import annotations


class TokenRefused(Exception):
    """`status` is what the client is told: invalid_token or insufficient_scope. RFC 6750 §3.1."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status
