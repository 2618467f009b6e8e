"""Who may read and write a file or a directory of the store: its owner must, and that is whom the directory belongs to.

Nothing is given to root: that a directory is root's says that somebody made it by hand, not whose the mail is.

Why a file of several folders keeps its owner: with one copy for all that get a message there is one owner for all.

Why it is opened first: its user may put a link in its place at any moment, and root must change nothing elsewhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from sievemda.upkeep.reconstruct.findings import Work

_FILE, _DIRECTORY = 0o600, 0o700
_OPEN = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def mend_access(work: Work, shown: str, path: Path, found: os.stat_result, parent: os.stat_result) -> None:
    """A regular file or directory gets the rights that its owner needs, and as root the owner of what it lies in."""
    directory = stat.S_ISDIR(found.st_mode)
    needed = _DIRECTORY if directory else _FILE
    mode = stat.S_IMODE(found.st_mode)
    if mode & needed != needed:
        options = work.store.settings.store
        new = mode | needed | (options.folder_mode if directory else options.message_mode)
        what = f"its owner may not {'use' if directory else 'read and write'} it: mode {mode:04o}"
        work.mend(
            shown, "mode", path, what, f"mode {new:04o} now", lambda: _same(path, found, lambda at: Path(at).chmod(new))
        )
    uid, gid = parent.st_uid, parent.st_gid
    if os.geteuid() == 0 and uid not in (0, found.st_uid) and (directory or found.st_nlink == 1):
        what = f"it belongs to {found.st_uid}:{found.st_gid}, and what it lies in to {uid}:{gid}"
        how = f"given to {uid}:{gid}"
        work.mend(
            shown, "owner", path, what, how, lambda: _same(path, found, lambda at: os.chown(at, uid, gid), single=True)
        )


def _same(path: Path, found: os.stat_result, change: Callable[[str], None], *, single: bool = False) -> None:
    """Change what was found, and nothing that somebody has put in its place."""
    fd = os.open(path, _OPEN)
    try:
        now = os.fstat(fd)
        if not os.path.samestat(now, found) or (single and stat.S_ISREG(now.st_mode) and now.st_nlink != 1):
            raise FileNotFoundError(f"{path} is another one now")
        change(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
