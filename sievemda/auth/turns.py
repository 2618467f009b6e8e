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
from types import TracebackType


class Turns:
    """`with` it, one at a time. Made before the processes that share it are forked."""

    def __init__(self) -> None:
        self._threads = threading.Lock()
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
