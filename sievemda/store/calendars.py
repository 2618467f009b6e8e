"""The calendars of a user: folders in his home, one file for each object (RFC 4791 §4.1), as vdirsyncer keeps them.

    HOME/calendars/default/*.ics     the default calendar, made when it is first needed
    HOME/calendars/NAME/*.ics        others; their identifiers are the names of the folders

An object is found by its UID wherever it lies and whatever its file is called. A new one gets the digest of its UID for
a name, so that no UID can name a file outside or one that the file system does not take.

Why the folders are read and no index is kept: other programs write there too, and mail with calendar data is rare.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from sievemda.errors import DataError
from sievemda.store.files import read_control_file, sync_directory, write_atomically

DEFAULT = "default"
_CALENDARS = 100  # folders that are looked into
_OBJECTS = 20_000  # files of one
_NAME = 250  # octets of an identifier
_FOLD = re.compile(rb"\r?\n[ \t]")
_UID = re.compile(rb"^UID(?:;[^:\r\n]*+)?:([^\r\n]*+)", re.MULTILINE | re.IGNORECASE)


class Calendars:
    """The calendars of one home. Every method raises OSError for what the disk does, DataError for a bad name."""

    def __init__(self, home: Path, folder: str, file_mode: int, folder_mode: int) -> None:
        self._home = home
        self._root = home / folder if folder else None
        self._file_mode = file_mode
        self._folder_mode = folder_mode

    def exists(self, identifier: str) -> bool:
        """Whether there is that calendar; the default one is there as soon as calendars are kept at all."""
        if self._root is None:
            return False
        return identifier in {"", DEFAULT} or (_is_name(identifier) and (self._root / identifier).is_dir())

    def get(self, uid: str) -> bytes | None:
        """The object of that UID, on whatever calendar it is."""
        path = self._find(uid)
        return None if path is None else read_control_file(path)

    def put(self, uid: str, data: bytes, identifier: str) -> Path:
        """Write an object where it is, else into the calendar."""
        path = self._find(uid)
        if path is None:
            path = self._calendar(identifier or DEFAULT) / _file_name(uid)
        write_atomically(path, data, self._file_mode)
        return path

    def remove(self, uid: str) -> bool:
        """Whether it was there."""
        path = self._find(uid)
        if path is None:
            return False
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        return True

    def _calendar(self, identifier: str) -> Path:
        """The folder of a calendar; the default one is made."""
        if self._root is None or not _is_name(identifier):
            raise DataError(f"there can be no calendar {identifier[:80]!r}")
        folder = self._root / identifier
        if identifier == DEFAULT:
            for path in (self._root, folder):
                path.mkdir(mode=self._folder_mode, exist_ok=True)  # not a home: its user may have moved
        if not self._inside(folder):
            raise OSError(f"{folder} is not a folder in the home directory")
        return folder

    def _find(self, uid: str) -> Path | None:
        escaped = uid.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\n", r"\n")
        wanted = {uid.encode("utf-8", "replace"), escaped.encode("utf-8", "replace")}
        for folder in self._folders():
            for path in _objects(folder, _file_name(uid)):
                if _holds(path, wanted):
                    return path
        return None

    def _folders(self) -> list[Path]:
        if self._root is None or not self._root.is_dir():
            return []
        with os.scandir(self._root) as found:
            names = sorted(entry.name for entry in found if _is_name(entry.name))
        return [path for name in names[:_CALENDARS] if self._inside(path := self._root / name)]

    def _inside(self, folder: Path) -> bool:
        """A folder, and not by way of a link out of the home."""
        home = os.path.realpath(self._home)
        return os.path.realpath(folder).startswith(home + os.sep) and folder.is_dir()


def _is_name(identifier: str) -> bool:
    plain = identifier.isprintable() and "/" not in identifier and not identifier.startswith(".")
    return bool(identifier) and plain and len(identifier.encode("utf-8", "replace")) <= _NAME


def _file_name(uid: str) -> str:
    return hashlib.sha256(uid.encode("utf-8", "replace")).hexdigest() + ".ics"


def _objects(folder: Path, first: str) -> Iterator[Path]:
    """The files of a calendar, beginning with the one that is most likely."""
    yield folder / first
    with os.scandir(folder) as found:
        for _, entry in zip(range(_OBJECTS), found, strict=False):
            if entry.name.endswith(".ics") and entry.name[0] != "." and entry.name != first:
                yield folder / entry.name


def _holds(path: Path, wanted: set[bytes]) -> bool:
    """Whether the object in a file has one of these UIDs; what is no file, or too large for one, has none."""
    try:
        content = read_control_file(path)
    except OSError:
        return False
    return content is not None and any(uid.strip() in wanted for uid in _UID.findall(_FOLD.sub(b"", content)))
