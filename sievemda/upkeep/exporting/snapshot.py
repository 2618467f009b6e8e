"""The messages of a folder at one moment, in the order in which IMAP clients see them, while readers go on.

Why it is kept small: a folder may have a hundred thousand. Names and numbers are kept, and nothing of the messages.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from sievemda.mail.carried import Carried
from sievemda.store.messages import flags_of, locate, unique_part
from sievemda.store.uidlist import uids, validity

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

BLOCK = 1 << 20
_UNKNOWN = 1 << 40  # greater than any UID
UIDVALIDITY = 1  # of a folder that no IMAP server has given one


class Row(NamedTuple):
    """A message: its UID, or the number that stands for one where no IMAP server has given any."""

    uid: int
    name: str
    part: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    rows: list[Row]
    validity: int
    last: int  # UID
    keywords: tuple[str, ...]  # that messages have, sorted


def snapshot(mailbox: Mailbox) -> Snapshot:
    known = uids(mailbox.path)
    rows: list[Row] = []
    for part in ("new", "cur"):  # a message that a reader moves meanwhile is seen twice
        try:
            with os.scandir(mailbox.path / part) as found:
                names = (entry.name for entry in found if entry.name[0] != ".")
                rows += [Row(known.get(name.partition(":")[0], _UNKNOWN), name, part) for name in names]
        except (FileNotFoundError, NotADirectoryError):
            continue
    del known
    rows.sort()
    last = kept = 0
    for index, row in enumerate(rows):
        if index + 1 < len(rows) and unique_part(rows[index + 1].name) == unique_part(row.name):
            continue  # where it goes it is called the same and more
        last = row.uid if row.uid < _UNKNOWN else last + 1
        rows[kept] = row if row.uid == last else Row(last, row.name, row.part)
        kept += 1
    del rows[kept:]
    letters = {letter for row in rows for letter in row.name.partition(":2,")[2]}
    keywords = sorted(mailbox.store.keywords.names(mailbox.path, "".join(letters)))
    return Snapshot(rows, validity(mailbox.path) or UIDVALIDITY, last, tuple(keywords))


def opened(mailbox: Mailbox, row: Row) -> tuple[BinaryIO, Carried] | None:
    """The file of a message, to be closed, and what is known of it; None when it has gone, or is no file. OSError."""
    file = mailbox.path / row.part / row.name
    for _ in range(3):
        try:
            fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            moved = locate(mailbox, unique_part(row.name))
            if moved is None:
                return None
            file = moved
            continue
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            os.close(fd)
            return None
        stream = os.fdopen(fd, "rb", buffering=0)
        return stream, _carried(mailbox, file, stream, found.st_mtime)
    return None


def _carried(mailbox: Mailbox, file: Path, stream: BinaryIO, arrived: float) -> Carried:
    def content() -> Iterator[bytes]:
        at = 0
        while block := os.pread(stream.fileno(), BLOCK, at):
            yield block
            at += len(block)

    flags = flags_of(mailbox, file)
    system = [flag for flag in flags if flag.startswith("\\")]
    words = sorted(flag for flag in flags if not flag.startswith("\\"))
    return Carried(content, (*system, *words), arrived, file.parent.name == "new" and not flags, str(file))
