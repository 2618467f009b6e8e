"""Lock files that nobody holds any more (`dovecot-acl.lock` and the like), so that a repair has not to wait for them.

One that names a process that is no more is forsaken; so is any, Dovecot's too, after two minutes. In between there are
those that were about to become the new file when their process died: they have its content, and name nobody. Whoever
holds a lock has it open: such a one goes when no process has, after a moment in which it might be renamed.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store import lost
from sievemda.store.files import STALE_LOCK, is_directory, is_forsaken
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.layout import Tree

_MOMENT = 2.0  # seconds
_SUFFIX = ".lock"


def mend_locks(work: Work, shown: str, folder: Path, tree: Tree) -> None:
    """Those of a folder of the tree, which no link may lead to. OSError when it cannot be read."""
    if not is_directory(folder):
        return
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        if name.endswith(_SUFFIX) and len(name) > len(_SUFFIX):
            path = folder / name
            with suppress(FileNotFoundError):
                found = path.lstat()
                if not stat.S_ISREG(found.st_mode):
                    what = "it locks everybody out, and is no lock"
                    work.mend(shown, "lock", path, what, f"taken away, to {lost.AREA}", _taking(tree, path))
                elif _is_forgotten(path, found):
                    work.mend(shown, "lock", path, "nobody holds it any more", "removed", path.unlink)


def _taking(tree: Tree, path: Path) -> Callable[[], str]:
    return lambda: f"it is {lost.take(tree, path)} now"


def _is_forgotten(path: Path, found: os.stat_result) -> bool:
    age = time.time() - found.st_mtime
    if age > STALE_LOCK or is_forsaken(path):
        return True
    if _names_somebody(path) or found.st_uid != os.geteuid() or _is_open(found):
        return False
    time.sleep(max(0.0, _MOMENT - age))
    now = path.lstat()
    return os.path.samestat(now, found) and now.st_mtime_ns == found.st_mtime_ns and not _is_open(now)


def _names_somebody(path: Path) -> bool:
    """Whether a process of this host or another one stands in it."""
    with path.open("rb") as file:
        pid, colon, host = file.read(300).partition(b":")
    return bool(colon) and pid.isdigit() and b"\n" not in host


def _is_open(found: os.stat_result) -> bool:
    """Whether any process has the file open that we may look at: all of our own user's."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                for fd in (process / "fd").iterdir():
                    with suppress(OSError):
                        if os.path.samestat(fd.stat(), found):
                            return True
    return False
