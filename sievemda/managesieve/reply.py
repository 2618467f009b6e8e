"""What the server says, as values to octets. RFC 5804 §1.2, §1.3, §4.

A plain success is `OK` alone or `OK (CODE) "text"`: an old sieveshell does not take `OK "text"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Status = Literal["OK", "NO", "BYE"]

_ESCAPED = re.compile(rb'(["\\])')
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
            parts.append(string(_plain(self.text)) if self.code else _why(self.text))
        return b" ".join(parts) + b"\r\n"

    def _argument(self) -> bytes:
        """A URL, which has nothing in it that must be escaped, quoted as every server has it; else a literal."""
        if self.argument is None:
            return b""
        return b" " + (string(self.argument) if self.code == "REFERRAL" else literal(self.argument))


OK = Reply("OK")


def string(text: str | bytes) -> bytes:
    """One quoted string, quotes and backslashes escaped, where it is one line and short enough; else a literal. §4.

    Why escapes, though not every client undoes them: who does not shows a backslash too many, or cannot get at that
    one script; a literal in a list is the end of the list to sieve-connect, Net_Sieve and Net::Sieve, and what follows
    is taken for the answer to the next command. Texts for people have no escapes: to sievemgr, one is an error of the
    protocol, which ends the session.
    """
    octets = text.encode(errors="replace") if isinstance(text, str) else text
    quoted = _ESCAPED.sub(rb"\\\1", octets)
    if len(quoted) > _QUOTED_MAX or not _NEVER_QUOTED.isdisjoint(octets):
        return literal(octets)
    return b'"' + quoted + b'"'


def _why(text: str) -> bytes:
    """Why a script is refused. With quotes, as in a line of Sieve to copy, a literal: every client reads that there."""
    return literal(text.encode(errors="replace")) if {'"', "\\"} & set(text) else string(text)


def _plain(text: str) -> str:
    """What goes with a response code: one line without quotes or backslashes, cut where a quoted string ends.

    Not every client reads a literal there: with an OK it would take what has been done as failed.
    """
    plain = " ".join(text.translate(_PLAIN).split()).encode(errors="replace")
    if len(plain) <= _QUOTED_MAX:
        return plain.decode()
    return plain[: _QUOTED_MAX - 4].decode(errors="ignore") + " ..."


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n" % len(octets) + octets


def challenge_form(command: str) -> Callable[[bytes], bytes]:
    """How a client that wrote AUTHENTICATE like this reads a challenge.

    Why: Cyrus' clients read it as a literal only; Claws Mail, which alone writes `Authenticate`, as a quoted string
    only; all others as both.
    """
    return literal if command.isupper() else string


def line(*parts: bytes) -> bytes:
    """A line of data before the completion."""
    return b" ".join(parts) + b"\r\n"
