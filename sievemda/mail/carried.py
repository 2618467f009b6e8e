"""A message on its way between stores and files: its octets, and what a mailbox knows of it beside them.

Why the content is a function: who puts the message in may have to look at it first, to see whether the folder has it
already, and then read it again; and a message of a gigabyte need not be in memory for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Carried:
    """`content` gives the octets anew at each call, in pieces; lines end in LF or CRLF. It may raise OSError."""

    content: Callable[[], Iterator[bytes]]
    flags: tuple[str, ...] = ()  # system flags as RFC 9051 spells them, and keywords
    arrived: float | None = None  # INTERNALDATE, seconds since 1970; None: nobody knows
    new: bool = False  # no reader has seen it
    where: str = ""  # for texts of errors: "FILE, message 17, at octet 12345"


def of_octets(data: bytes) -> Callable[[], Iterator[bytes]]:
    """The content of a message that is in memory."""
    return lambda: iter((data,))


def with_lf(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same octets with LF for CRLF; a CR alone is no end of a line and stays."""
    held = b""
    for piece in pieces:
        if held:
            piece = held + piece  # noqa: PLW2901 - the CR that may have been half of a line end
        held = b"\r" if piece.endswith(b"\r") else b""
        piece = piece[: len(piece) - len(held)]  # noqa: PLW2901
        if b"\r\n" in piece:
            piece = piece.replace(b"\r\n", b"\n")  # noqa: PLW2901
        if piece:
            yield piece
    if held:
        yield held
