"""What lies below the partitions and belongs to no mailbox: what was left over, put there by hand, or damaged.

Nothing is removed here: what is an orphan to us may be somebody's only copy of his mail. Each comes with what it is and
why nobody sees it.

    home          a home without an INBOX, or one whose name no user can have
    folder        a directory with messages whose name no mailbox can have
    no-cur        a directory in a tree that looks like a folder and has no `cur`
    parent        a folder above which one is missing (mail clients show it, below a name that cannot be opened)
    link          a link in a tree that leads nowhere, or not to the folder's place on another partition
    unlinked      a folder on another partition to which no link leads
    hidden        a second home of a user, behind the one that counts
    deleted       what is left of a deletion that cannot be brought back
    staged        what a delivery left behind that crashed more than a day ago, and accounts that are not in place
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.accounts import UNFINISHED
from sievemda.store.aside import entries
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.maildir import is_folder
from sievemda.store.spelling import from_disk

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_STALE = 86400  # seconds


@dataclass(frozen=True, slots=True)
class Orphan:
    kind: str
    path: Path
    why: str


def orphans(store: MailStore, unreadable: Callable[[OSError], None]) -> Iterator[Orphan]:
    """Everything that belongs to nobody; a directory that cannot be read is told and passed over."""
    sources = [_homes(store), _shared(store), _deleted(store), _staged(store)]
    for source in sources:
        try:
            yield from source
        except OSError as error:
            unreadable(error)


def _homes(store: MailStore) -> Iterator[Orphan]:
    users = sorted(set(store.layout.users()))
    yield from _misnamed(store, set(users))
    for userid in users:
        tree = store.user_tree(userid)
        homes = [(partition, home) for partition, home in store.layout.homes(userid) if os.path.lexists(home)]
        for partition, home in homes:
            if tree is None:
                yield Orphan("home", home, f"it has no INBOX: there is no {MAILDIR}/cur in it that can be used")
            elif store.layout.inside(home / MAILDIR) != tree.root:
                yield from _other_home(store, tree, partition, home)
        if tree is not None:
            yield from _in_tree(store, tree)


def _misnamed(store: MailStore, users: set[str]) -> Iterator[Orphan]:
    """Directories beside the homes of users whose names are no names of users."""
    if store.settings.store.mail_home:
        return  # what lies beside such homes is not ours
    known = {home for userid in users for _, home in store.layout.homes(userid)}
    for directory in sorted({home.parent for home in known}):
        for path in _directories(directory):
            if path.name.startswith(UNFINISHED):
                yield Orphan("staged", path, "an account that is being made, or whose making was interrupted")
            elif path not in known:
                yield Orphan("home", path, "no user can have that name")


def _other_home(store: MailStore, tree: Tree, partition: str, home: Path) -> Iterator[Orphan]:
    """A home on another partition has the folders that lie there, and no INBOX."""
    root = home / MAILDIR
    if is_folder(root):
        yield Orphan("hidden", root, f"the INBOX of {tree.owner} is {tree.root}")
    yield from _unlinked(store, tree, partition, root)


def _unlinked(store: MailStore, tree: Tree, partition: str, root: Path) -> Iterator[Orphan]:
    """Folders on another partition that their tree does not show, under whatever name."""
    if partition == tree.partition:
        return
    shown = {found.path.resolve() for found in store.mailboxes_of(tree.owner, tree.domain)}
    for place in _directories(root):
        if place.name[0] != ".":
            continue
        path = from_disk(place.name)
        if path is None:
            yield Orphan("folder", place, "no mailbox can have that name")
        elif place.resolve() not in shown:
            yield Orphan("unlinked", place, f"no link leads to it from {tree.folder(path)}")


def _shared(store: MailStore) -> Iterator[Orphan]:
    for domain in store.layout.domains():
        first, *others = store.layout.shared(domain)
        yield from _in_tree(store, first)
        for tree in others:
            yield from _unlinked(store, first, tree.partition, tree.root)


def _in_tree(store: MailStore, tree: Tree) -> Iterator[Orphan]:
    for path in _entries(tree.root):
        if path.name[0] != ".":
            continue
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            yield from _entry(store, tree, path, link=stat.S_ISLNK(mode))


def _entry(store: MailStore, tree: Tree, path: Path, *, link: bool) -> Iterator[Orphan]:
    name = from_disk(path.name)
    if name is None:
        if is_folder(path):
            yield Orphan("folder", path, "no mailbox can have that name")
    elif store.layout.folder(tree, name) is None:
        if link:
            yield Orphan("link", path, "it leads nowhere, or not to the place of the folder on another partition")
    elif not is_folder(path):
        yield Orphan("no-cur", path, "it is no Maildir: there is no cur in it")
    else:
        above = tree.folder(name[:-1])
        if len(name) > 1 and not is_folder(above):
            yield Orphan("parent", path, f"the folder above it is missing: {above}")


def _deleted(store: MailStore) -> Iterator[Orphan]:
    known = {entry.path: entry for entry in entries(store)}
    for partition in store.layout.partitions:
        for path in _directories(store.layout.deleted(partition)):
            entry = known.get(path)
            if entry is None:
                yield Orphan("deleted", path, "what it was cannot be read any more")
            elif not entry.mailbox:
                yield Orphan("deleted", path, f"a move between file systems left it: {entry.name}")
            elif missing := [part for part, _ in entry.parts if not os.path.lexists(part)]:
                yield Orphan("deleted", path, f"{entry.name} is not whole any more: {missing[0]} is missing")


def _staged(store: MailStore) -> Iterator[Orphan]:
    limit = time.time() - _STALE
    for partition in store.layout.partitions:
        for path in _entries(store.layout.stage(partition)):
            if path.lstat().st_mtime <= limit:
                yield Orphan("staged", path, "a delivery left it behind more than a day ago")


def _entries(directory: Path) -> Iterator[Path]:
    """What is in a directory, sorted; nothing when it is missing."""
    try:
        with os.scandir(directory) as found:
            names = sorted(entry.name for entry in found)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (directory / name for name in names)


def _directories(directory: Path) -> Iterator[Path]:
    return (path for path in _entries(directory) if path.is_dir())
