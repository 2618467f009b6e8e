"""What the server says, as values to octets. RFC 5804 §1.2, §1.3, §4.

A plain success is `OK` alone or `OK (CODE) "text"`: an old sieveshell does not take `OK "text"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Status = Literal["OK", "NO", "BYE"]

_NOT_QUOTED = frozenset(b'\x00\r\n"\\')  # quotes and backslashes could be escaped, but not every client undoes that
_NEVER_QUOTED = frozenset(b"\x00\r\n")
_QUOTED_MAX = 1024
_PLAIN = str.maketrans({'"': "'", "\\": "/", "\0": "?"})


@dataclass(frozen=True, slots=True)
class Reply:
    """The completion of one command. `argument` goes with `code`, as a string."""

    status: Status
    text: str = ""
    code: str = ""
    argument: bytes | None = None

    def __post_init__(self) -> None:
        if self.status == "OK" and self.text and not self.code:
            raise ValueError("an OK with text needs a code")

    def __bytes__(self) -> bytes:
        parts = [self.status.encode()]
        if self.code:
            parts.append(b"(" + self.code.encode() + self._argument() + b")")
        if self.text:
            parts.append(told(_beside_ok(self.text) if self.status == "OK" else self.text))
        return b" ".join(parts) + b"\r\n"

    def _argument(self) -> bytes:
        """A URL, which has nothing in it that must be escaped, quoted as every server has it; else a literal."""
        if self.argument is None:
            return b""
        return b" " + (string(self.argument) if self.code == "REFERRAL" else literal(self.argument))


OK = Reply("OK")


def string(text: str | bytes) -> bytes:
    """Quoted where every client reads it, else a literal. RFC 5804 §4."""
    octets = text.encode(errors="replace") if isinstance(text, str) else text
    if len(octets) > _QUOTED_MAX or not _NOT_QUOTED.isdisjoint(octets):
        return literal(octets)
    return b'"' + octets + b'"'


def told(text: str) -> bytes:
    """A text for people: one quoted string, quotes and backslashes escaped, where it is one line and short enough.

    Why escapes here and nowhere else: the text often holds a line of Sieve to copy. A client that does not undo them
    shows a backslash too many; in the name of a script that would be another name. What comes with an OK has no
    quotes and is no literal: to sievemgr an escape is an error of the protocol, and not every client reads a literal
    there; they would take what has been done as failed.
    """
    octets = re.sub(rb'(["\\\\])', rb"\\\1", text.encode(errors="replace"))
    if len(octets) > _QUOTED_MAX or not _NEVER_QUOTED.isdisjoint(octets):
        return literal(text.encode(errors="replace"))
    return b'"' + octets + b'"'


def _beside_ok(text: str) -> str:
    """One line without quotes or backslashes, cut where a quoted string ends."""
    plain = " ".join(text.translate(_PLAIN).split()).encode(errors="replace")
    if len(plain) <= _QUOTED_MAX:
        return plain.decode()
    return plain[: _QUOTED_MAX - 4].decode(errors="ignore") + " ..."


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n" % len(octets) + octets


def line(*parts: bytes) -> bytes:
    """A line of data before the completion."""
    return b" ".join(parts) + b"\r\n"
