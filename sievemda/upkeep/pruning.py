"""Clearing away what is over: for `prune` when somebody asks for it, for `serve` on its schedule.

The delivery memory, the journal and the versions of scripts keep what they have for as long as the settings say,
deleted mailboxes and withdrawn messages can be brought back for some days, and what a crash left unfinished belongs to
nobody after a day. Renames that were cut short are finished first, so that nothing of theirs counts as left over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.scripts.opening import versions_path
from sievemda.state.journal import Journal
from sievemda.state.memory import Memory
from sievemda.state.versions import Bounds, Versions
from sievemda.store import clearing
from sievemda.store.accounts import clean_unfinished
from sievemda.store.clearing import DAY
from sievemda.store.mailstore import MailStore

STALE = DAY  # seconds after which a message in staging belongs to nobody
_UNSENT = 3600.0  # seconds after which a file in the outbox's tmp/ belongs to nobody
# Everything that is counted, in the order in which it is told.
MEMORY = ("delivered", "redirect", "vacation", "duplicate", "notify", "report")
KINDS = (*MEMORY, "journal", "versions", "deleted", "withdrawn", "leftovers", "stage", "accounts", "outbox")


@dataclass(slots=True)
class Pruned:
    """How much was removed of each kind, and what went wrong."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    failures: list[OSError | SievemdaError] = field(default_factory=list)


class Pruning:
    """Once. `memory` and `journal` are None where there is none yet."""

    def __init__(self, settings: Settings, store: MailStore, memory: Memory | None, journal: Journal | None) -> None:
        self._settings = settings
        self._store = store
        self._memory = memory
        self._journal = journal

    def run(self, *, older: float | None = None, dry: bool = False) -> Pruned:
        """Each kind by itself: what goes wrong with one does not keep the others.

        `older`: what keeps copies from coming twice goes after so many seconds.
        """
        now, done = time.time(), Pruned()
        steps: list[Callable[[], dict[str, int]]] = [
            lambda: self._remembered(now, older, dry=dry),
            lambda: {"journal": self._journalled(now, dry=dry)},
            lambda: {"versions": self._versioned(now, dry=dry)},
            lambda: clearing.forget_deleted(self._store, dry=dry),
            lambda: {"stage": clearing.clean_stage(self._store, STALE, dry=dry)},
            lambda: {"accounts": clean_unfinished(self._store, STALE, dry=dry)},
            lambda: {"outbox": self._unsent(now, dry=dry)},
        ]
        if not dry:
            steps.insert(0, self._recovered)
        for step in steps:
            try:
                done.counts |= step()
            except (OSError, SievemdaError) as error:
                done.failures.append(error)
        return done

    def _recovered(self) -> dict[str, int]:
        self._store.recover()
        return {}

    def _remembered(self, now: float, older: float | None, *, dry: bool) -> dict[str, int]:
        if self._memory is None:
            return {}
        found = self._memory.expired(now)
        if found and not dry:
            self._memory.prune(now)
        if older is not None:
            usual = self._settings.delivery.memory_days * DAY
            for kind, number in self._memory.prune_older(now - older, usual, now, dry=dry).items():
                found[kind] = found.get(kind, 0) + number
        return found

    def _journalled(self, now: float, *, dry: bool) -> int:
        if self._journal is None:
            return 0
        before = now - self._settings.delivery.journal_days * DAY
        return self._journal.expired(before) if dry else self._journal.prune(before)

    def _versioned(self, now: float, *, dry: bool) -> int:
        path = versions_path(self._settings)
        if not path.exists():
            return 0
        before = now - self._settings.sieve.sieve_versions_days * DAY
        versions = Versions(path, Bounds(), only_read=dry)
        try:
            return versions.expired(before) if dry else versions.prune(before)
        finally:
            versions.close()

    def _unsent(self, now: float, *, dry: bool) -> int:
        """What was never finished of outgoing mail: nobody has been promised it."""
        count = 0
        with suppress(FileNotFoundError):
            for path in Path(self._settings.outbox_path / "tmp").iterdir():
                with suppress(FileNotFoundError):
                    if now - path.lstat().st_mtime > _UNSENT:
                        if not dry:
                            path.unlink()
                        count += 1
        return count


def forget_deliveries(settings: Settings, older: float, *, dry: bool = False) -> int:
    """Drop what keeps copies from coming twice after so many seconds; how many records. TemporaryTrouble."""
    if not settings.memory_path.exists():
        return 0
    now, usual = time.time(), settings.delivery.memory_days * DAY
    memory = Memory(settings.memory_path, only_read=dry)
    try:
        return sum(memory.prune_older(now - older, usual, now, dry=dry).values())
    finally:
        memory.close()
