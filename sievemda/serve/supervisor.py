"""The parent process: binds, forks, watches, reloads, ends.

Signals: SIGTERM and SIGINT end the service after the transactions under way; SIGHUP reads the settings again and
replaces the workers, the new ones first, and keeps the old ones when the new cannot start. A worker that dies is
replaced, at once or, when it keeps dying, with growing pauses. All signals are taken in one place (sigtimedwait), so
nothing happens between two lines of this file that does not stand there.

Why listening sockets are bound here and inherited: the port is taken once, whatever workers come and go, and clients
that come while they are exchanged wait in its backlog.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sievemda import assembly
from sievemda.auth.seats import Seats
from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.serve import housekeeper, observation, worker
from sievemda.serve.listeners import Bound, Place, bind_all
from sievemda.serve.memory import be_frugal, share_what_is_there
from sievemda.serve.notify import notify

log = logging.getLogger(__name__)

SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}
END_TIME = worker.GRACE + 3.0  # seconds for the children to end
START_TIME = 30.0  # seconds for new workers to begin
SHORT_LIFE = 5.0  # seconds; who dies younger is replaced after a pause that doubles
FIRST_PAUSE, LAST_PAUSE = 0.1, 30.0
MANAGESIEVE_WORKERS = 2  # so that one at work keeps nobody waiting; each more would cost memory at every attack


@dataclass(slots=True)
class Slot:
    """One child that there ought to be."""

    run: Callable[[int], int]  # in the child, given a descriptor to write to when it has begun; its exit code
    name: str
    pid: int = 0
    born: float = 0.0
    pause: float = 0.0
    due: float = 0.0  # when to start it again


@dataclass(slots=True)
class Plan:
    """What one reading of the settings asks for."""

    settings: Settings
    places: Sequence[Place]
    workers: int


@dataclass(slots=True)
class Supervisor:
    load: Callable[[], Plan]
    bound: list[Bound] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    leaving: set[int] = field(default_factory=set)  # children of former settings that finish their sessions
    seats: tuple[Seats, Seats] = field(default_factory=lambda: (Seats(), Seats()))  # of LMTP, of ManageSieve
    lifeline: tuple[int, int] = field(default_factory=os.pipe)  # children read its end when this process dies

    def run(self) -> int:
        """Until the end is asked for; the exit code. Raises SievemdaError when it cannot start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        plan = self.load()
        self.bound = bind_all(plan.places, plan.settings.lmtp)
        try:
            be_frugal()
            assembly.preload(plan.settings)
            observation.clear(plan.settings)
            share_what_is_there()
            self.slots = self._slots(plan)
            code = self._begin(self.slots)
            if code == os.EX_OK:
                self._announce(plan)
                notify("READY=1")
                self._watch()
            return code
        finally:
            notify("STOPPING=1")
            self._end()

    def _watch(self) -> None:
        while True:
            now = time.monotonic()
            pauses = [slot.due - now for slot in self.slots if not slot.pid]
            got = signal.sigtimedwait(SIGNALS, max(0.0, min(pauses, default=3600.0)))
            number = got.si_signo if got else 0
            if number in {signal.SIGTERM, signal.SIGINT}:
                log.info("ending")
                return
            if number == signal.SIGHUP:
                self._reload()
            self._reap()
            self._replace_dead()

    # Children.

    def _slots(self, plan: Plan) -> list[Slot]:
        by_protocol: dict[str, list[socket.socket]] = {"lmtp": [], "managesieve": []}
        for bound in self.bound:
            by_protocol[bound.place.protocol] += bound.sockets

        def work(ready: int, number: int) -> int:
            lmtp, managesieve = by_protocol["lmtp"], by_protocol["managesieve"]
            if number > MANAGESIEVE_WORKERS:
                while managesieve:
                    managesieve.pop().close()
            return worker.run(plan.settings, lmtp, managesieve, self.seats, self.lifeline[0], ready)

        def keep_house(ready: int) -> int:
            return housekeeper.run(plan.settings, self.lifeline[0], ready)

        slots = [Slot(partial(work, number=number), f"worker {number}") for number in range(1, plan.workers + 1)]
        return [*slots, Slot(keep_house, "housekeeper")]

    def _fork(self, slot: Slot, ready: int) -> None:
        """Start the child of a slot; it writes to `ready` when it has begun. `ready` is closed here."""
        sys.stdout.flush()
        sys.stderr.flush()
        slot.born = time.monotonic()
        slot.pid = os.fork()
        if slot.pid:
            os.close(ready)
            return
        code = os.EX_SOFTWARE
        try:
            os.close(self.lifeline[1])
            code = slot.run(ready)
        except SievemdaError as e:
            log.error("%s cannot run: %s", slot.name, e)  # noqa: TRY400 - the sentence says all
            code = e.exit_code
        except BaseException:
            log.exception("%s failed", slot.name)
        finally:
            logging.shutdown()
            os._exit(code)  # threads at work must not hold the end up

    def _begin(self, slots: Sequence[Slot]) -> int:
        """Start all; 0 when every one has begun, else the exit code of the first that could not."""
        reading, writing = os.pipe()
        for slot in slots:
            self._fork(slot, os.dup(writing))
        os.close(writing)
        begun, until = 0, time.monotonic() + START_TIME
        while begun < len(slots) and time.monotonic() < until:
            if select.select([reading], [], [], 0.1)[0]:
                said = os.read(reading, 1024)
                if not said:
                    break  # the rest have died
                begun += len(said)
            for slot in slots:
                if slot.pid and (status := self._status(slot.pid)) is not None:
                    slot.pid = 0
                    os.close(reading)
                    return status if status > 0 else os.EX_SOFTWARE
        os.close(reading)
        return os.EX_OK if begun == len(slots) else os.EX_SOFTWARE

    @staticmethod
    def _status(pid: int) -> int | None:
        """The exit code of a child that has died; None while it lives."""
        found, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None

    def _reap(self) -> None:
        """Take note of every child that has died."""
        for pid in tuple(self.leaving):
            if self._status(pid) is not None:
                self.leaving.discard(pid)
                self._release(pid)
        for slot in self.slots:
            if not slot.pid or (code := self._status(slot.pid)) is None:
                continue
            age = time.monotonic() - slot.born
            slot.pause = min(LAST_PAUSE, slot.pause * 2 or FIRST_PAUSE) if age < SHORT_LIFE else 0.0
            slot.due = time.monotonic() + slot.pause
            self._release(slot.pid)
            log.error("child died %s", words(name=slot.name, pid=slot.pid, code=code, pause=slot.pause or ""))
            slot.pid = 0

    def _release(self, pid: int) -> None:
        for seats in self.seats:
            seats.release(pid)

    def _replace_dead(self) -> None:
        for slot in self.slots:
            if not slot.pid and slot.due <= time.monotonic():
                self._fork(slot, os.open(os.devnull, os.O_WRONLY))

    # Reload and end.

    def _reload(self) -> None:
        """New settings, new sockets, new workers; then the old ones are let go. On trouble nothing changes."""
        log.info("reloading")
        old_bound, old_slots = self.bound, self.slots
        kept: list[Bound] = []
        added: list[Bound] = []
        try:
            plan = self.load()
            kept = [bound for bound in old_bound if bound.place in plan.places]
            have = {bound.place for bound in kept}
            going = [bound for bound in old_bound if bound not in kept]
            added = bind_all([place for place in plan.places if place not in have], plan.settings.lmtp, going)
            self.bound = kept + added
            self.slots = self._slots(plan)
            code = self._begin(self.slots)
        except (SievemdaError, OSError) as e:
            log.error("not reloaded: %s", e)  # noqa: TRY400 - the sentence says all
            code = os.EX_CONFIG
        if code != os.EX_OK:
            if self.slots is not old_slots:
                self._kill(self.slots, signal.SIGTERM)
                self.leaving |= {slot.pid for slot in self.slots if slot.pid}
            for bound in added:
                bound.close()
            self.bound, self.slots = old_bound, old_slots
            log.error("going on with the former settings")
            return
        self._kill(old_slots, worker.RETIRE)
        self.leaving |= {slot.pid for slot in old_slots if slot.pid}
        for bound in old_bound:
            if bound not in kept:
                bound.close()
        self._announce(plan)

    @staticmethod
    def _kill(slots: Sequence[Slot], number: int) -> None:
        for slot in slots:
            if slot.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(slot.pid, number)

    def _end(self) -> None:
        """Give the places up, let the children finish, and see to it that none stays."""
        for bound in self.bound:
            bound.close()
        pids = self.leaving | {slot.pid for slot in self.slots if slot.pid}
        self._tell(pids, signal.SIGTERM)
        until = time.monotonic() + END_TIME
        while pids and time.monotonic() < until:
            signal.sigtimedwait({signal.SIGCHLD}, 0.05)
            pids = {pid for pid in pids if self._status(pid) is None}
        self._tell(pids, signal.SIGKILL)
        for pid in pids:
            os.waitpid(pid, 0)

    @staticmethod
    def _tell(pids: set[int], number: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @staticmethod
    def _announce(plan: Plan) -> None:
        for place in plan.places:
            log.info("listening: %s", place)
        log.info("serving %s", words(workers=plan.workers, data=plan.settings.data, pid=os.getpid()))
