"""What was deleted and can still be brought back, below `deleted./` of its partition.

    deleted./UNIQUE/entry       JSON: the mailbox's name, when it was deleted, where its parts came from
    deleted./UNIQUE/0, 1 ...    the parts: a folder, or the home of a user and his folders on other partitions

Moving is renaming, so that a deletion is done at once or not at all, and costs nothing however large the mailbox is.
A part on another file system than its partition (see mail_home) is set aside next to where it was.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.directories import make_directory
from sievemda.store.exchange import exchange_paths
from sievemda.store.files import read_control_file, sync_directory, unique_name, write_new
from sievemda.store.layout import DELETED
from sievemda.store.maildir import size_of
from sievemda.store.withdrawn import AREA, END_OF_TIME

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_log = logging.getLogger(__name__)
ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class Aside:
    """One deletion."""

    path: Path  # the directory of the entry
    name: str  # as administrators write it
    deleted: float  # seconds since 1970
    parts: tuple[tuple[str, str], ...]  # where each part is now, where it was
    mailbox: bool = True  # False for what a move left behind
    subscribed: bool = False  # whether its owner was
    to: str = ""  # where the copy is whose original a move left behind

    @property
    def id(self) -> str:
        return self.path.name

    def contents(self) -> tuple[int, int]:
        """Octets and number of the messages in it, of those that can be read."""
        octets = count = 0
        for there, _ in self.parts:
            for directory, names, files in os.walk(there):
                names[:] = [name for name in names if name != AREA]
                if os.path.basename(directory) in ("cur", "new"):  # noqa: PTH119 - of many
                    sizes = [size_of(name, os.path.join(directory, name)) for name in files if name[0] != "."]  # noqa: PTH118
                    octets += sum(size or 0 for size in sizes)
                    count += len(sizes)
        return octets, count


def set_aside(
    store: MailStore,
    name: str,
    partition: str,
    parts: Sequence[Path],
    *,
    link: Path | None = None,
    subscribed: bool = False,
    to: Path | None = None,
    room: Path | None = None,
) -> Aside:
    """Move directories away, the first of them first, and remove the link that showed the first in its tree.

    `to`: they were copied there. Then a disk that is full does not keep them: see `note`. `room`: as `make_room` has
    made it; a link in it comes in the place of the first, at the same moment where the file system can do that: no
    reader finds it missing.
    """
    directory = room or make_room(store, partition)
    shown = (directory / "0").is_symlink()
    moves = []
    for number, part in enumerate(parts):
        same = part.parent.stat().st_dev == directory.stat().st_dev
        aside = directory / str(number) if same else part.parent / f"deleted.{unique_name()}"
        moves.append((str(aside), str(part)))
    found = Aside(directory, name, time.time(), tuple(moves), to is None, subscribed, str(to or ""))
    try:
        note(store, found)
    except OSError as error:
        if to is None or error.errno not in (errno.ENOSPC, errno.EDQUOT):
            shutil.rmtree(directory, ignore_errors=True)
            raise
    for aside_at, was in moves:
        try:
            if not (shown and _swapped(Path(aside_at), Path(was), to)):
                Path(was).rename(aside_at)
        except OSError:
            if (aside_at, was) == moves[0]:  # nothing has gone: somebody was quicker
                shutil.rmtree(directory, ignore_errors=True)
            raise
        sync_directory(Path(was).parent)
    if link is not None:
        link.unlink(missing_ok=True)
    sync_directory(directory)
    return found


def make_room(store: MailStore, partition: str, link: Path | None = None) -> Path:
    """The directory of an entry, so that a full disk cannot keep the first part from going there; `link`: what a link
    that comes in its place shows.

    OSError, and then nothing of it is there.
    """
    base = store.layout.deleted(partition)
    make_directory(store, base)
    directory = base / unique_name()
    directory.mkdir(mode=store.files.folder_mode)
    if link is not None:
        try:
            (directory / "0").symlink_to(link)
        except OSError:
            directory.rmdir()
            raise
    return directory


def _swapped(there: Path, was: Path, to: Path | None) -> bool:
    if not there.is_symlink():
        there.symlink_to(to or was)
    if exchange_paths(there, was):
        return True
    there.unlink()
    return False


def note(store: MailStore, entry: Aside) -> None:
    """Write down what it is, unless that has been done. OSError: the disk may have room when it is emptied."""
    said = {key: getattr(entry, key) for key in ("name", "deleted", "parts", "mailbox", "subscribed", "to")}
    temporary = entry.path / f".{ENTRY}"
    if not (entry.path / ENTRY).exists():
        temporary.unlink(missing_ok=True)
        write_new(temporary, json.dumps(said).encode(), store.files.message_mode)
        temporary.rename(entry.path / ENTRY)


def entries(store: MailStore, since: float = 0.0) -> Iterator[Aside]:
    """All deletions that can still be undone, the oldest first; only those `since` then, seconds since 1970."""
    found = []
    for partition in store.layout.partitions:
        base = store.layout.deleted(partition)
        for path in base.iterdir() if base.is_dir() else ():
            if since and path.name < str(int(since)):  # see unique_name
                continue
            try:
                content = json.loads(read_control_file(path / ENTRY) or b"")
                parts = tuple((_here(path, str(aside)), str(was)) for aside, was in content["parts"])
                name, deleted, mailbox = str(content["name"]), float(content["deleted"]), bool(content["mailbox"])
                more = bool(content.get("subscribed")), str(content.get("to") or "")
                found.append(_sound(store, Aside(path, name, deleted, parts, mailbox, *more)))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                _log.warning("%s is not an entry of a deleted mailbox", path)
    yield from sorted(found, key=lambda entry: entry.deleted)


def _sound(store: MailStore, entry: Aside) -> Aside:
    """ValueError for what we have not written: a part that is no deleted one, a time that no calendar has."""
    for part in (Path(there) for there, _ in entry.parts):
        beside = part.name.startswith(DELETED) and part.name != DELETED and store.layout.really_holds(part)
        if not beside and not (part.parent == entry.path and part.name.isdecimal()):
            raise ValueError(f"{part} is no part of {entry.path}")
    if not 0 <= entry.deleted < END_OF_TIME:
        raise ValueError(f"{entry.deleted} is no time")
    return entry


def _here(entry: Path, part: str) -> str:
    """Where a part is now; the partition may be mounted elsewhere since."""
    there = Path(part)
    return str(entry / there.name) if there.parent.name == entry.name else part


def remove(entry: Aside) -> None:
    """Delete for good."""
    for aside, _ in entry.parts:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(entry.path, ignore_errors=True)


def prune(
    store: MailStore, older_than: float, wanted: Callable[[Aside], bool] = lambda _: True, *, dry: bool = False
) -> int:
    """Delete for good what is wanted of what was deleted more than so many seconds ago; how many that were.

    A `dry` run says how many it would be.
    """
    limit = time.time() - older_than
    old = [entry for entry in entries(store) if entry.deleted <= limit and not entry.to and wanted(entry)]
    if dry:
        return len(old)
    for entry in old:
        remove(entry)
    for partition in store.layout.partitions:
        base = store.layout.deleted(partition)
        for path in base.iterdir() if base.is_dir() else ():
            with suppress(OSError):  # it is not empty; that is no deletion that was hardly begun
                if path.stat().st_mtime <= limit:
                    _clear(path)
    return len(old)


def _clear(path: Path) -> None:
    """What was hardly begun when somebody crashed: nothing is there but what he would have needed."""
    if not (path / ENTRY).exists():
        for found in path.iterdir():
            if found.name == f".{ENTRY}" or found.is_symlink():
                found.unlink()
    path.rmdir()
