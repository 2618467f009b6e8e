"""One after another, over all worker processes: for what they share, and for work whose memory must not be had as often
as strangers ask.

Why flock(2) on a file in memory, beside a lock for the threads: it waits without polling, and it goes with a process
that is killed. Why not lockf(3): of those locks the kernel only knows the process, not the thread. When one thread of
each of two processes holds what another thread of the other waits for, it takes that for a deadlock, and one of them
gets an error instead of its turn. Why every process opens the file anew: flock(2) does not tell those apart that have
inherited one descriptor.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from types import TracebackType


class _Queue:
    """A lock for threads that goes to them in the order in which they came.

    Why not a `threading.Lock`: who gives that back and wants it again at once mostly has it before one that is waked.
    So one thread after the other could wait for as long as there is a crowd.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()  # each is locked until its owner's turn

    def acquire(self) -> None:
        with self._lock:
            if not self._held:
                self._held = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # the one who goes hands it over

    def release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False


class Turns:
    """`with` it, one at a time. Made before the processes that share it are forked."""

    def __init__(self) -> None:
        self._threads = _Queue()
        self._file = os.memfd_create("sievemda-turns", os.MFD_CLOEXEC)
        self._own, self._pid = -1, 0  # this process's descriptor, and which process that is

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            if self._pid != os.getpid():
                self._open()
            fcntl.flock(self._own, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        fcntl.flock(self._own, fcntl.LOCK_UN)
        self._threads.release()

    def close(self) -> None:
        """For this process; others go on with it."""
        os.close(self._file)
        self._drop()

    def _open(self) -> None:
        self._drop()
        self._own = os.open(f"/proc/self/fd/{self._file}", os.O_RDWR | os.O_CLOEXEC)
        self._pid = os.getpid()

    def _drop(self) -> None:
        if self._own >= 0:  # after a fork it is the parent's, who keeps his
            os.close(self._own)
            self._own = -1
