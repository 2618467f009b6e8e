"""All mailboxes gone through by their rules, those of annotations among them.

`/vendor/cmu/cyrus-imapd/expire` of a mailbox is a rule for it and those below it: what is older by its Date expires
(semantics, section 11). It goes before the rules of a file. `noexpire_until` of an INBOX keeps everything of its user,
whatever rule there is.

Why what is left of a user's quota is counted once, when his last mailbox is done: a count looks at all his folders.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator

from sievemda.delivery.customs import expire_of, held_until
from sievemda.errors import SievemdaError
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.quota import QuotaRoot
from sievemda.upkeep.expiry.criteria import Criteria
from sievemda.upkeep.expiry.folder import FolderRun, Options, Outcome
from sievemda.upkeep.expiry.rules import Rule, Rules
from sievemda.upkeep.expiry.scope import Scope

ANNOTATION = "expire annotation"  # what the rule of an annotation is called
_log = logging.getLogger(__name__)


class Expiry:
    """One run; `now` is its beginning, in seconds since 1970."""

    def __init__(
        self,
        store: MailStore,
        rules: Rules,
        options: Options,
        *,
        annotations: bool = True,
        now: float | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._options = options
        self._annotations = annotations
        self._now = time.time() if now is None else now
        self._held: tuple[str, bool] = ("", False)  # the user who was asked about last
        self._roots: dict[str, QuotaRoot] = {}
        self._tree = ""

    def run(self, mailboxes: Iterable[tuple[str, Mailbox]]) -> Iterator[Outcome]:
        """What comes of each that a rule is for. What goes wrong with one is told, and the others go on."""
        try:
            for name, mailbox in mailboxes:
                if str(mailbox.tree.root) != self._tree:
                    self._recount()
                    self._tree = str(mailbox.tree.root)
                outcome = self._one(name, mailbox)
                if outcome is not None:
                    yield outcome
        finally:
            self._recount()

    def _one(self, name: str, mailbox: Mailbox) -> Outcome | None:
        outcome = Outcome(name)
        try:
            rules = list(self.rules_for(mailbox))
            if rules and self._is_held(mailbox):
                outcome.held = True
                return outcome
            if not rules:
                return None
            run = FolderRun(self._store, mailbox, name, self._options, self._now)
            outcome = run.outcome
            run.run(rules)
        except (OSError, SievemdaError) as error:
            outcome.fail(error)
        if outcome.taken[0] and not self._options.dry:
            self._has_changed(mailbox)
        return outcome

    def rules_for(self, mailbox: Mailbox) -> Iterator[Rule]:
        """Those that hold for a mailbox, in their order, up to the first that shuts the others out."""
        excluded = self._rules.excluded
        if (excluded.exclude or excluded.exclude_users) and not excluded.covers(mailbox):
            return
        if self._annotations and (seconds := expire_of(self._store, mailbox)):
            yield Rule(ANNOTATION, Scope(), Criteria(age=seconds))
        for rule in self._rules.rules:
            if rule.scope.covers(mailbox):
                yield rule
                if rule.exclusive:
                    return

    def _is_held(self, mailbox: Mailbox) -> bool:
        owner = mailbox.name.owner
        if owner is None:
            return False
        if self._held[0] != owner:
            inbox = self._store.find(MailboxName(owner))
            self._held = (owner, inbox is not None and held_until(self._store, inbox) > self._now)
        return self._held[1]

    def _has_changed(self, mailbox: Mailbox) -> None:
        try:
            root = mailbox.quota_root()
        except (OSError, SievemdaError) as error:
            _log.error("%s: the quota is not known: %s", mailbox.path, error)
            return
        if root is not None:
            self._roots[str(root.path)] = root

    def _recount(self) -> None:
        for root in self._roots.values():
            try:
                root.changed()
            except (OSError, SievemdaError) as error:  # it is counted again when somebody asks
                _log.error("%s: the quota is not counted: %s", root.path, error)
        self._roots.clear()
