"""Removing for good what nobody can want any more: what was deleted or withdrawn long ago, and what crashes have left.

Each part says how many it removed; a dry run says how many it would.
"""

from __future__ import annotations

import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError
from sievemda.store import aside, leftovers, withdrawn
from sievemda.store.creation import MOVED

if TYPE_CHECKING:
    from sievemda.store.aside import Aside
    from sievemda.store.mailstore import MailStore

DAY = 86400.0
_WEEK = 7 * DAY


def clean_stage(store: MailStore, older_than: float, *, dry: bool = False) -> int:
    """Remove what deliveries that crashed more than so many seconds ago have left; how many files that were.

    What was begun to be made of a mailbox, or copied of one, stays a week: a copy may take its time. A folder that was
    on its way stays for good: the messages are nowhere else.
    """
    limit, count = time.time() - older_than, 0
    for partition in store.layout.partitions:
        with suppress(FileNotFoundError):
            for path in store.layout.stage(partition).iterdir():
                with suppress(OSError):
                    count += _clean(path, limit, dry=dry)
    return count


def _clean(path: Path, limit: float, *, dry: bool) -> bool:
    """Whether it was a file that is too old."""
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        if found.st_ctime <= limit - _WEEK and not dry and not path.name.startswith(MOVED):  # copies get old times
            shutil.rmtree(path, ignore_errors=True)
        return False
    written = found.st_mtime
    if written <= limit and not dry:
        path.unlink()
    return written <= limit


def forget_deleted(store: MailStore, *, dry: bool = False) -> dict[str, int]:
    """Delete for good what was deleted or withdrawn longer ago than the settings say, by what it was.

    The keys are "deleted" for mailboxes, "leftovers" for what moves have left, "withdrawn" for messages.
    """
    options = store.settings.store
    kept = options.delete_days * DAY if options.delete_mode == "delayed" else 0
    days = options.discard_days if options.withholds else 0
    if not dry:
        leftovers.follow(store)
    return {
        "deleted": aside.prune(store, kept, dry=dry),
        "leftovers": _leftovers(store, kept) if dry else leftovers.forget(store, kept),
        "withdrawn": forget_withdrawn(store, days * DAY, options.discard_size, dry=dry),
    }


def _leftovers(store: MailStore, kept: float) -> int:
    """What would be removed of what moves have left, as things are now."""
    limit = time.time() - kept
    return sum(entry.deleted <= limit or not entry.contents()[1] for entry in aside.entries(store) if entry.to)


def forget_withdrawn(store: MailStore, older_than: float, size: int, *, dry: bool = False) -> int:
    """Of every user, and of the shared folders: see `withdrawn.prune`."""
    return sum(withdrawn.prune(tree, older_than, size, dry=dry) for tree in withdrawn.trees(store))


def is_user(store: MailStore, entry: Aside) -> bool:
    """Whether it is a user who was deleted, and not a folder."""
    try:
        return store.namespace.parse_admin(entry.name).is_inbox
    except DataError:  # of a domain that there was, say
        return False
