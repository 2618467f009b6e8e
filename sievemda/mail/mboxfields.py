"""What an mbox says of a message in header fields of its own: flags, keywords, UID, length.

`Status` has R (seen) and O (a reader knows of it); `X-Status` has A, F, T (draft) and D; `X-Keywords` lists keywords;
`X-IMAPbase`, of the first message, has UIDVALIDITY, the last UID and all keywords; `X-UID` and `Content-Length` speak
for themselves. `X-Mozilla-Status` and `X-Mozilla-Keys` are Thunderbird's.

None of them belongs to the message, and they are taken out of it. What we write stands in front of all other fields, in
an order of its own with `X-UID` last: so a message that had such fields itself keeps them.

Why fields that say nothing are written, too: an IMAP server that works on the file changes what is there in its place,
and adds what is not at the end of the header, where it would be taken for the message's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_OURS = re.compile(
    rb"(?:X-IMAPbase: ([^\r\n]*)\r?\n)?Status:([ RO]{0,4})\r?\nX-Status:([ AFTD]{0,6})\r?\n"
    rb"X-Keywords:([^\r\n]*)\r?\n(?:Content-Length: ([0-9]{1,15}) *\r?\n)?X-UID: ([0-9]{1,10}) *\r?\n"
)
_FIELDS = re.compile(
    rb"^(Status|X-Status|X-Keywords|X-IMAPbase|X-IMAP|X-UID|Content-Length|X-Mozilla-Status2?|X-Mozilla-Keys)[ \t]*:"
    rb"([^\n]*(?:\n[ \t][^\n]*)*)(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT = re.compile(
    rb"^Subject[ \t]*:[ \t]*DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\b", re.IGNORECASE | re.MULTILINE
)
_STATUS = {"\\Seen": "R"}
_XSTATUS = {"\\Answered": "A", "\\Flagged": "F", "\\Draft": "T", "\\Deleted": "D"}
_MOZILLA = {1: "\\Seen", 2: "\\Answered", 4: "\\Flagged", 8: "\\Deleted"}


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """What the fields of one message say, and its header without them."""

    header: bytes
    flags: tuple[str, ...] = ()
    new: bool = True  # no reader knows of it
    length: int | None = None  # octets of the body
    ours: bool = False  # written by us: times are in UTC, and all lines are quoted
    pseudo: bool = False  # no message, but notes of an IMAP server


def read_fields(header: bytes) -> Bookkeeping:
    """`header` is the beginning of a message up to its first empty line, with that."""
    if ours := _OURS.match(header):
        said = {b"status": ours[2], b"x-status": ours[3], b"x-keywords": ours[4], b"content-length": ours[5]}
        return _told(header[ours.end() :], {name: value or b"" for name, value in said.items()}, ours=True)
    if not _FIELDS.search(header):  # most messages of most files
        return Bookkeeping(header)
    found: dict[bytes, bytes] = {}
    for field in _FIELDS.finditer(header):
        found.setdefault(field[1].lower(), b" ".join(field[2].split()))
    pseudo = (b"x-imap" in found or b"x-imapbase" in found) and _SUBJECT.search(header) is not None
    return _told(_FIELDS.sub(b"", header), found, ours=False, pseudo=pseudo)


def _told(header: bytes, found: dict[bytes, bytes], *, ours: bool, pseudo: bool = False) -> Bookkeeping:
    status = found.get(b"status", b"").upper() + found.get(b"x-status", b"").upper()
    # `Status` has a D of its own in old files, and means the same by it.
    letters = (_STATUS | _XSTATUS).items()
    flags = [flag for flag, letter in letters if letter.encode() in status]
    mozilla = _hexadecimal(found.get(b"x-mozilla-status", b""))
    flags += [flag for bit, flag in _MOZILLA.items() if mozilla & bit and flag not in flags]
    listed = found.get(b"x-keywords", b"") + b" " + found.get(b"x-mozilla-keys", b"")
    words = [word for text in listed.decode("utf-8", "replace").split() if (word := text.rstrip(","))]
    length = found.get(b"content-length", b"")
    return Bookkeeping(
        header,
        (*flags, *dict.fromkeys(words)),
        new=not (b"O" in status or flags or words or b"x-mozilla-status" in found),
        length=int(length) if length.isdigit() and len(length) < 16 else None,
        ours=ours,
        pseudo=pseudo,
    )


def _hexadecimal(text: bytes) -> int:
    try:
        return int(text[:8], 16)
    except ValueError:
        return 0


def write_fields(
    flags: Sequence[str], uid: int, *, new: bool = False, base: bytes | None = None, length: int | None = None
) -> bytes:
    """The fields that go in front of a message; `base` is the value of X-IMAPbase, `length` that of Content-Length."""
    status = "".join(letter for flag, letter in _STATUS.items() if flag in flags) + ("" if new else "O")
    xstatus = "".join(letter for flag, letter in _XSTATUS.items() if flag in flags)
    keywords = " ".join(flag for flag in flags if not flag.startswith("\\"))
    lines = [
        b"" if base is None else b"X-IMAPbase: %b\n" % base,
        f"Status: {status}\nX-Status: {xstatus}\nX-Keywords: {keywords}\n".encode(),
        b"" if length is None else b"Content-Length: %d\n" % length,
        b"X-UID: %d\n" % uid,
    ]
    return b"".join(lines)
