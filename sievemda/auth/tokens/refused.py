"""What is said of a token that lets nobody in."""

from __future__ import annotations


class TokenRefused(Exception):
    """`status` is what the client is told: invalid_token or insufficient_scope. RFC 6750 §3.1.

    `why` is for the log; it has nothing of the token in it.
    """

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
