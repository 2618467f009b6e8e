"""Reading an mbox: where its messages lie, and what each is. See `mail.postmark` and `mail.mboxfields`.

Where a message begins: at a postmark, which has a date, behind an empty line, with a header field in the next line; or
without the empty line, when both are as they should be. A `From ` at the beginning of a sentence is none. A
Content-Length is believed when the file ends there, or a postmark follows; then nothing is quoted (mboxcl2). Else of
lines that begin with any number of `>` and `From `, one `>` is taken away (mboxrd), or of those with one (mboxo).

A file that begins with a postmark that we cannot read, without a date or in the words of another language, was written
by somebody who writes all of them so: there every `From ` behind an empty line and before a header field is one.

Why positions and not texts: a file may have a message of a gigabyte, or a hundred thousand; what is in memory is a
window of the file. The file is read once more for what is larger than that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sievemda.mail.carried import Carried
from sievemda.mail.dates import read_date
from sievemda.mail.header import unfold
from sievemda.mail.mboxfields import Bookkeeping, read_fields
from sievemda.mail.postmark import read_postmark

FORMATS = ("auto", "mboxrd", "mboxo", "mboxcl2")
_WINDOW = 1 << 20  # octets
_HEADER = 1 << 20  # octets of a header in which fields are looked for
_USUAL = 4096  # octets that most headers have at most
_LINE = 1000  # octets of a postmark at most
_QUOTED = {
    "auto": re.compile(rb"^>(>*From )", re.MULTILINE),
    "mboxrd": re.compile(rb"^>(>*From )", re.MULTILINE),
    "mboxo": re.compile(rb"^>(From )", re.MULTILINE),
}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as dates are kept: what a clock shows, and its offset
_PLAIN = re.compile(  # most postmarks, recognised quickly
    rb"From [^\s:]{1,200} (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    rb" (?: [1-9]|[12][0-9]|3[01]) (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9] (?:19|20)[0-9][0-9]\r?\n"
)
_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:|>?From |\r?\n|[!-9;-~]{0,200}\r?\Z")  # or what is left of one
_NAMED = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_END = re.compile(rb"\n\r?\n")
_CUT_MARK = re.compile(  # at the end of a file
    rb"From \S*(?: +(?:M(?:on?)?|T(?:ue?|hu?)?|W(?:ed?)?|F(?:ri?)?|S(?:at?|un?)?)?"
    rb"| +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) .*)?"
)
_CUT_WORD = re.compile(rb"\n\r?\n(Fr?o?m?)\Z")
_LATEST = 1 << 37  # seconds since 1970; what is later is no date
_DATE = re.compile(rb"^Date[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_RECEIVED = re.compile(rb"^Received[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(
    rb"^Content-Type[ \t]*:[^;\n]*multipart/[^\n]*(?:\n[ \t][^\n]*)*?boundary=(?:\"([^\"\n]+)\"|([^\s;\"]+))",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one message lies: its postmark, what follows that, and where it ends without the empty line behind it."""

    number: int  # in the file, from 1
    start: int
    header: int
    end: int
    next: int  # where the next message begins


class Mbox:
    """The messages of one open file; `problem` tells what is not whole when all have been taken."""

    def __init__(self, fd: int, name: str, form: str = "auto") -> None:
        self.name = name
        self.position = 0  # octets that have been gone through
        self.size = os.fstat(fd).st_size
        self.problem = ""
        self.skipped = 0  # messages of IMAP servers to themselves
        self._file = _Window(fd, self.size)
        self._form = form
        self._foreign = False  # postmarks are of a form that we do not know

    def __iter__(self) -> Iterator[Carried]:
        start, number = self._first(), 0
        self._foreign = read_postmark(self._file.line(start)) is None
        while start < self.size:
            number += 1
            carried, place = self._message(start, number)
            if carried is not None:
                yield carried
            self.position = start = place.next

    def _first(self) -> int:
        start = 0
        while start < self.size and self._file.read(start, 1) in (b"\n", b"\r"):
            start += 1
        return start

    @property
    def is_mbox(self) -> bool:
        """Whether it begins like one; an empty file is one."""
        start = self._first()
        return start >= self.size or self._file.read(start, 5) == b"From "

    # -- one message -------------------------------------------------------------------------------------------------

    def _message(self, start: int, number: int) -> tuple[Carried | None, Place]:
        line = self._file.line(start)
        where = f"{self.name}, message {number}, at octet {start}"
        header = start + len(line)
        text, told = self._header(header)
        body = header + len(text)
        end = self._believed(body, told.length)
        literally = end is not None or self._form == "mboxcl2"
        if end is None:
            following = self._next(header)
            end = self._without_empty_line(header, following) or following
        else:
            following = end
        place = Place(number, start, header, end, self._skip_empty(following))
        if place.next >= self.size:
            self._check_last(place, line, text, told, where)
        if told.pseudo and number == 1:
            self.skipped += 1
            return None, place
        if place.end <= header:  # there is nothing of it
            return None, place
        quoted = None if literally else _QUOTED[self._form]
        head, told = (told.header, told) if place.end >= body else self._cut(header, place.end)
        content = partial(self._content, head, body, place.end, quoted, whole=told.ours)
        mark = read_postmark(line, utc=told.ours)
        arrived = mark.arrived if mark else None
        if arrived is None or not 0 <= arrived < _LATEST:
            arrived = date_of(text)
        return Carried(content, told.flags, arrived, told.new, where), place

    def _header(self, start: int) -> tuple[bytes, Bookkeeping]:
        text = b""
        for most in (_USUAL, _HEADER):
            text = self._file.read(start, min(most, self.size - start))
            end = self._end_of_header(text)
            if end >= 0:
                text = text[:end]
            at = -1
            while (at := text.find(b"\nFrom ", at + 1)) >= 0:
                if self._begins_message(start + at + 1):
                    return text[: at + 1], read_fields(text[: at + 1])  # it has no body, and no empty line
            if end >= 0:
                break
        return text, read_fields(text)

    def _end_of_header(self, text: bytes) -> int:
        """Where the body begins; -1: not in what is here."""
        if text.startswith((b"\n", b"\r\n")):
            return text.index(b"\n") + 1
        found = _END.search(text)
        return found.end() if found else -1

    def _cut(self, header: int, end: int) -> tuple[bytes, Bookkeeping]:
        """The header of a message that ends before its first empty line."""
        told = read_fields(self._file.read(header, end - header))
        return told.header, told

    def _believed(self, body: int, length: int | None) -> int | None:
        """Where the message ends by its Content-Length, if that can be."""
        if length is None or self._form in ("mboxrd", "mboxo") or body + length > self.size:
            return None
        if self._file.read(body + length - 1, 1) != b"\n":
            return None
        following = self._skip_empty(body + length)
        if following >= self.size or read_postmark(self._file.line(following)) is not None:
            return body + length
        return None

    def _next(self, start: int) -> int:
        """Where the next postmark behind a position is, or the end of the file."""
        at = start - 1
        while (at := self._file.find(b"\nFrom ", at)) >= 0:
            if self._begins_message(at + 1):
                return at + 1
            at += 1
        cut = _CUT_WORD.search(self._file.read(max(start, self.size - 8), self.size - max(start, self.size - 8)))
        return self.size - len(cut[1]) if cut else self.size

    def _begins_message(self, at: int) -> bool:
        line = self._file.line(at)
        before = self._file.read(max(at - 3, 0), min(at, 3))
        empty = before.endswith((b"\n\n", b"\n\r\n"))
        if not line.endswith(b"\n") and at + len(line) >= self.size:
            return empty and _CUT_MARK.fullmatch(line) is not None  # the file is cut here
        following = self._file.read(at + len(line), min(_LINE, self.size - at - len(line)))
        if not _PLAIN.fullmatch(line):
            mark = read_postmark(line)
            if mark is None and empty and self._foreign:
                return _NAMED.match(following) is not None
            if mark is None or (not empty and mark.arrived is None):
                return False
        return _FIELD.match(following) is not None

    def _without_empty_line(self, start: int, end: int) -> int:
        """Where the message ends; 0 when the empty line is all that there is of it."""
        tail = self._file.read(max(start - 1, end - 4), end - max(start - 1, end - 4))
        for empty in (b"\n\r\n", b"\n\n", b"\n\r"):
            if tail.endswith(empty) and (end == self.size or empty[-1:] == b"\n"):
                return end - len(empty) + 1 if end - len(empty) + 1 > start else 0
        return end

    def _skip_empty(self, at: int) -> int:
        while at < self.size and (piece := self._file.read(at, min(64, self.size - at))):
            rest = piece.lstrip(b"\r\n")
            at += len(piece) - len(rest)
            if rest:
                break
        return at

    # -- its content -------------------------------------------------------------------------------------------------

    def _content(
        self, header: bytes, body: int, end: int, quoted: re.Pattern[bytes] | None, *, whole: bool
    ) -> Iterator[bytes]:
        """`whole`: lines of the header are quoted, too."""
        rest = self._file.pieces(body, end)
        if quoted is None:
            yield header
            yield from rest
        elif whole:
            yield from _unquoted(_chained(header, rest), quoted)
        else:
            yield header
            yield from _unquoted(rest, quoted)

    def _check_last(self, place: Place, line: bytes, header: bytes, told: Bookkeeping, where: str) -> None:
        """Say so when the file seems to have been cut in its last message."""
        reason = ""
        if not line.endswith(b"\n"):
            reason = "its first line is cut"
        elif place.header >= self.size:
            reason = "there is nothing but its first line"
        elif self._file.read(self.size - 1, 1) != b"\n":
            reason = "its last line is cut"
        elif len(header) < _HEADER and self._end_of_header(header) < 0:
            reason = "its header has no end"
        elif told.length is not None and self._form == "auto" and place.header + len(header) + told.length > self.size:
            reason = f"its Content-Length is {told.length}"
        elif (boundary := _BOUNDARY.search(header)) and self._file.rfind(
            b"--" + (boundary[1] or boundary[2]) + b"--", place.header, place.end
        ) < 0:
            reason = "its last part has no end"
        if reason:
            self.problem = "; ".join(filter(None, (self.problem, f"{where}, is not whole: {reason}")))


def date_of(header: bytes) -> float | None:
    """When a message came or was written, by its fields: seconds since 1970."""
    for pattern in (_RECEIVED, _DATE):
        if found := pattern.search(header):
            moment = read_date(unfold(found[1]))
            if moment is not None:
                return (moment.shown - _EPOCH).total_seconds() - 60 * moment.offset
    return None


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _unquoted(pieces: Iterator[bytes], quoted: re.Pattern[bytes]) -> Iterator[bytes]:
    """The text without quotes, piece by piece; a piece is cut where a line ends, or where no quote can be any more."""
    held, inside = b"", False  # in the middle of a line that is too long
    for piece in pieces:
        data = held + piece
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) < _WINDOW:
            held = data
            continue
        whole, held = (data[:cut], data[cut:]) if cut else (data, b"")
        yield _replaced(whole, quoted, inside=inside)
        inside = not whole.endswith(b"\n")
    if held:
        yield _replaced(held, quoted, inside=inside)


def _replaced(text: bytes, quoted: re.Pattern[bytes], *, inside: bool) -> bytes:
    if b">From " not in text:  # which is quicker than the pattern
        return text
    if not inside:
        return quoted.sub(rb"\1", text)
    first = text.find(b"\n") + 1
    return text[:first] + quoted.sub(rb"\1", text[first:]) if first else text


class _Window:
    """A file of which a part is in memory."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self._size = size
        self._at = 0
        self._data = b""

    def read(self, at: int, size: int) -> bytes:
        """As much as there is of so many octets."""
        if size <= 0:
            return b""
        if not self._at <= at <= at + size <= self._at + len(self._data):
            if size > _WINDOW:
                return self._load(at, size)
            self._at, self._data = at, self._load(at, min(_WINDOW, max(self._size - at, 0)))
        return self._data[at - self._at : at - self._at + size]

    def _load(self, at: int, size: int) -> bytes:
        pieces, left = [], size
        while left > 0 and (piece := os.pread(self._fd, left, at + size - left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def line(self, at: int) -> bytes:
        """The line that begins there, as far as a postmark may be long."""
        text = self.read(at, min(_LINE, self._size - at))
        end = text.find(b"\n") + 1
        if end or len(text) < _LINE:
            return text[:end] if end else text
        end = self.find(b"\n", at)
        return self.read(at, (self._size if end < 0 else end + 1) - at)

    def find(self, what: bytes, at: int) -> int:
        """Where it is found next, from a position on; -1: nowhere."""
        at = max(at, 0)
        while at < self._size:
            if not self._at <= at < self._at + len(self._data) - len(what):
                self._at, self._data = at, self._load(at, min(_WINDOW, self._size - at))
            found = self._data.find(what, at - self._at)
            if found >= 0:
                return self._at + found
            if self._at + len(self._data) >= self._size:
                return -1
            at = self._at + len(self._data) - len(what) + 1
        return -1

    def rfind(self, what: bytes, start: int, end: int) -> int:
        """Where it is found last between two positions; -1: nowhere."""
        at = end
        while at > start:
            first = max(start, at - _WINDOW)
            found = self._load(first, min(at + len(what), end) - first).rfind(what)
            if found >= 0:
                return first + found
            at = first
        return -1

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end and (piece := self.read(start, min(_WINDOW, end - start))):
            yield piece
            start += len(piece)
