"""A Maildir, or a tree of them, as folders: Maildir++ (`.Lists.Sub`) or directories in directories.

The source is not touched. Flags are those of the file names, keywords those of `dovecot-keywords` or Courier's, the
date of arrival is that of the file; the order is that of Dovecot's UIDs where it has given any. Links are not followed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sievemda.errors import DataError
from sievemda.mail.carried import Carried
from sievemda.mail.flags import SYSTEM
from sievemda.store import subscriptions
from sievemda.store.files import is_directory
from sievemda.store.keywords import Keywords
from sievemda.store.maildir import SYSTEM_FLAGS
from sievemda.store.messages import unique_part
from sievemda.store.spelling import decode_utf7, from_disk
from sievemda.store.staging import read_blocks
from sievemda.store.uidlist import uids
from sievemda.upkeep.importing.courier import keywords_of
from sievemda.upkeep.importing.source import Contents, SourceFolder

_LETTERS = {letter: SYSTEM[flag] for flag, letter in SYSTEM_FLAGS.items()}
_LAST = 1 << 40  # greater than any UID
_COURIER = "courierimapsubscribed"


def maildirs(source: str) -> Contents:
    """The folders of a Maildir or a tree of them. DataError, OSError."""
    root = Path(source)
    if not root.is_dir():
        raise DataError(f"{source} is no directory" if root.exists() else f"{source}: {os.strerror(errno.ENOENT)}")
    found = Contents()
    _walk(root, (), found, _subscribed(root))
    return found


def _walk(directory: Path, below: tuple[str, ...], found: Contents, subscribed: set[str] | None) -> None:
    if is_directory(directory / "cur"):
        known = None if subscribed is None else subscriptions.line_of(below) in subscribed
        opened = partial(_open, directory)
        found.folders.append(SourceFolder(str(directory), opened, below, subscribed=known if below else None))
    for entry in found.entries(directory, len(below)):
        if entry.name in ("cur", "new", "tmp") or not entry.is_dir(follow_symlinks=False):
            if entry.is_symlink() and os.path.isdir(f"{entry.path}/cur"):  # noqa: PTH112 - an entry
                found.passed_over.append(f"{entry.path} is a link: passed over")
            continue
        path = _path(entry.name)
        if is_directory(f"{entry.path}/cur") or not entry.name.startswith("."):
            _walk(Path(entry.path), (*below, *path), found, subscribed)


def _path(name: str) -> tuple[str, ...]:
    """The folder that a directory stands for; as it is called when that is no name of the kind."""
    if not name.startswith("."):
        return (decode_utf7(name) or name,)
    return from_disk(name) or tuple(decode_utf7(part) or part for part in name[1:].split(".") if part) or (name,)


def _subscribed(root: Path) -> set[str] | None:
    """The lines of subscriptions, levels separated by tabs; None when the source does not say."""
    if (root / subscriptions.FILE_NAME).is_file():
        return {line.replace(".", "\t") for line in subscriptions.subscribed(root)}
    try:
        lines = (root / _COURIER).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    return {line.removeprefix("INBOX.").replace(".", "\t") for line in lines}


@contextmanager
def _open(directory: Path) -> Iterator[MaildirReading]:
    yield MaildirReading(directory)


class MaildirReading:
    """The messages of one folder, in their order."""

    def __init__(self, directory: Path) -> None:
        self.problem = ""
        self.position = 0
        self._directory = directory
        self._keywords = Keywords(0o600)
        self._couriers = keywords_of(directory)

    def __iter__(self) -> Iterator[Carried]:
        known = uids(self._directory)
        found: dict[str, tuple[str, str]] = {}
        for part in ("new", "cur"):  # one that a reader moves meanwhile counts where it goes
            if is_directory(self._directory / part):
                with os.scandir(self._directory / part) as entries:
                    found |= {unique_part(entry.name): (part, entry.name) for entry in entries if entry.name[0] != "."}
        rows = [(known.get(name.partition(":")[0], _LAST), name, part) for part, name in found.values()]
        found.clear()
        for _, name, part in sorted(rows):
            carried = self._carried(part, name)
            if carried is not None:
                yield carried

    def _carried(self, part: str, name: str) -> Carried | None:
        try:
            place, status = self._located(part, name)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            return None  # removed by a reader
        self.position += status.st_size
        letters = place.name.partition(":2,")[2]
        flags = tuple(_LETTERS[letter] for letter in letters if letter in _LETTERS)
        flags += self._keywords.names(self._directory, letters) + self._couriers.get(name.partition(":")[0], ())
        content = partial(read_blocks, place)
        return Carried(content, flags, status.st_mtime, place.parent.name == "new" and not flags, str(place))

    def _located(self, part: str, name: str) -> tuple[Path, os.stat_result]:
        """The file, wherever a reader has moved it. FileNotFoundError."""
        place = self._directory / part / name
        try:
            return place, place.lstat()
        except FileNotFoundError:
            unique = unique_part(name)
            for other in ("cur", "new"):
                for entry in os.scandir(self._directory / other):
                    if unique_part(entry.name) == unique:
                        return Path(entry.path), entry.stat(follow_symlinks=False)
            raise
