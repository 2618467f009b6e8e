"""Bounds in time for code that does not look at a clock itself.

Both work by a signal, so they interrupt whatever is under way, but only in the main thread; elsewhere nothing is
bounded. The signal comes again as long as it is armed: an exception that is raised where nobody can catch it, as in a
destructor, is lost.
"""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from sievemda.sieve.problems import RunError

_AGAIN = 0.5  # seconds
_LONGEST = 1e8  # seconds, about three years


class TimedOut(BaseException):
    """The time is up. Like an interrupt it is no error of the code that it ends, which must not catch it."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `TimedOut` after so many seconds of the wall clock; 0 is never."""

    def ring(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TimedOut

    with _armed(signal.SIGALRM, signal.ITIMER_REAL, seconds, ring):
        yield


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Raise `RunError` after so many seconds of work; 0 is never."""

    def ring(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise RunError(f"execution exceeded the limit of {seconds:g} seconds of processor time")

    with _armed(signal.SIGPROF, signal.ITIMER_PROF, seconds, ring):
        yield


@contextmanager
def _armed(number: signal.Signals, timer: int, seconds: float, ring: signal.Handlers | object) -> Iterator[None]:
    if not seconds or math.isinf(seconds) or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, ring)  # type: ignore[arg-type]
    signal.setitimer(timer, min(seconds, _LONGEST), _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before or signal.SIG_DFL)
