"""Keeps an eye on quota roots: tells who is to be told, and knows since when a root is full.

    refused    a message found no room: with which code that is said, and whether somebody is to be told
    arrived    a message was stored
    look       whoever goes through the roots asks: `quota notify`, and `serve` now and then, since an IMAP client may
               have filled or emptied a mailbox

A look without a lock says whether there is anything to do, which nearly always there is not. Only then the root's state
is locked, the usage counted afresh and all of it decided again. The message goes first, then what is remembered: a
crash between them costs one message too many.

When neither warnings nor a grace period are set, nothing here is done at all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.config import Settings
from sievemda.delivery.fullness.letter import Letter, Letters
from sievemda.delivery.fullness.rules import NoticeRule, site_rule
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.mail.result import Result
from sievemda.policy import grace
from sievemda.policy.grace import Occasion
from sievemda.policy.quota import Limits, Usage
from sievemda.policy.warnings import MAIL, State, Step, look, shown, standings_of
from sievemda.store.quota_state import Held, QuotaStates

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot

log = logging.getLogger(__name__)

_REFUSING = (*MAIL, "ANNOTATION-STORAGE")  # what a message is refused for


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody was told of a root, or is to be."""

    root: str
    rule: str
    level: str
    percent: int
    reminder: bool
    letter: Letter


@dataclass(frozen=True, slots=True)
class _View:
    """What one look sees and comes to."""

    state: State
    steps: tuple[tuple[NoticeRule, Step], ...]

    @property
    def due(self) -> list[tuple[NoticeRule, Step]]:
        return [(rule, step) for rule, step in self.steps if step.level]


class Watch:
    """Thread-safe; keeps nothing but parsed control files."""

    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._store = store
        self._strict = settings.delivery.lmtp_strict_quota
        self._near = 100 - settings.quota.quota_warning_hysteresis
        self._grace = settings.quota.quota_grace
        self._rules = tuple(filter(None, [site_rule(settings)]))
        self._letters = Letters(settings, store)
        self.states = QuotaStates(settings.store.message_mode)
        self.on = bool(self._rules or self._grace)

    def refused(self, root: QuotaRoot) -> Result:
        """How to refuse a message for which there is no room. Never raises."""
        now, since = int(time.time()), 0
        if self.on:
            try:
                self._look(root, self._rules, "refused", now)
                since = self.states.get(root.path).full_since
            except Exception as e:  # noqa: BLE001 - the answer is due whatever happens
                self._log_trouble(root.path, e)
        permanent = self._settings.delivery.lmtp_over_quota_perm_failure
        for_good = grace.is_for_good(permanent=permanent, grace=self._grace, full_since=since, now=now)
        return Result.OVER_QUOTA_PERMANENT if for_good else Result.OVER_QUOTA

    def arrived(self, mailbox: Mailbox, *, asked: bool) -> list[Notice]:
        """A message was stored there; `asked`: because there was room. Never raises: the message is in place."""
        if not self.on:
            return []
        try:
            root = mailbox.quota_root()
            return self._look(root, self._rules, "room" if asked else "unasked", int(time.time())) if root else []
        except Exception as e:  # noqa: BLE001 - as above
            self._log_trouble(mailbox.path, e)
            return []

    def look(
        self, root: QuotaRoot, rules: Sequence[NoticeRule], *, dry: bool = False, now: int | None = None
    ) -> list[Notice]:
        """Tell what is due of one root by these rules; what would be told, when it is `dry`. OSError, SievemdaError."""
        covering = [rule for rule in rules if rule.covers(root.name)]
        return self._look(root, covering, "look", int(time.time()) if now is None else now, dry=dry)

    def _look(
        self, root: QuotaRoot, rules: Sequence[NoticeRule], occasion: Occasion, now: int, *, dry: bool = False
    ) -> list[Notice]:
        state = self.states.get(root.path)
        view = self._view(root, rules, occasion, now, state)
        if view.state == state and not view.due:
            return []
        if dry:
            return [self._notice(root, rule, step, self._letters.planned(rule, root)) for rule, step in view.due]
        with self.states.held(root.path) as held:
            return self._settle(root, rules, occasion, now, held) if held else []

    def _settle(
        self, root: QuotaRoot, rules: Sequence[NoticeRule], occasion: Occasion, now: int, held: Held
    ) -> list[Notice]:
        """Nobody else is at this root: decide again, do it, remember what was done. Raises why some were not told."""
        view = self._view(root, rules, occasion, now, held.state, fresh=occasion != "refused")
        state = replace(held.state, full_since=view.state.full_since)
        notices, failed = [], None
        for rule, step in view.steps:
            if step.level:
                try:
                    letter = self._letters.send(rule, root, step, state.full_since, now)
                except (OSError, SievemdaError) as e:
                    failed = e
                    continue
                notices.append(self._notice(root, rule, step, letter))
            state = state.with_told(rule.rule.name, step.told)
        if state != held.state:
            held.replace(state)
        for notice in notices:
            self._log(notice)
        if failed is not None:
            raise failed
        return notices

    def _view(
        self,
        root: QuotaRoot,
        rules: Sequence[NoticeRule],
        occasion: Occasion,
        now: int,
        state: State,
        *,
        fresh: bool = False,
    ) -> _View:
        limits, usage = self._measured(root, rules, occasion, fresh=fresh)
        refused = occasion == "refused"
        standings = {rule.rule.name: standings_of(limits, usage, rule.resources, refused=refused) for rule in rules}
        steps = look([rule.rule for rule in rules], standings, state, now)
        for rule, step in zip(rules, steps, strict=True):
            state = state.with_told(rule.rule.name, step.told)
        counting = standings_of(limits, usage, _REFUSING)
        over = any(each.over for each in counting)
        near = self._strict and any(not each.below(self._near) for each in counting)
        since = grace.since_when_full(state.full_since, occasion, over=over, near=near, now=now)
        return _View(replace(state, full_since=since), tuple(zip(rules, steps, strict=True)))

    def _measured(
        self, root: QuotaRoot, rules: Sequence[NoticeRule], occasion: Occasion, *, fresh: bool
    ) -> tuple[Limits, Usage]:
        """After a delivery as the file has it, and counted before anything is done because of it. Who looks without one
        counts where a folder has changed, since an IMAP server may keep no quota. A domain is not counted for this.
        """
        limits, usage = root.limits_and_usage()
        rare = any(limits.of(each) is not None for rule in rules for each in rule.resources if each not in MAIL)
        if rare or limits.annotation is not None or (occasion == "look" and not root.is_domain):
            return limits, root.known()
        return limits, root.usage(fresh=True) if fresh and not root.is_domain else usage

    def _notice(self, root: QuotaRoot, rule: NoticeRule, step: Step, letter: Letter) -> Notice:
        percent = step.standing.percent if step.standing else 0
        name = self._store.namespace.format_admin(root.name)
        return Notice(name, rule.rule.name, shown(step.level), percent, step.reminder, letter)

    def _log(self, notice: Notice) -> None:
        told = words(
            root=notice.root,
            level=notice.level,
            percent=notice.percent,
            rule=notice.rule,
            reminder="yes" if notice.reminder else "",
            to=",".join(notice.letter.to),
            msgid=notice.letter.message_id,
        )
        log.info("quota warning %s", told)

    def _log_trouble(self, folder: Path, error: Exception) -> None:
        foreseen = isinstance(error, OSError | SievemdaError)
        log.error("quota not looked at %s", words(folder=folder, error=error), exc_info=None if foreseen else error)
