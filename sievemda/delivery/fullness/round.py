"""Goes through all quota roots: for `quota notify` at once, for `serve` a little at a time.

Why a little at a time: who keeps house for `serve` hands on outgoing mail every second, and a site may have a hundred
thousand roots. Why the rules are read anew for each round: they may have been changed since.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from sievemda.config import Settings
from sievemda.delivery.fullness.rules import NoticeRule, read_rules, site_rule
from sievemda.delivery.fullness.watch import Watch
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.store.mailstore import MailStore
from sievemda.store.quota import QuotaRoot

log = logging.getLogger(__name__)

_SLICE = 0.2  # seconds of one call at most


class Rounds:
    """Used by one thread."""

    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._store = store
        self._watch = Watch(settings, store)
        self._wanted = self._watch.on or settings.quota.quota_rules is not None
        self._roots: Iterator[QuotaRoot] | None = None
        self._rules: tuple[NoticeRule, ...] = ()
        self._next = 0.0

    def go_on(self, now: float | None = None) -> None:
        """Look at some roots, when a round is under way or due; `now` is a time of the monotonic clock."""
        if not self._wanted:
            return
        now = time.monotonic() if now is None else now
        if self._roots is None:
            if now < self._next:
                return
            self._next = now + self._settings.quota.quota_check_interval
            self._rules = self._current_rules()
            self._roots = self._store.roots()
        end = time.monotonic() + _SLICE
        try:
            for root in self._roots:
                self._look(root)
                if time.monotonic() > end:
                    return
        except BaseException:
            self._roots = None  # what stopped half-way begins anew when it is due
            raise
        self._roots = None

    def _current_rules(self) -> tuple[NoticeRule, ...]:
        found = tuple(filter(None, [site_rule(self._settings)]))
        file = self._settings.quota.quota_rules
        if file is not None:
            try:
                found += read_rules(file, self._store.namespace)
            except (OSError, SievemdaError) as e:
                log.error("quota rules not used %s", words(error=e))  # noqa: TRY400 - the text says all
        return found

    def _look(self, root: QuotaRoot) -> None:
        try:
            self._watch.look(root, self._rules)
        except (OSError, SievemdaError) as e:
            log.error("quota not looked at %s", words(folder=root.path, error=e))  # noqa: TRY400 - as above
