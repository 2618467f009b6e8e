"""A directory of messages, one in each file: `.eml`, Apple's `.emlx`, and the numbers of MH; directories are folders.

What knows the flags is a file `flags` beside the messages (see `exporting.eml`), or the end of an `.emlx`. With such a
file the messages were written by `export`, and the times of the files are those of arrival; else a copy has other times
than the message, and its fields go first: Received, Date. Outlook's `.msg` is no message but a data base, and is told.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from sievemda.errors import DataError
from sievemda.given import open_given
from sievemda.mail.carried import Carried
from sievemda.mail.flags import canonical
from sievemda.store.staging import read_blocks
from sievemda.upkeep.exporting.eml import FLAGS, read_flags
from sievemda.upkeep.importing.file_names import decoded
from sievemda.upkeep.importing.mbox import date_of
from sievemda.upkeep.importing.source import Contents, SourceFolder

_NUMBER = re.compile(r"[0-9]{1,10}")
_HEADER = 1 << 16  # octets in which dates are looked for
_LENGTH = re.compile(rb"[ \t]*([0-9]{1,12})[ \t]*\r?\n")
_PLIST_FLAGS = re.compile(rb"<key>flags</key>\s*<integer>([0-9]{1,19})</integer>")
_BITS = {0: "\\Seen", 1: "\\Deleted", 2: "\\Answered", 4: "\\Flagged", 6: "\\Draft"}
_OUTLOOK = b"\xd0\xcf\x11\xe0"


def emls(source: str) -> Contents:
    """The folders of a directory; a single file is one of one message. DataError, OSError."""
    path = Path(source)
    if not path.is_dir():
        if not path.exists():
            raise DataError(f"{source}: {os.strerror(errno.ENOENT)}")
        _check_kind(path)
        return Contents([SourceFolder(source, partial(_open, path.parent, [path.name]), (), path.stat().st_size)])
    found = Contents()
    _walk(path, (), found)
    return found


def _check_kind(path: Path) -> None:
    with open_given(path) as file:
        if file.read(4) == _OUTLOOK:
            raise DataError(f"{path} is a file of Outlook, and no message: save it as .eml")


def _walk(directory: Path, below: tuple[str, ...], found: Contents) -> None:
    names, octets, folders = [], 0, []
    for entry in found.entries(directory, len(below), _order):
        if entry.name[0] == "." or entry.name == FLAGS:
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry)
        elif not entry.is_file(follow_symlinks=False):
            found.passed_over.append(f"{entry.path} is no file: passed over")
        elif entry.name.lower().endswith((".eml", ".emlx")) or _NUMBER.fullmatch(entry.name):
            names.append(entry.name)
            octets += entry.stat().st_size
        elif entry.name.lower().endswith(".msg"):
            found.passed_over.append(f"{entry.path} is a file of Outlook, and no message: save it as .eml")
        else:
            found.passed_over.append(f"{entry.path} is no message: passed over")
    if names or (below and (directory / FLAGS).is_file()):
        found.folders.append(SourceFolder(str(directory), partial(_open, directory, names), below, octets))
    for entry in folders:
        name = decoded(entry.name.removesuffix(".mbox"))
        _walk(Path(entry.path), below if name == "Messages" and directory.suffix == ".mbox" else (*below, name), found)


def _order(entry: os.DirEntry[str]) -> tuple[int, str]:
    digits = re.match(r"[0-9]{1,10}", entry.name)
    return (int(digits[0]) if digits else 0), entry.name


@contextmanager
def _open(directory: Path, names: list[str]) -> Iterator[EmlReading]:
    yield EmlReading(directory, names)


class EmlReading:
    """The messages of one directory."""

    def __init__(self, directory: Path, names: list[str]) -> None:
        self.problem = ""
        self.position = 0
        self._directory = directory
        self._names = names
        self._flags = read_flags(directory)
        if self._flags is not None and any(name not in names for name in self._flags):
            self.problem = f"{directory}: messages are missing that the file {FLAGS} names"

    def __iter__(self) -> Iterator[Carried]:
        for name in self._names:
            path = self._directory / name
            try:
                status = path.lstat()
                carried = self._carried(path, status.st_mtime)
            except OSError as error:
                carried, status = Carried(partial(_failing, error), where=str(path)), None
            self.position += status.st_size if status else 0
            yield carried

    def _carried(self, path: Path, written: float) -> Carried:
        if path.suffix.lower() == ".emlx":
            return _emlx(path, written)
        carried = Carried(partial(read_blocks, path), (), written, new=True, where=str(path))
        if self._flags is not None:
            flags = self._flags.get(path.name)
            return carried if flags is None else replace(carried, flags=canonical(flags), new=False)
        with open_given(path) as file:
            header = re.split(rb"\n\r?\n", file.read(_HEADER), maxsplit=1)[0]
        return replace(carried, arrived=date_of(header) or written)


def _failing(error: OSError) -> Iterator[bytes]:
    raise error
    yield b""  # type: ignore[unreachable]  # it is a generator


def _emlx(path: Path, written: float) -> Carried:
    """Apple Mail: a line with the length of the message, the message, and properties in XML."""
    with open_given(path) as file:
        line = file.readline(64)
        match = _LENGTH.fullmatch(line)
        length = int(match[1]) if match else -1
        size = os.fstat(file.fileno()).st_size
        if match is None or len(line) + length > size:
            return Carried(partial(_failing, OSError(errno.EUCLEAN, "is no whole .emlx")), where=str(path))
        header = re.split(rb"\n\r?\n", file.read(min(_HEADER, length)), maxsplit=1)[0]
    properties = b""
    if size - len(line) - length < 1 << 20:
        with open_given(path) as file:
            file.seek(len(line) + length)
            properties = file.read()
    found = _PLIST_FLAGS.search(properties)
    bits = int(found[1]) if found else 0
    flags = tuple(flag for bit, flag in _BITS.items() if bits >> bit & 1)
    content = partial(_part, path, len(line), length)
    return Carried(content, flags, date_of(header) or written, new=not flags, where=str(path))


def _part(path: Path, start: int, length: int) -> Iterator[bytes]:
    with open_given(path) as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(length, 1 << 20))):
            length -= len(piece)
            yield piece
