"""`dovecot-uidlist`: which UID Dovecot has given to which message of a folder. Read, never written.

Version 3 is a line `3 V<uidvalidity> N<next uid> G<guid>` and then a line `UID [key letter and value ...] :NAME` for
each message; version 1 is `1 <uidvalidity> <next uid>` and `UID NAME`. NAME is the file's without its flags.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

FILE_NAME = "dovecot-uidlist"
_VALIDITY = re.compile(rb"3 (?:[^V\n]\S* )*V([0-9]{1,10})\b|1 ([0-9]{1,10}) ")
_LINE = re.compile(rb"(\d{1,10}) (?:[^:\n]*:)?([^\n]+)\n?")


def is_read_by_dovecot(folder: Path) -> bool:
    """Whether Dovecot has been here."""
    return os.path.lexists(f"{folder}/{FILE_NAME}")


def uids(folder: Path) -> dict[str, int]:
    """File names, without their flags, to UIDs; nothing when there is no such file or it is none."""
    found: dict[str, int] = {}
    with suppress(OSError):
        for number, name in _lines(folder / FILE_NAME):
            found[os.fsdecode(name).partition(":")[0]] = number
    return found


def validity(folder: Path) -> int:
    """The UIDVALIDITY that Dovecot has given to a folder; 0 when it has given none."""
    with suppress(OSError):
        fd = os.open(folder / FILE_NAME, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            found = _VALIDITY.match(file.readline(1024))
            return int(found[1] or found[2]) if found else 0
    return 0


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        if file.readline(1024)[:1] not in (b"1", b"3"):
            return
        for line in file:
            if match := _LINE.fullmatch(line):
                yield int(match[1]), match[2]
