"""Expiry and pruning of a whole site, as `serve` does them on a schedule: each says in words of the log what it did."""

from __future__ import annotations

import logging

from sievemda.config import Settings
from sievemda.logs import words
from sievemda.state.journal import Journal
from sievemda.state.memory import Memory
from sievemda.store.mailstore import MailStore
from sievemda.upkeep.expiry.expiry import Expiry
from sievemda.upkeep.expiry.folder import Options
from sievemda.upkeep.expiry.rules import Rules
from sievemda.upkeep.pruning import Pruning

_TOLD = 20  # failures of a run that are told of each by itself
_log = logging.getLogger(__name__)


def expire_all(settings: Settings, store: MailStore, rules: Rules) -> str:
    """Every mailbox by these rules and its annotation."""
    messages = octets = mailboxes = failures = 0
    for outcome in Expiry(store, rules, Options(keep=settings.store.withholds)).run(store.named()):
        count, size = outcome.taken
        messages, octets, mailboxes = messages + count, octets + size, mailboxes + (count > 0)
        for failure in outcome.failures:
            failures += 1
            if failures <= _TOLD:
                _log.error("not all expired %s", words(mailbox=outcome.mailbox, error=failure))
    return words(messages=messages, octets=octets, mailboxes=mailboxes, failures=failures or "")


def prune_all(settings: Settings) -> str:
    """Everything that is over."""
    done = Pruning(settings, MailStore(settings), Memory(settings.memory_path), Journal(settings.journal_path)).run()
    for error in done.failures:
        _log.error("not all cleared away %s", words(error=error))
    return words(**{kind: number or "" for kind, number in done.counts.items()}, failures=len(done.failures) or "")
