"""The lock of a quota root, on its directory: deliveries share it, a count has it alone. See `quota`."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sievemda.store.files import locked_within

_PATIENCE = 30.0  # seconds that deliveries and counts wait for one another, or for a user who locks his folder for fun
_log = logging.getLogger(__name__)


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """`how` is LOCK_SH or LOCK_EX of flock(2). OSError when there is no such directory."""
    fd = _open(path)
    try:
        with suppress(OSError):  # a file system without locks: the time stamps must do
            if not locked_within(fd, how, _PATIENCE):
                _log.error("%s is locked by another program; its usage may have to be counted again", path)
        yield
    finally:
        os.close(fd)


def is_held(path: Path) -> bool:
    """Whether a delivery or a count is under way just now; False where nobody can know. OSError as above."""
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
