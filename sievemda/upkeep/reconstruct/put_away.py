"""Messages in `withdrawn.` of which nobody can read any more where they were: they come back, to the INBOX if need be.

A message whose entry is damaged is shown to nobody, so that nobody would ever ask for it. One without an entry is of
somebody who died before he wrote it, or the entry has been removed: better a copy too many than one too few.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError
from sievemda.store import withdrawn
from sievemda.store.files import open_directory, read_control_file
from sievemda.store.names import MailboxName
from sievemda.upkeep.reconstruct.content import is_whole
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.strays import is_of_the_dead

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailbox import Mailbox

_ENTRY = ".entry"
_DAY = 86400.0
_MAILBOX = re.compile(r'"mailbox": ("(?:[^"\\]|\\.)*")')
_FLAGS = re.compile(r'"flags": (\[[^\]]*\])')


def bring_back(work: Work, tree: Tree) -> None:
    """OSError when the directory cannot be read."""
    place = withdrawn.area(tree)
    try:
        directory = open_directory(place)
    except FileNotFoundError:
        return
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - a descriptor
        for name in sorted(names):
            if not name.endswith(_ENTRY) and _is_forgotten(directory, name, names, place):
                _message(work, tree, directory, place / name)
    finally:
        os.close(directory)


def _is_forgotten(directory: int, name: str, names: set[str], place: Path) -> bool:
    """Whether it is a message, and nobody knows where it was."""
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode) or name.startswith("."):
        return False
    if name + _ENTRY in names:
        return withdrawn.read_entry(directory, name) is None
    return (is_of_the_dead(name) or found.st_ctime < time.time() - _DAY) and is_whole(place / name)


def _message(work: Work, tree: Tree, directory: int, path: Path) -> None:
    said = ""
    with suppress(OSError):
        said = (read_control_file(path.name + _ENTRY, dir_fd=directory) or b"").decode("utf-8", "replace")
    what = "nobody can read where this message was"
    target = _target(work, tree, said)
    if target is None:
        shown = work.store.namespace.format_admin(MailboxName(tree.owner)) if tree.owner else tree.domain
        work.leave(shown, "withdrawn", path, what, "put it into the folder where it belongs")
        return
    shown = work.store.namespace.format_admin(target.name)
    entry = withdrawn.Withdrawn(path.name, shown, "damaged", time.time(), flags=_flags(said))
    work.mend(shown, "withdrawn", path, what, f"brought back into {shown}", _restoring(work, tree, entry, target))
    if work.options.dry_run:
        work.expect(target.quota_root(), path.lstat().st_size, 1)


def _restoring(work: Work, tree: Tree, entry: withdrawn.Withdrawn, target: Mailbox) -> Callable[[], None]:
    def restore() -> None:
        withdrawn.restore(work.store, tree, entry, target)

    return restore


def _target(work: Work, tree: Tree, said: str) -> Mailbox | None:
    """The folder that what is left of an entry tells, when it is one of the tree, else the INBOX."""
    with suppress(DataError):
        if found := _MAILBOX.search(said):
            name = work.store.namespace.parse_admin(str(json.loads(found[1], strict=False)))
            mailbox = work.store.find(name) if (name.owner, name.domain) == (tree.owner, tree.domain) else None
            if mailbox is not None:
                return mailbox
    return work.store.find(MailboxName(tree.owner)) if tree.owner is not None else None


def _flags(said: str) -> tuple[str, ...]:
    with suppress(ValueError):
        if found := _FLAGS.search(said):
            return tuple(str(flag) for flag in json.loads(found[1]))
    return ()
