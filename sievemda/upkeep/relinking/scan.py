"""The messages of folders as rows, so that those that may be equal stand beside each other when they are sorted.

    KIND DATE INODE BLOCKS FOLDER NUL PART/NAME        what was found
    KIND DATE DIGEST MTIME LINKS INODE FOLDER NUL ...  what may be linked, the one to be kept first

KIND is what two names of one file must share: file system, size, owner and mode. DATE is the second of arrival, which
is the file's and so shared, too; it is nothing when dates are to be ignored. Numbers are hexadecimal, of fixed width.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sievemda.store.pinned import open_pinned

Problem = Callable[[OSError, str], None]
_KIND = 16 + 16 + 8 + 8 + 4
_HEAD = _KIND + 16  # octets of KIND and DATE
_INODE = slice(_HEAD, _HEAD + 16)
_BLOCKS = slice(_HEAD + 16, _HEAD + 24)
_PLACE = _HEAD + 24
_DIGEST = 64
GROUP = _HEAD + _DIGEST
_KEPT_INODE = slice(GROUP + 24, GROUP + 40)
_KEPT_PLACE = GROUP + 40
_FLAT = 1 << 62  # on top of dates, some of which are before 1970
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PART = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """A message: its folder, `cur` or `new`, and its name there."""

    folder: str
    part: str
    name: str

    @classmethod
    def of(cls, octets: bytes) -> Place:
        folder, _, file = os.fsdecode(octets).partition("\0")
        part, _, name = file.partition("/")
        return cls(folder, part, name)

    def open_part(self, part: str) -> int:
        """OSError; no link leads to it."""
        folder = open_pinned(self.folder)
        try:
            return os.open(part, _PART, dir_fd=folder)
        finally:
            os.close(folder)


def open_message(place: Place, directory: int) -> int:
    """Reading it is no access by a reader, where we may say so."""
    with suppress(PermissionError):
        return os.open(place.name, _FILE | os.O_NOATIME, dir_fd=directory)
    return os.open(place.name, _FILE, dir_fd=directory)


@dataclass
class Totals:
    """Of what was looked at: names, files, octets of all names and of all files, and what files take of the disk."""

    messages: int = 0
    unique: int = 0
    octets: int = 0
    disk: int = 0


def found(folders: Iterable[Path], since: float, problem: Problem, *, dates: bool) -> Iterator[bytes]:
    """A row for each message that arrived at `since` or later (seconds since 1970)."""
    for folder in folders:
        for part in ("cur", "new"):
            try:
                yield from _in_part(folder, part, since, dates=dates)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                problem(error, f"{folder}/{part}")


def _in_part(folder: Path, part: str, since: float, *, dates: bool) -> Iterator[bytes]:
    start = os.fsencode(f"{folder}\0{part}/")
    with os.scandir(f"{folder}/{part}") as entries:
        for entry in entries:
            if entry.name[0] == "." or "\n" in entry.name:
                continue
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # a reader has renamed it meanwhile
                continue
            if stat.S_ISREG(seen.st_mode) and seen.st_mtime >= since:
                date = f"{(int(seen.st_mtime) + _FLAT) if dates else 0:016x}"
                head = f"{kind_of(seen)}{date}{seen.st_ino:016x}{min(seen.st_blocks, 0xFFFFFFFF):08x}"
                yield head.encode() + start + os.fsencode(entry.name)


def kind_of(seen: os.stat_result) -> str:
    mode = stat.S_IMODE(seen.st_mode)
    return f"{seen.st_dev:016x}{seen.st_size:016x}{seen.st_uid:08x}{seen.st_gid:08x}{mode:04x}"


def alike(rows: Iterable[bytes], totals: Totals) -> Iterator[list[list[bytes]]]:
    """Of sorted rows, those of one kind and date, by file, where there are several files; all of them are counted."""
    for _, group in groupby(rows, key=lambda row: row[:_HEAD]):
        pending: list[list[bytes]] = []
        for _, names in groupby(group, key=lambda row: row[_INODE]):
            same = list(names)
            _count(totals, same)
            pending.append(same)
            if len(pending) > 1:
                yield pending[-2:] if len(pending) == 2 else pending[-1:]
                pending = [[], []]


def _count(totals: Totals, same: list[bytes]) -> None:
    size = int(same[0][16:32], 16)
    totals.messages += len(same)
    totals.unique += 1
    totals.octets += size * len(same)
    totals.disk += int(same[0][_BLOCKS], 16) * 512


def digested(files: Iterable[list[list[bytes]]]) -> Iterator[bytes]:
    """The same with a digest of the content. What has gone or cannot be read is left out."""
    for several in files:
        for names in several:
            if names and (seen := _digest(names)):
                digest, found_ = seen
                links = 0xFFFFFFFF - min(found_.st_nlink, 0xFFFFFFFF)
                middle = f"{digest}{int(found_.st_mtime) + _FLAT:016x}{links:08x}{found_.st_ino:016x}".encode()
                yield from (row[:_HEAD] + middle + row[_PLACE:] for row in names)


def _digest(names: list[bytes]) -> tuple[str, os.stat_result] | None:
    """Of the first name under which the file can still be read."""
    for row in names:
        place = Place.of(row[_PLACE:])
        try:
            directory = place.open_part(place.part)
            try:
                with open(open_message(place, directory), "rb", buffering=0) as file:
                    seen = os.fstat(file.fileno())
                    if seen.st_ino == int(row[_INODE], 16) and kind_of(seen).encode() == row[:_KIND]:
                        return hashlib.file_digest(file, "sha256").hexdigest(), seen
            finally:
                os.close(directory)
        except OSError:
            continue
    return None


def equal(rows: Iterable[bytes]) -> Iterator[Iterator[tuple[int, Place]]]:
    """Of sorted rows groups with one content, each with its inode: that of the file to be kept comes first."""
    for _, group in groupby(rows, key=lambda row: row[:GROUP]):
        yield ((int(row[_KEPT_INODE], 16), Place.of(row[_KEPT_PLACE:])) for row in group)
