"""Which messages of a folder are copies of which at their source, and with what flags they came.

That is in `sievemda-copies` in the folder, a line for each message: which source and until when its numbers mean the
same, as a digest; the number; the unique part of the file's name; its letters; the flags at the source. The last line
of a number counts; a line that was not finished counts for nothing.

Why it is kept: between two runs of an import people go on reading where they were. What they have marked there since is
known by comparing the flags there with those of the last run, so that it can be brought along and what they have done
here stays: each flag follows who has changed it. The letters tell whether a copy was touched here; of one that was
touched they are `?`.

Why lines are added and not the whole replaced: there may be hundreds of thousands, and each batch has some.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import Damaged, write_atomically
from sievemda.store.messages import known_flags, unique_part
from sievemda.store.pinned import open_pinned

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

FILE_NAME = "sievemda-copies"
TOUCHED = "?"
_MOST_FLAGS = 64  # of one message that are remembered
_LONGEST = 1 << 28  # octets of the file
_SPARE = 1000  # lines that count no longer and may stay
_LINE = re.compile(r"([0-9a-f]{8})([0-9a-f]{8})\t([0-9]{1,19})\t([^\t\n/]+)\t([A-Za-z?]*)\t([^\t\n]*)\n")
_WRITING = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copy:
    """`unique` is the unique part of its file's name, `letters` those it came with, `flags` those at the source."""

    unique: str
    letters: str
    flags: tuple[str, ...]


class Copies:
    """Those that one folder has of one source. To write, hold the folder as who fills it does."""

    def __init__(self, mailbox: Mailbox, source: str, validity: str) -> None:
        self._folder = mailbox.path
        self._mode = mailbox.store.message_mode
        self._source = _digest(source)
        self._validity = _digest(validity)

    def read(self) -> dict[int, Copy]:
        """By their numbers at the source. What cannot be read is not known."""
        return self._read()[0]

    def _read(self) -> tuple[dict[int, Copy], list[str], int]:
        """Those of the source, the lines of other sources, and how many lines there are."""
        found: dict[int, Copy] = {}
        others: list[str] = []
        count = 0
        for line in _lines(self._folder / FILE_NAME):
            count += 1
            match = _LINE.fullmatch(line)
            if match is None:
                continue
            source, validity, number, unique, letters, flags = match.groups()
            if source != self._source:
                others.append(line)
            elif validity == self._validity:
                found[int(number)] = Copy(unique, letters, tuple(flags.split()))
        return found, others, count

    def note(self, copies: Mapping[int, Copy]) -> None:
        """Remember them, durably. OSError."""
        if not copies:
            return
        directory = open_pinned(str(self._folder))
        try:
            fd = os.open(FILE_NAME, _WRITING, self._mode, dir_fd=directory)
        finally:
            os.close(directory)
        with os.fdopen(fd, "r+b", buffering=0) as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise Damaged(f"{self._folder / FILE_NAME} is not a regular file")
            ends = status.st_size == 0 or os.pread(fd, 1, status.st_size - 1) == b"\n"
            data = (b"" if ends else b"\n") + self._shown(copies).encode()
            while data:
                data = data[file.write(data) or 0 :]
            os.fsync(fd)

    def tidy(self) -> None:
        """Write the file anew when most of it counts no longer. OSError."""
        found, others, count = self._read()
        if count > 2 * (len(found) + len(others)) + _SPARE:
            write_atomically(self._folder / FILE_NAME, ("".join(others) + self._shown(found)).encode(), self._mode)

    def _shown(self, copies: Mapping[int, Copy]) -> str:
        start = f"{self._source}{self._validity}"
        return "".join(
            f"{start}\t{number}\t{copy.unique}\t{copy.letters}\t{' '.join(copy.flags)}\n"
            for number, copy in copies.items()
        )


def remembered(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Flags as they are compared with those of another run."""
    return known_flags(flags)[:_MOST_FLAGS]


def copy_of(name: str, flags: tuple[str, ...]) -> Copy:
    """How a message is remembered whose file gets this name."""
    return Copy(unique_part(name), name.partition(":2,")[2], remembered(flags))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _lines(file: Path) -> Iterator[str]:
    try:
        directory = open_pinned(str(file.parent))
        try:
            fd = os.open(file.name, _READING, dir_fd=directory)
        finally:
            os.close(directory)
        with os.fdopen(fd, "r", encoding="utf-8", errors="replace", newline="\n") as stream:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LONGEST:
                raise Damaged(f"{file} is not a file of copies")
            yield from stream
    except FileNotFoundError:
        return
    except OSError as error:
        _log.warning("%s counts as empty: %s", file, error)
