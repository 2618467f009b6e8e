"""What is done on a schedule: messages expire, and what is over is cleared away.

Each in a child process of its own, one at a time, so that outgoing mail never waits for it and the end of the service
needs no patience: whatever is killed on its way begins again without having lost anything. When each was done last is
remembered in a file, so that what was missed while nothing ran is done once, and what was cut short is done again.

Why what fails, or dies by itself, counts as done: it would fail again at once, and for ever. Why a lock: when settings
are read anew, the former keeper of the house may not have ended yet; and some sites run two servers over one directory.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.policy.schedule import Schedule
from sievemda.store.files import read_control_file, write_atomically

log = logging.getLogger(__name__)

_BUSY = os.EX_TEMPFAIL  # the exit code of a child when somebody else is at it
_AGAIN = 60.0  # seconds until it is tried again then
_PATIENCE = 5.0  # seconds for a child to end
_NICE = 10
_SHORTLY = 0.02


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` does it and says, for the log, what came of it."""

    name: str
    schedule: Schedule
    run: Callable[[], str]
    at_start: bool = False  # also when the service begins


class Chores:
    """Used by one thread. `path` is the file that remembers."""

    def __init__(self, chores: tuple[Chore, ...], path: Path) -> None:
        self._chores = chores
        self._path = path
        self._done = _read(path)
        self._waiting = {chore.name for chore in chores if chore.at_start}
        self._not_before = 0.0  # of the monotonic clock
        self._child: tuple[Chore, int, float] | None = None
        self._alive = os.pipe()  # its reading end tells a child that its parent has died

    def go_on(self, now: float | None = None) -> None:
        """Begin what is due, or take note of the end of what is under way. `now` is in seconds since 1970."""
        now = time.time() if now is None else now
        if self._child is not None:
            self._look(now)
            return
        if time.monotonic() < self._not_before:
            return
        for chore in self._chores:
            last = self._done.get(chore.name)
            if last is None or last > now:  # never done, or the clock was set back
                self._remember(chore.name, now)
                last = now
            if chore.name in self._waiting or chore.schedule.is_due(last, now):
                self._begin(chore, now)
                return

    def stop(self) -> None:
        """End what is under way. It begins again when there is somebody to do it."""
        if self._child is None:
            return
        _, pid, _ = self._child
        self._child = None
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(_SHORTLY)

    # -- the parent ------------------------------------------------------------------------------------------------

    def _begin(self, chore: Chore, now: float) -> None:
        pid = os.fork()
        if pid:
            self._child = (chore, pid, now)
            return
        code = os.EX_SOFTWARE
        try:
            self._become_child()
            code = self._work(chore)
        except (SievemdaError, OSError) as e:
            log.error("%s failed %s", chore.name, words(error=e))  # noqa: TRY400 - foreseen, the text says all
        except BaseException:
            log.exception("%s failed", chore.name)
        finally:
            logging.shutdown()
            os._exit(code)

    def _look(self, now: float) -> None:
        if self._child is None:
            return
        chore, pid, began = self._child
        found, status = os.waitpid(pid, os.WNOHANG)
        if not found:
            return
        self._child = None
        code = os.waitstatus_to_exitcode(status)
        if code == _BUSY:
            self._not_before = time.monotonic() + _AGAIN
            return
        if code < 0:
            log.error("%s died %s", chore.name, words(signal=-code))
        self._waiting.discard(chore.name)
        self._remember(chore.name, min(began, now))

    def _remember(self, name: str, when: float) -> None:
        self._done[name] = when
        content = json.dumps(_read(self._path) | {name: when}).encode()
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)  # in a data directory that is there
            write_atomically(self._path, content, 0o600)
        except OSError as e:
            log.error("%s cannot be written, a restart may do %s again: %s", self._path, name, e)  # noqa: TRY400

    # -- the child -------------------------------------------------------------------------------------------------

    def _become_child(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        reading, writing = self._alive
        os.close(writing)
        threading.Thread(target=_end_with_parent, args=(reading,), daemon=True).start()
        os.nice(_NICE)

    def _work(self, chore: Chore) -> int:
        """The exit code."""
        fd = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            if e.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return _BUSY
            raise
        began = time.monotonic()
        said = chore.run()
        log.info("%s done %s", chore.name, f"{said} {words(seconds=f'{time.monotonic() - began:.1f}')}")
        return os.EX_OK


def _end_with_parent(reading: int) -> None:
    os.read(reading, 1)
    os._exit(_BUSY)


def _read(path: Path) -> dict[str, float]:
    """When each was done last; what is damaged says nothing."""
    try:
        found: Mapping[str, object] = json.loads(read_control_file(path) or b"{}")
        return {str(name): float(when) for name, when in found.items() if isinstance(when, int | float)}
    except (OSError, ValueError, AttributeError, OverflowError, RecursionError) as e:
        log.warning("%s is not read: %s", path, e)
        return {}
