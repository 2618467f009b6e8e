"""Copies of files and directories on another file system, with times, modes and owners, durably.

Why `new` is copied last: a message that a reader takes from `new` to `cur` meanwhile is missed here, where it would
else be copied twice; whoever copies folders looks again (see `leftovers`). So a file that has gone when it was its turn
is no error.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from sievemda.store.copied import DONE, LIST, MARK
from sievemda.store.files import sync_directory, sync_file
from sievemda.store.staging import read_blocks


def copy_directory(source: Path, target: Path) -> None:
    """OSError at the first file that cannot be copied. What is no file, directory or link stays behind, as a pipe."""
    target.mkdir(mode=0o700)
    with os.scandir(source) as found:
        names = sorted((entry.name for entry in found), key=lambda name: (name == "new", name))
    names = [name for name in names if name not in (LIST, DONE, MARK)]  # an older move's
    if "cur" in names:  # locks of mail folders: nobody would remove the copies
        names = [name for name in names if not name.endswith(".lock")]
    for name in names:
        try:
            copy_entry(source / name, target / name)
        except FileNotFoundError:
            if os.path.lexists(source / name):
                raise
    shutil.copystat(source, target)
    give(source, target)
    sync_directory(target)


def copy_entry(source: Path, target: Path) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISDIR(mode):
        copy_directory(source, target)
    elif stat.S_ISLNK(mode):
        target.symlink_to(source.readlink())
        give(source, target)
    elif stat.S_ISREG(mode):
        copy_file(source, target)


def copy_file(source: Path, target: Path) -> None:
    """A new file like a regular one. OSError names the source, and nothing of the file is there.

    It has the time that the source had before it was read: what is written to that meanwhile makes it younger.
    """
    try:
        written = source.lstat()
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
                file.writelines(read_blocks(source))
                file.flush()
                shutil.copystat(source, target, follow_symlinks=False)
                os.utime(fd, ns=(written.st_atime_ns, written.st_mtime_ns))
                give(source, target)
                sync_file(fd)
        except BaseException:
            with suppress(OSError):
                target.unlink()
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(source)) from error


def give(source: Path, target: Path) -> None:
    """What belonged to a user still does."""
    if os.geteuid() == 0:
        found = source.lstat()
        os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
