"""The message that is sent, and how it is known again.

It comes from nobody, so that nothing answers it and nothing is returned; its Message-ID is made of chance, so that no
earlier one is taken for it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from email.utils import formatdate

FIELD = "X-Sievemda-Probe"
_LINE = b"This message shows that mail gets through. It is removed when it has been found.\n"


@dataclass(frozen=True, slots=True)
class Letter:
    token: str
    content: bytes  # with LF line ends

    @property
    def message_id(self) -> str:
        return f"<probe.{self.token}@sievemda.invalid>"

    def is_in(self, stored: bytes) -> bool:
        """Whether a stored message is this one: the field is ours, whatever was put before it."""
        return f"\n{FIELD}: {self.token}\n".encode() in stored

    def is_whole_in(self, stored: bytes) -> bool:
        """Whether a stored message has the body that was sent, to the octet."""
        return _body(stored) == _body(self.content)


def _body(message: bytes) -> bytes:
    return hashlib.sha256(message.replace(b"\r\n", b"\n").partition(b"\n\n")[2]).digest()


def letter(recipient: str, size: int) -> Letter:
    """One of about so many octets."""
    token = secrets.token_hex(12)
    head = (
        "From: Mail probe <>\n"
        f"To: {recipient}\n"
        "Subject: Probe\n"
        f"Date: {formatdate(localtime=False)}\n"
        f"Message-ID: <probe.{token}@sievemda.invalid>\n"
        "Auto-Submitted: auto-generated\n"
        f"{FIELD}: {token}\n"
        "\n"
    ).encode()
    lines = max(1, (size - len(head)) // len(_LINE))
    return Letter(token, head + _LINE * lines)
