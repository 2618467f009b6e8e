"""Writing an mbox: mboxrd, which every reader understands and which is read back as it was; or one of its cousins.

In front of each message stand the fields of `mail.mboxfields`, which are taken away when the file is read by `import`.
Lines end in LF, and the last line of a message ends in one though it had none.

Why mboxrd: mboxo cannot tell afterwards whether a `>` was there before. mboxcl2 quotes nothing, and relies on readers
that believe a Content-Length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from sievemda.mail.carried import Carried, with_lf
from sievemda.mail.mboxfields import write_fields
from sievemda.mail.postmark import postmark
from sievemda.upkeep.exporting.numbers import MOST, Numbers
from sievemda.upkeep.exporting.snapshot import opened, snapshot

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

FORMATS = ("mboxrd", "mboxo", "mboxcl2")
_QUOTES = {
    "mboxrd": re.compile(rb"^(?=>*From )", re.MULTILINE),
    "mboxo": re.compile(rb"^(?=From )", re.MULTILINE),
}
_LIKE_POSTMARK = re.compile(rb"^>*From ", re.MULTILINE)
_END = re.compile(rb"\A\n|\n\n")
_RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<?([^<>\s]*)", re.IGNORECASE | re.MULTILINE)
_LONG = 1 << 20  # octets of a line that can be no quote any more

Write = Callable[[bytes], object]


def write_mbox(
    mailbox: Mailbox,
    write: Write,
    form: str = "mboxrd",
    *,
    numbers: Numbers | None = None,
    done: Callable[[int], object] = id,
) -> tuple[int, int]:
    """Write the messages of a folder: how many were written, and how many had gone when it was their turn.

    `numbers` are those of the file, which begins with them otherwise. `done` is told the octets of each message.
    OSError.
    """
    found, numbers = snapshot(mailbox), numbers or Numbers()
    words = "".join(f" {word}" for word in found.keywords)
    base: bytes | None = f"{found.validity} {found.last:010}{words}".encode() if not numbers.begun else None
    before = numbers.last if numbers.last + len(found.rows) <= MOST else 0
    written = gone = 0
    for row in found.rows:
        message = opened(mailbox, row)
        if message is None:
            gone += 1
            continue
        stream, carried = message
        with stream:
            size = _write_message(write, carried, before + written + 1 if before else row.uid, base, form)
        base, written = None, written + 1
        done(size)
    if before or (written and not numbers.begun):
        numbers.last = before + written if before else found.last
    numbers.begun |= written > 0
    return written, gone


def _write_message(write: Write, carried: Carried, uid: int, base: bytes | None, form: str) -> int:
    pieces = with_lf(carried.content())
    first = next(pieces, b"")
    end = _END.search(first)
    length = None
    if form == "mboxcl2":
        if end and not _LIKE_POSTMARK.search(first, 0, end.end()):
            length = _octets(carried) - end.end()
        else:  # a length says nothing of a header
            form = "mboxrd"
    found = _RETURN_PATH.search(first[: end.start() + 1] if end else first)
    sender = found[1].decode("utf-8", "surrogateescape") if found else ""
    head = postmark(sender, int(carried.arrived or 0))
    head += write_fields(carried.flags, uid, new=carried.new, base=base, length=length)
    size, last = len(head), b"\n"
    text = _chained(first, pieces)
    quoted = _quoted(text, _QUOTES[form]) if form in _QUOTES else text
    for piece in quoted:
        write(head + piece if head else piece)
        size, last, head = size + len(piece), piece[-1:] or last, b""
    tail = head + (b"\n" if last == b"\n" else b"\n\n")
    write(tail)
    return size + len(tail)


def _octets(carried: Carried) -> int:
    """With the line end that the message gets when it has none."""
    size, last = 0, b"\n"
    for piece in with_lf(carried.content()):
        size, last = size + len(piece), piece[-1:]
    return size + (last != b"\n")


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _quoted(pieces: Iterable[bytes], quote: re.Pattern[bytes]) -> Iterator[bytes]:
    """Whole lines at a time; a line that is too long to be held is not quoted behind its beginning."""
    held, inside = b"", False
    for piece in pieces:
        data = held + piece
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) < _LONG:
            held = data
            continue
        whole, held = (data[:cut], data[cut:]) if cut else (data, b"")
        start = whole.find(b"\n") + 1 if inside else 0
        wanted = (start or not inside) and b"From " in whole  # which is quicker than the pattern
        yield whole[:start] + quote.sub(b">", whole[start:]) if wanted else whole
        inside = not whole.endswith(b"\n")
    if held:
        yield held if inside else quote.sub(b">", held)
