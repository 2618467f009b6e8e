"""One Maildir folder: its directories, the names of its messages, what they amount to.

A message is `UNIQUE,S=SIZE,W=VSIZE` in `new/`, and has `:2,FLAGS` behind it in `cur/`. SIZE is the file in octets,
VSIZE what it is with CRLF line ends; both save readers a look into the file.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from sievemda.store.files import is_directory
from sievemda.store.pinned import open_pinned

PARTS = ("cur", "new", "tmp")
_SIZE = re.compile(r",S=(\d+)(?=[,:]|$)")
SYSTEM_FLAGS = {"\\draft": "D", "\\flagged": "F", "\\answered": "R", "\\seen": "S", "\\deleted": "T"}


def is_folder(path: Path) -> bool:
    """A folder is a directory with a directory `cur` in it. OSError when that cannot be told."""
    return is_directory(f"{path}/cur", through_link=True)


def is_at(directory: int, path: str) -> bool:
    """Whether an open directory is still the one at a path."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(directory))  # noqa: PTH116
    except OSError:
        return False


def make_parts(folder: Path | int, mode: int) -> None:
    """Make what is missing of cur, new and tmp, in a directory that may be open."""
    if not isinstance(folder, int):
        directory = open_pinned(str(folder))
        try:
            make_parts(directory, mode)
        finally:
            os.close(directory)
        return
    for part in PARTS:
        try:
            os.mkdir(part, mode, dir_fd=folder)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(part, dir_fd=folder).st_mode):
                raise


def message_name(unique: str, size: int, vsize: int, letters: str) -> tuple[str, str]:
    """The directory and the name of a message: in `new` when it has no flags, else in `cur`."""
    name = f"{unique},S={size},W={vsize}"
    return ("cur", f"{name}:2,{letters}") if letters else ("new", name)


def size_of(name: str, path: str) -> int | None:
    """Octets of a message: from its name, else from the file; None when it is gone."""
    if match := _SIZE.search(name):
        return int(match[1])
    try:
        return os.stat(path, follow_symlinks=False).st_size  # noqa: PTH116
    except FileNotFoundError:
        return None


def show_removal(cur: Path | int) -> None:
    """Have Dovecot see that messages have gone out of `new`, where the `cur` beside it is a path or a descriptor.

    It takes what has gone from there for moved to `cur`, and shows it on until `cur` has changed, too.
    """
    with suppress(OSError):  # somebody else's, or gone itself: it is seen with the next change then
        os.utime(cur)


def contents(path: Path | str) -> tuple[int, int]:
    """Octets and number of the messages of a folder."""
    total = count = 0
    for part in ("new", "cur"):
        try:
            with os.scandir(f"{path}/{part}") as found:
                for entry in found:
                    if entry.name[0] == "." or entry.is_dir(follow_symlinks=False):
                        continue
                    if (size := size_of(entry.name, entry.path)) is not None:
                        total += size
                        count += 1
        except (FileNotFoundError, NotADirectoryError):
            continue
    return total, count
