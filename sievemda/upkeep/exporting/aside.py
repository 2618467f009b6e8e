"""What is written aside until it is whole, beside the place where it goes: `.export.UNIQUE.part`.

Whoever writes it holds a lock on it, which the kernel frees with the process. What nobody holds was left by somebody
who was killed, and goes when the next one comes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sievemda.store.files import unique_name

BEGINNING, END = ".export.", ".part"
_OPENING = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TRIES = 100  # others may take a new one for forgotten before it is locked


@contextmanager
def file_beside(place: Path, mode: int) -> Iterator[tuple[Path, int]]:
    """A new file in the directory of another, with its descriptor; it is removed when it is still there. OSError."""
    with _kept(place.parent, lambda path: os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPENING, mode)) as found:
        yield found


@contextmanager
def directory_in(place: Path, mode: int) -> Iterator[Path]:
    """A new directory in another one, removed with what is left in it. OSError."""

    def make(path: Path) -> int:
        path.mkdir(mode)
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | _OPENING)

    with _kept(place, make) as (path, _):
        yield path


@contextmanager
def _kept(directory: Path, make: Callable[[Path], int]) -> Iterator[tuple[Path, int]]:
    _clear(directory)
    path, fd = _held(directory, make)
    try:
        yield path, fd
    finally:
        _remove(path)
        os.close(fd)


def _held(directory: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    for _ in range(_TRIES):
        path = directory / f"{BEGINNING}{unique_name()}{END}"
        fd = make(path)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(path.lstat(), os.fstat(fd)):
                return path, fd
        os.close(fd)
    raise OSError(errno.EAGAIN, "everything that is new is removed", str(directory))


def _clear(directory: Path) -> None:
    """Remove what nobody writes any more."""
    with suppress(OSError):
        names = [name for name in os.listdir(directory) if name.startswith(BEGINNING) and name.endswith(END)]  # noqa: PTH208
        for name in names:
            with suppress(OSError):
                _remove_forgotten(directory / name)


def _remove_forgotten(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | _OPENING)
    try:
        if os.fstat(fd).st_uid == os.geteuid():
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
    finally:
        os.close(fd)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
