"""Messages that Dovecot has numbered and has lost the names of, when its `dovecot-uidlist` was damaged.

It goes by its index, and shows such messages without a text, until something changes in `cur` (found with Dovecot
2.3.19). So `cur` gets a new time, and Dovecot reads it again and numbers them anew. Its own files are left to it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.uidlist import FILE_NAME, uids
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_INDEXES = ("dovecot.index.log", "dovecot.index")


def mend_numbering(work: Work, mailbox: Mailbox, shown: str) -> None:
    """OSError when the folder cannot be read."""
    times = [found for name in (FILE_NAME, *_INDEXES) if (found := _time(mailbox.path / name))]
    cur = mailbox.path / "cur"
    if not any(_time(mailbox.path / name) for name in _INDEXES) or (_time(cur) or 0) >= times[0]:
        return  # nobody has numbered them, or Dovecot will look by itself
    numbered = uids(mailbox.path)
    names = (name for name in os.listdir(cur) if name.partition(":")[0] not in numbered)  # noqa: PTH208 - of very many
    count = sum(1 for name in names if name[0] != "." and _is_file(cur / name))
    if count:
        what = f"{count} messages are missing in it, and Dovecot may show them without a text"
        how = "cur has a new time, and Dovecot numbers them"
        work.mend(shown, "unlisted", mailbox.path / FILE_NAME, what, how, lambda: os.utime(cur))


def _time(path: Path) -> int | None:
    """When it changed last; nanoseconds since 1970."""
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
