"""What was deleted and can still be brought back, below `deleted./` of its partition.

    deleted./UNIQUE/entry       JSON: the mailbox's name, when it was deleted, where its parts came from
    deleted./UNIQUE/0, 1 ...    the parts: a folder, or the home of a user and his folders on other partitions

Moving is renaming, so that a deletion is done at once or not at all, and costs nothing however large the mailbox is.
A part on another file system than its partition (see mail_home) is set aside next to where it was.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, NotFound, StoreTrouble
from sievemda.store.creation import make_directory
from sievemda.store.files import read_control_file, sync_directory, unique_name, write_new

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
    link: tuple[str, str] | None = None  # a symbolic link that showed the folder in its tree, and where it led


def set_aside(
    store: MailStore,
    name: str,
    partition: str,
    parts: Sequence[Path],
    *,
    link: tuple[Path, Path] | None = None,
    mailbox: bool = True,
) -> Aside:
    """Move directories away, the first of them first; what is missing is passed over."""
    base = store.layout.deleted(partition)
    make_directory(store, base)
    directory = base / unique_name()
    directory.mkdir(mode=store.files.folder_mode)
    moves = []
    for number, part in enumerate(parts):
        same = part.parent.stat().st_dev == directory.stat().st_dev
        aside = directory / str(number) if same else part.parent / f"deleted.{unique_name()}"
        moves.append((str(aside), str(part)))
    shown = link and (str(link[0]), str(link[1]))
    entry = {"name": name, "deleted": time.time(), "parts": moves, "link": shown, "mailbox": mailbox}
    write_new(directory / ENTRY, json.dumps(entry).encode(), store.files.message_mode)
    for aside_at, was in moves:
        Path(was).rename(aside_at)
        sync_directory(Path(was).parent)
    if link is not None:
        link[0].unlink(missing_ok=True)
    sync_directory(directory)
    return Aside(directory, name, time.time(), tuple(moves), mailbox, shown)


def entries(store: MailStore) -> Iterator[Aside]:
    """All deletions that can still be undone, the oldest first."""
    found = []
    for partition in store.layout.partitions:
        base = store.layout.deleted(partition)
        for path in base.iterdir() if base.is_dir() else ():
            try:
                content = json.loads(read_control_file(path / ENTRY) or b"")
                parts = tuple((str(aside), str(was)) for aside, was in content["parts"])
                link = content["link"] and (str(content["link"][0]), str(content["link"][1]))
                name, deleted, mailbox = str(content["name"]), float(content["deleted"]), bool(content["mailbox"])
                found.append(Aside(path, name, deleted, parts, mailbox, link))
            except (OSError, ValueError, KeyError, TypeError):
                _log.warning("%s is not an entry of a deleted mailbox", path)
    yield from sorted(found, key=lambda entry: entry.deleted)


def bring_back(store: MailStore, name: str) -> None:
    """Undo the latest deletion of a mailbox. NotFound when there is none, AlreadyExists when its place is taken."""
    mine = [entry for entry in entries(store) if entry.mailbox and entry.name == name]
    if not mine:
        raise NotFound(f"no deleted mailbox {name}")
    entry = mine[-1]
    parts = [(Path(aside), Path(was)) for aside, was in entry.parts if Path(aside).exists()]
    if any(was.exists() for _, was in parts):
        raise AlreadyExists(f"{name} is there; what was deleted stays in {entry.path}")
    try:
        for aside, was in reversed(parts):
            make_directory(store, was.parent)
            aside.rename(was)
            sync_directory(was.parent)
        if entry.link:
            Path(entry.link[0]).symlink_to(entry.link[1])
    except OSError as error:
        raise StoreTrouble(f"{name} cannot be brought back: {error}") from error
    remove(entry)


def remove(entry: Aside) -> None:
    """Delete for good."""
    for aside, _ in entry.parts:
        shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(entry.path, ignore_errors=True)


def prune(store: MailStore, older_than: float) -> int:
    """Delete for good what was set aside more than so many seconds ago; how many that were."""
    limit = time.time() - older_than
    old = [entry for entry in entries(store) if entry.deleted <= limit]
    for entry in old:
        remove(entry)
    return len(old)
