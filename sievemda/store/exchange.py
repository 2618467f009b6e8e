"""Renaming in one step that rename(2) cannot do: two names swapped, or a name that must not be there yet."""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

_NO_REPLACE = 1  # of renameat2(2)
_EXCHANGE = 2
_NO_FD = -100  # AT_FDCWD
UNKNOWN = frozenset({errno.ENOSYS, errno.EINVAL})  # the kernel, or that file system, cannot do it


@cache
def _call() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    return getattr(library, "renameat2", None)


def exchange(one: str, other: str, *, one_fd: int, other_fd: int) -> None:
    """Swap a name in one open directory with a name in another. OSError; UNKNOWN when that cannot be done there."""
    _rename(one, other, one_fd, other_fd, _EXCHANGE)


def exchange_paths(one: Path, other: Path) -> bool:
    """Swap what is at two paths, unless that cannot be done there. OSError."""
    try:
        exchange(str(one.absolute()), str(other.absolute()), one_fd=_NO_FD, other_fd=_NO_FD)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        return False
    return True


def rename_new(old: str, new: str, *, old_fd: int, new_fd: int) -> None:
    """Rename from one open directory into another. FileExistsError when the name is taken there; OSError."""
    try:
        _rename(old, new, old_fd, new_fd, _NO_REPLACE)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        with suppress(FileNotFoundError):
            os.stat(new, dir_fd=new_fd, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd)


def _rename(old: str, new: str, old_fd: int, new_fd: int, flags: int) -> None:
    call = _call()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(old_fd, os.fsencode(old), new_fd, os.fsencode(new), flags):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), new)
