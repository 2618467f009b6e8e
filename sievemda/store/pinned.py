"""Opening a directory of a user who may be swapping it for a link at that very moment.

Why it is opened step by step: a mailbox was found where it may be, but between looking and writing its owner can put a
link in the place of his Maildir, or of a folder in it, and the server would write where that leads. A home is not his
to replace, so what is above it is taken as it is; from the Maildir on each step refuses a link, and what is done with
the descriptor is done to the directory that was meant.
"""

from __future__ import annotations

import os

_MAILDIR = "/Maildir/"
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_LAST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_pinned(path: str) -> int:
    """A descriptor of a directory to which no link leads from the home on. OSError; ELOOP or ENOTDIR: one does."""
    start = f"{path}/".rfind(_MAILDIR)
    if start < 0:
        return os.open(path, _LAST)
    *steps, last = path[start + 1 :].split("/")
    fd = os.open(path[:start] or "/", _STEP)
    for name in steps:
        fd = _below(fd, name, _STEP)
    return _below(fd, last, _LAST)


def _below(fd: int, name: str, flags: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW, dir_fd=fd)
    finally:
        os.close(fd)
