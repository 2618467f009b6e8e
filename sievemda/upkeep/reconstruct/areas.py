"""What belongs to the store as a whole: moves that were cut short, what deliveries left, what lies around.

Journeys are finished first, so that a folder that was on its way is in its place before it is looked for.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sievemda.errors import SievemdaError
from sievemda.store import aside, leftovers
from sievemda.store.accounts import UNFINISHED
from sievemda.store.files import is_directory
from sievemda.store.layout import MOVING
from sievemda.store.maildir import is_folder
from sievemda.store.names import MailboxName
from sievemda.store.orphans import Orphan, orphans
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.locks import mend_locks
from sievemda.upkeep.reconstruct.strays import is_abandoned, is_of_the_dead

_DAY = 86400.0
_NOTE = f".{aside.ENTRY}"  # before it is put in place
_ADVICE = {
    "home": "make the mailbox, or move it away",
    "folder": "rename it, or run reconstruct -f",
    "no-cur": "make the mailbox, or remove it",
    "link": "remove it, or put back what it led to",
    "unlinked": "an IMAP server deleted its link; reconstruct -f brings it back",
    "hidden": "look what is in it: no reader does",
    "deleted": "look what is in it",
    "staged": "serve removes it in its time",
}


def finish_moves(work: Work) -> None:
    """What somebody has begun who crashed is brought to its end."""
    pending = list(_pending(work))
    if pending and not work.options.dry_run:
        _free_locks(work)
        work.store.recover()
    for path in pending:
        what = "renaming or moving was cut short"
        if not work.options.dry_run and os.path.lexists(path):
            work.leave("", "move", path, what, "it cannot be finished: see what was said, and run this again")
        else:
            work.mend("", "move", path, what, "brought to its end", lambda: None)
    if not work.options.dry_run:
        try:
            leftovers.follow(work.store)
        except (OSError, SievemdaError) as error:
            work.failed("", "move", Path(), "what a move left cannot follow", error)


def _free_locks(work: Work) -> None:
    """The dead may have left locks for which whoever finishes their work would wait."""
    layout = work.store.layout
    trees = [
        layout.tree(user, partition, home) for user in set(layout.users()) for partition, home in layout.homes(user)
    ]
    for tree in [*trees, *(tree for domain in layout.domains() for tree in layout.shared(domain))]:
        shown = work.store.namespace.format_admin(MailboxName(tree.owner)) if tree.owner else tree.domain
        folders = [found[0] for path in tree.folders() if path and (found := layout.folder(tree, path))]
        for folder in [tree.root, *folders]:
            with suppress(OSError):
                mend_locks(work, shown, folder, tree)


def _pending(work: Work) -> Iterator[Path]:
    """Notes of moves that nobody is at."""
    layout = work.store.layout
    for partition in layout.partitions:
        base = layout.partition(partition) / MOVING
        for path in sorted(base.iterdir()) if is_directory(base) else ():
            if not path.name.startswith(".") and _is_free(path):
                yield path


def _is_free(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def clear_stages(work: Work) -> None:
    """Messages whose delivery never came to its end, accounts that were never put in place, empty deletions."""
    layout = work.store.layout
    for partition in layout.partitions:
        stage = layout.stage(partition)
        for path in sorted(stage.iterdir()) if is_directory(stage) else ():
            found = path.lstat()
            if path.is_file() and not path.is_symlink() and found.st_mtime < time.time() - _DAY:
                what = "a delivery was never finished"
                if is_abandoned(path.name, found) or found.st_ctime < time.time() - _DAY:
                    work.mend("", "unfinished", path, what, "removed", path.unlink)
        _deletions(work, partition)
    for directory in sorted({home.parent for user in layout.users() for _, home in layout.homes(user)}):
        for path in sorted(directory.glob(f"{UNFINISHED}*")) if is_directory(directory) else ():
            if is_of_the_dead(path.name.removeprefix(UNFINISHED)) and not path.is_symlink():
                what = "an account was never put in place"
                work.mend("", "unfinished", path, what, "removed", _removing(path))


def _removing(path: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(path)


def _deletions(work: Work, partition: str) -> None:
    """What says that something was deleted, and has nothing of it; and what has it, and does not say so."""
    base = work.store.layout.deleted(partition)
    known = {entry.path: entry for entry in aside.entries(work.store)}
    for path in sorted(base.iterdir()) if is_directory(base) else ():
        if not is_directory(path):
            continue
        names = set(os.listdir(path))  # noqa: PTH208
        entry = known.get(path)
        if entry is not None:
            if entry.mailbox and not any(os.path.lexists(part) for part, _ in entry.parts):
                what = f"{entry.name} was deleted, and is not here any more"
                work.mend("", "deleted", path, what, "forgotten", _removing(path))
        elif names <= {_NOTE} and _is_cut_short(path):
            work.mend("", "deleted", path, "a deletion was cut short before it began", "forgotten", _removing(path))
        elif _NOTE in names and aside.ENTRY not in names and _is_cut_short(path):
            what = "a deletion was cut short, and cannot be undone without its note"
            work.mend("", "deleted", path, what, "its note put in place", _renaming(path / _NOTE, path / aside.ENTRY))


def _is_cut_short(path: Path) -> bool:
    return is_of_the_dead(path.name) or path.lstat().st_mtime < time.time() - _DAY


def _renaming(source: Path, target: Path) -> Callable[[], None]:
    def rename() -> None:
        source.rename(target)

    return rename


def tell_orphans(work: Work) -> None:
    """What belongs to no mailbox, and nobody but a person can say what it is."""

    def unreadable(error: OSError) -> None:
        work.failed("", "unreadable", Path(str(error.filename or "")), "it cannot be looked at", error)

    for found in orphans(work.store, unreadable):
        if found.path in work.coming:
            continue
        if _is_usual(work, found):
            work.note("", found.kind, found.path, found.why)
        else:
            work.leave("", found.kind, found.path, found.why, _ADVICE.get(found.kind, "look what is in it"))


def _is_usual(work: Work, found: Orphan) -> bool:
    """Whether it goes in its time, or does no harm."""
    if found.kind == "staged":
        return not (found.path.is_dir() and is_folder(found.path))
    if found.kind == "deleted":
        empty = is_directory(found.path) and set(os.listdir(found.path)) <= {_NOTE, aside.ENTRY}  # noqa: PTH208
        left = [entry for entry in aside.entries(work.store) if not entry.mailbox and entry.path == found.path]
        return empty or any(entry.contents()[1] == 0 for entry in left)  # else its messages could not follow
    return found.kind == "parent"
