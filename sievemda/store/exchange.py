"""Two names of a file system swapped in one step: none is missing for a moment, and none appears that was not there."""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from typing import Any

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
UNKNOWN = frozenset({errno.ENOSYS, errno.EINVAL})  # the kernel, or that file system, cannot do it


@cache
def _call() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    return getattr(library, "renameat2", None)


def exchange(one: str, other: str, *, one_fd: int, other_fd: int) -> None:
    """Swap a name in one open directory with a name in another. OSError; UNKNOWN when that cannot be done there."""
    call = _call()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(one_fd, os.fsencode(one), other_fd, os.fsencode(other), _EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), other)
