"""Folders on another partition than their tree: room for them there, and the links that show them in the tree.

An IMAP server over the same tree knows the links alone. When it deletes such a folder, the messages stay where they
are; when it renames one, they stay under the old name. So whoever makes a folder may find its place taken.

Why what is left there is set aside, and not taken in: somebody has deleted it. It can be brought back for some days, as
what is deleted here. What is shown under another name has the place by right, and the new folder takes one beside it:
the link says where (`Layout.folder`).

Why makers and movers take turns in a tree: a folder that is in place and whose link is not there yet looks like one
that was deleted.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sievemda.errors import TemporaryTrouble
from sievemda.store import aside, maildirsize, quota_state, record
from sievemda.store.files import locked_within, sync_directory
from sievemda.store.maildir import is_folder

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailstore import MailStore

_held: WeakKeyDictionary[ExitStack, list[int]] = WeakKeyDictionary()  # descriptors by who closes them
_PATIENCE = 30.0  # seconds; the owner of a tree may hold its lock for fun


@contextmanager
def alone(*trees: Tree, strict: bool = False) -> Iterator[None]:
    """While nobody else moves folders of these trees, or makes such on other partitions.

    The lock is on the home: that on the Maildir is the one of its quota (see `quota`), for which deliveries wait.
    `strict`: TemporaryTrouble when somebody else does so for long.
    """
    with ExitStack() as opened:
        for place in sorted({tree.root if tree.owner is None else tree.root.parent for tree in trees}):
            with suppress(OSError):  # no tree yet, or a file system without locks
                if not hold(place, opened) and strict:
                    raise TemporaryTrouble(f"{place} is being moved, or held by another program: try again later")
        yield


def hold(place: Path, opened: ExitStack) -> bool:
    """Lock a directory until `opened` is closed; False: somebody else has it for long. OSError, also when it goes.

    One that is locked so already stays so: locks are of descriptors, and a second would wait for the first.
    """
    held = _held.setdefault(opened, [])
    give_up = time.monotonic() + _PATIENCE
    while True:
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, fd)
        if any(os.path.sameopenfile(fd, other) for other in held):
            return True
        if not locked_within(fd, fcntl.LOCK_EX, give_up - time.monotonic()):
            return False
        if os.path.samestat(os.stat(place), os.fstat(fd)):  # noqa: PTH116
            held.append(fd)
            return True


def vacant(store: MailStore, tree: Tree, shown: str, place: Path) -> Path:
    """Where a folder of `tree`, which administrators call `shown`, can be made that belongs at `place`. OSError.

    To be asked for `alone` with the tree.
    """
    if place.parent == tree.root or not lexists(place):
        return place
    if place.resolve() not in {found.path.resolve() for found in store.mailboxes_of(tree.owner, tree.domain)}:
        aside.set_aside(store, shown, store.layout.partition_of(place), [place])
        return place
    beside = (place.with_name(f"{place.name} {number}") for number in itertools.count(2))
    return next(path for path in beside if not lexists(path))


def clear_dangling(store: MailStore, seen: Path) -> None:
    """Remove a link that is left of a folder of another partition, which is there and has it no more."""
    if seen.is_symlink() and not seen.exists():
        target = seen.readlink()
        for partition, root in store.layout.partitions.items():
            if target.is_relative_to(root):
                store.layout.disks.check(partition, root)
                seen.unlink()
                return


def link(seen: Path, place: Path) -> None:
    """Show a folder of another partition in its tree."""
    if place != seen:
        _clear_reserved(seen)
        seen.symlink_to(place)
        sync_directory(seen.parent)


def _clear_reserved(seen: Path) -> None:
    """Remove what a quota root is where no mailbox was. OSError when there is something else in it."""
    if seen.is_symlink() or not seen.is_dir() or is_folder(seen):
        return
    for name in (maildirsize.FILE_NAME, record.FILE_NAME, quota_state.FILE_NAME):
        (seen / name).unlink(missing_ok=True)
    seen.rmdir()
