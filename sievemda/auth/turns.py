"""One after another, over all worker processes: for work whose memory must not be had as often as strangers ask.

Why a lock of POSIX on a file in memory, beside one for the threads: processes share it by being forked, it waits
without polling, and it goes with a process that is killed.
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

    def __enter__(self) -> None:
        self._threads.acquire()
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._threads.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._threads.release()
