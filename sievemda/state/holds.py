"""Holds: only one deliverer of a thing at a time, over threads and processes.

A hold is an exclusive lock on one byte of a lock file, at an offset hashed from the key. The locks belong to the open
file description (F_OFD_SETLK), so two threads exclude each other as two processes do, and the kernel gives a lock back
when its holder dies, however he dies.

Why one file that stays: creating and unlinking a lock file for each delivery is what ext4 does slowest. Why waiting by
asking again: a blocking wait for such a lock cannot be bounded, and it is rare that anybody waits at all. Two keys
that hash to one offset would only wait for each other; with 62 bits they do not.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import time
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from sievemda.errors import TemporaryTrouble

WAIT = 10.0  # seconds until a hold is given up
_PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05)  # seconds between two tries; the last one repeats
_FLOCK = "hhqqi4x"  # struct flock of Linux on 64 bits: type, whence, start, length, pid


class Busy(TemporaryTrouble):
    """Somebody else has held this for too long."""


class Holds:
    """Hands out holds on one lock file. Descriptors are kept for the next hold."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._spare: list[int] = []
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def hold(self, *names: str, wait: float = WAIT) -> Hold:
        """A context in which the names are held; more can be taken on the way. Raises Busy, or OSError."""
        hold = Hold(self, wait)
        try:
            for name in sorted(set(names)):  # one order for everybody, so that two do not wait for each other
                hold.take(name)
        except BaseException:
            hold.release()
            raise
        return hold

    def close(self) -> None:
        with self._lock:
            for fd in self._spare:
                os.close(fd)
            self._spare.clear()

    def acquire(self) -> int:
        with self._lock:
            if self._pid != os.getpid():  # an open file description shared with a parent would share its locks
                self._spare.clear()
                self._pid = os.getpid()
            if self._spare:
                return self._spare.pop()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, flags, 0o600)

    def give_back(self, fd: int) -> None:
        with self._lock:
            self._spare.append(fd)


class Hold:
    """What one deliverer holds at the moment."""

    def __init__(self, holds: Holds, wait: float) -> None:
        self._holds = holds
        self._wait = wait
        self._fd = -1
        self._names: set[str] = set()

    def take(self, name: str) -> None:
        """Hold this too; nothing happens when it is held here already."""
        if name in self._names:
            return
        if self._fd < 0:
            self._fd = self._holds.acquire()
        request = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, _offset(name), 1, 0)
        end, tries = time.monotonic() + self._wait, 0
        while not _try(self._fd, request):
            if time.monotonic() > end:
                raise Busy("another delivery of the same message is under way")
            time.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1
        self._names.add(name)

    def release(self) -> None:
        if self._fd >= 0:
            request = struct.pack(_FLOCK, fcntl.F_UNLCK, os.SEEK_SET, 0, 0, 0)
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, request)
            self._holds.give_back(self._fd)
            self._fd = -1
            self._names.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def _offset(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big") >> 2


def _try(fd: int, request: bytes) -> bool:
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, request)
    except BlockingIOError:
        return False
    return True
