"""The UIDs of one mbox, to which several folders may be written, and which may have been there before.

The first message of a file says UIDVALIDITY and the last UID of all (`X-IMAPbase`); those that are added get the
numbers behind it, and it is put right in its place, as IMAP servers do it, which leave room for ten digits.

Why a number without room stays: an IMAP server gives messages beyond the last UID new ones, which are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import BinaryIO

_LONGEST = 1 << 18  # octets of a header in which it is looked for
_BASE = re.compile(rb"^X-IMAP(?:base)?:[ \t]*\d{1,10}[ \t]+(\d{1,10})(?=[ \t\r\n])", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")
MOST = (1 << 32) - 1


@dataclass(slots=True)
class Numbers:
    begun: bool = False  # whether there is a message already
    last: int = 0  # the last UID; 0 when nobody has said any
    _place: tuple[int, int] | None = field(default=None)  # of its digits in the file

    @classmethod
    def of(cls, file: BinaryIO) -> Numbers:
        """Those of a file with messages, which is left at its end."""
        file.seek(0)
        beginning = file.read(_LONGEST)
        file.seek(0, 2)
        end = _END.search(beginning)
        found = _BASE.search(beginning, 0, end.end() if end else len(beginning))
        return cls(True, int(found[1]), found.span(1)) if found else cls(begun=True)

    def put_right(self, file: BinaryIO) -> None:
        """Have the file say the last UID."""
        if self._place is None:
            return
        start, end = self._place
        digits = b"%0*d" % (end - start, self.last)
        if len(digits) == end - start:
            file.seek(start)
            file.write(digits)
            file.seek(0, 2)
