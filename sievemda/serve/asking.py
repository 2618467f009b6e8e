"""Asking the workers of a running server what they do; the other side is `observation`."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.lmtp.client import connect

if TYPE_CHECKING:
    from sievemda.config import Settings

GONE = "gone"  # counts of workers that have ended, a line each
_TIME = 5.0  # seconds for a worker to answer
_AT_ONCE = 64
_MOST = 64 << 20  # octets of an answer


def directory(settings: Settings) -> Path:
    """Where workers can be asked."""
    return settings.data / "run" / "stat"


@dataclass(frozen=True, slots=True)
class Worker:
    pid: int
    since: float  # seconds since 1970
    counts: dict[str, int]
    sessions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What all workers together told."""

    workers: list[Worker]
    silent: list[int]  # processes that are there and did not answer
    gone: dict[str, int]  # what workers had counted that have ended

    @property
    def counts(self) -> dict[str, int]:
        """Since the server began."""
        total = Counter(self.gone)
        for worker in self.workers:
            total.update(worker.counts)
        return dict(sorted(total.items()))

    @property
    def sessions(self) -> list[dict[str, Any]]:
        found = [{**session, "pid": worker.pid} for worker in self.workers for session in worker.sessions]
        return sorted(found, key=lambda one: float(one["since"]))


def ask(settings: Settings) -> Figures:
    """What every worker tells now. OSError when the directory cannot be read; without a server there are none."""
    place = directory(settings)
    try:
        pids = sorted(int(name) for name in os.listdir(place) if name.isdigit())  # noqa: PTH208 - only names
    except FileNotFoundError:
        pids = []
    with ThreadPoolExecutor(_AT_ONCE) as asking:  # or each one that is stopped would cost its patience
        found = list(asking.map(lambda pid: _looked(place, pid), pids))
    workers = [one for one in found if isinstance(one, Worker)]
    return Figures(workers, [one for one in found if isinstance(one, int)], _gone(place / GONE))


def _looked(place: Path, pid: int) -> Worker | int | None:
    """The process itself when it does not answer, None when it has ended."""
    try:
        return _asked(place / str(pid))
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return pid


def _asked(path: Path) -> Worker:
    with connect(path, _TIME) as connection, connection.makefile("rb") as file:
        told = json.loads(file.read(_MOST))
    return Worker(int(told["pid"]), float(told["since"]), dict(told["counts"]), list(told["sessions"]))


def _gone(path: Path) -> dict[str, int]:
    total: Counter[str] = Counter()
    with contextlib.suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            with contextlib.suppress(ValueError, AttributeError):  # one that a full disk has cut
                total.update({str(name): int(number) for name, number in json.loads(line).items()})
    return dict(total)
