"""The child process that does what is due: outgoing and snoozed mail every second, a look at the quota roots now and
then, and what is done on a schedule (see `upkeep.chores`).

Why a process of its own: handing mail to a remote host may take minutes, and neither a delivery nor the parent, which
watches over all, should have anything to do with that.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable

from sievemda import assembly
from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.logs import words

log = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds between two looks into the outbox, and at what is to awaken
HOUR = 3600.0


def run(settings: Settings, lifeline: int, ready: int) -> int:
    """Until SIGTERM, SIGUSR1 or the death of the parent."""
    wake = _take_signals()
    house = assembly.housekeeping(settings)
    os.write(ready, b"1")
    os.close(ready)
    chores = assembly.chores(settings)
    _check_rules(settings)
    next_hour = time.monotonic()
    try:
        while not select.select([wake, lifeline], [], [], INTERVAL)[0]:
            _try(chores.go_on)
            _try(house.send_due)
            _try(house.awaken_due)
            _try(house.warn_due)
            if time.monotonic() >= next_hour:
                next_hour = time.monotonic() + HOUR
                _try(house.finish_moves)
    finally:
        chores.stop()
    return os.EX_OK


def _check_rules(settings: Settings) -> None:
    """What is wrong with the rules of expiry is said now, and not when they are due; mail is taken all the same."""
    path = settings.upkeep.expire_rules
    if path is None:
        return
    try:
        assembly.check_expiry(settings)
    except (SievemdaError, OSError) as e:
        error = f"{path}: {e.strerror}" if isinstance(e, OSError) else e
        log.error("nothing will expire until the rules are mended %s", words(error=error))  # noqa: TRY400


def _take_signals() -> int:
    """A descriptor that has something to read once the end is asked for. Nothing is interrupted by that.

    No signal stays blocked: a program that sends mail would inherit that.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    return reading


def _try(task: Callable[[], object]) -> None:
    """What fails now is due again later."""
    try:
        task()
    except (SievemdaError, OSError) as e:
        log.error("housekeeping failed %s", words(error=e))  # noqa: TRY400 - foreseen, the text says all
    except Exception:
        log.exception("housekeeping failed")
