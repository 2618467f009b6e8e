"""Mailboxes in one file: mbox, in the dialects that are met with. RFC 4155.

A message begins at a line `From ADDRESS DATE` at the start of the file or behind an empty line; the empty line is not
part of the message before. Lines of the text that would look like it stand behind `>`: of those that begin with any
number of `>` and `From `, one `>` is taken away (mboxrd, of which mboxo is a part). A Content-Length is believed when
the file ends there, or another message begins there; then nothing is taken away (mboxcl2).

Why the date is looked at: old programs did not quote, and sentences begin with "From" too. Without a time and a year
the line counts only when a header field follows.

Files are read in one pass and may be of any size; of a message that is too large its beginning is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LINE = 1 << 16  # octets that are read of a line at once
_DATED = re.compile(rb"From [^\n]*[0-9]{1,2}:[0-9]{2}[^\n]*\b[0-9]{4}\b")
_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_LENGTH = re.compile(rb"Content-Length[ \t]*:[ \t]*([0-9]{1,15})[ \t]*\r?\n", re.IGNORECASE)
_HEADER = 1 << 20  # octets of a header in which Content-Length is looked for


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of the file: its octets as they stand in it, and the address of its `From ` line.

    `complete` is false when it was larger than allowed. `end` is where in the file the next one begins.
    """

    data: bytes
    sender: str
    complete: bool
    end: int


def is_mbox(beginning: bytes) -> bool:
    """Whether a file that begins like that is an mbox."""
    return beginning.lstrip(b"\r\n").startswith(b"From ")


def letters(file: BinaryIO, most: int) -> Iterator[Letter]:
    """The messages of a file that can be sought in, each with at most `most` octets."""
    lines = _Lines(file)
    line = lines.next()
    while line in {b"\n", b"\r\n"}:
        line = lines.next()
    while line:
        sender = None
        if line.startswith(b"From "):
            sender, line = _address(line), lines.rest(line)
        letter, line = _letter(lines, line, sender, most)
        yield letter


def _address(line: bytes) -> bytes:
    words = line[5:].split(None, 1)
    return words[0] if words else b""


def _letter(lines: _Lines, line: bytes, sender: bytes | None, most: int) -> tuple[Letter, bytes]:
    """One message that begins with this line, and the line that begins the next one."""
    kept = _Kept(most)
    while line and not _is_empty(line):
        kept.add(line)
        line = lines.next()
    in_body = False
    length = _content_length(kept) if line else None
    told = (sender or b"").decode("utf-8", "replace")
    if length is not None and lines.ends_at(lines.position + length):
        kept.add(line)
        kept.read(lines, length)
        line = lines.next()
        while line and _is_empty(line):
            line = lines.next()
        return Letter(kept.data(), told, kept.complete, lines.position), line
    blank, empty = False, b""
    while line:
        if blank and line.startswith(b"From ") and lines.begins_message(line):
            break
        kept.add(empty)
        blank = _is_empty(line) and lines.is_whole
        empty = line if blank and in_body else b""  # the last one in front of the next message is not of this one
        if not empty:
            kept.add(line)
        in_body, line = True, lines.next()
    if not line and sender is None:
        kept.add(empty)
    data = kept.data()
    return Letter(_QUOTED.sub(rb"\1", data), told, kept.complete, lines.position), line


def _is_empty(line: bytes) -> bool:
    return line in {b"\n", b"\r\n"}


class _Kept:
    """The octets of a message, as many as are allowed."""

    def __init__(self, most: int) -> None:
        self.complete = True
        self._pieces: list[bytes] = []
        self._room = most

    def add(self, piece: bytes) -> None:
        if len(piece) > self._room:
            self.complete = False
            piece = piece[: self._room]
        self._room -= len(piece)
        if piece:
            self._pieces.append(piece)

    def read(self, lines: _Lines, length: int) -> None:
        """So many octets more."""
        while length > 0 and (piece := lines.take(min(length, 1 << 20))):
            length -= len(piece)
            self.add(piece)

    def data(self) -> bytes:
        return b"".join(self._pieces)


def _content_length(kept: _Kept) -> int | None:
    found = _LENGTH.search(b"\n" + kept.data()[:_HEADER])
    return int(found[1]) if found else None


class _Lines:
    """The lines of a file, long ones in pieces, with one line of foresight."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ahead: bytes | None = None
        self.is_whole = True  # the last piece began a line
        self._at_start = True
        self.position = file.tell()  # of what `next` gives next

    def next(self) -> bytes:
        line = self._file.readline(_LINE) if self._ahead is None else self._ahead
        self._ahead = None
        self.position += len(line)
        self.is_whole, self._at_start = self._at_start, line.endswith(b"\n")
        return line

    def rest(self, line: bytes) -> bytes:
        """The line behind this one, which may be in pieces."""
        while line and not line.endswith(b"\n"):
            line = self.next()
        return self.next()

    def begins_message(self, line: bytes) -> bool:
        if _DATED.match(line):
            return True
        if self._ahead is None:
            self._ahead = self._file.readline(_LINE)
        return _FIELD.match(self._ahead) is not None

    def take(self, size: int) -> bytes:
        found = self._file.read(size)
        self.position += len(found)
        return found

    def ends_at(self, position: int) -> bool:
        """Whether a message may end there: at the end of the file, or where another one begins."""
        here = self.position
        if self._ahead is not None:
            return False
        try:
            size = self._file.seek(0, 2)
            self._file.seek(min(position, size))
            following = self._file.read(64)
        finally:
            self._file.seek(here)
        left = following.lstrip(b"\r\n")
        return position <= size and (not left or (left.startswith(b"From ") and len(following) - len(left) <= 4))
