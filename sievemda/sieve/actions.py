"""The list of what a script has decided so far: merging, conflicts, limits. RFC 5228 §2.10.1, §2.10.3; RFC 9122.

Equal actions are one: a second store into the same mailbox, a second redirect to the same address takes the place of
the first in the list, with the flags of the last (RFC 5232 §3); of two snoozes the last says when and where to.
Actions that contradict each other are run-time errors at the one that comes later, and the text names both lines. What
contradicts what is the table in `combining`.

An action of a script that ran before this one (`earlier`) contradicts nothing: the draft on several scripts, §4. What
has been done by it is not done again, and when the sender has got an answer, a later reject only discards.

Why keep and fileinto "INBOX" are one only for an address without detail: with one, keep goes to the folder that the
detail names, which only the store knows. It merges what then turns out to be the same mailbox.
"""

from __future__ import annotations

from dataclasses import replace

from sievemda.sieve.combining import cancels_keep, contradict, name
from sievemda.sieve.effects import (
    Discard,
    Effect,
    Notify,
    Redirect,
    Refuse,
    Report,
    Respond,
    Store,
)
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import RunError

INBOX = "inbox"


class Actions:
    def __init__(self, limits: Limits, *, keep_is_inbox: bool, earlier: tuple[Effect, ...] = ()) -> None:
        self.effects: list[Effect] = []
        self.implicit_keep = True
        self.filed: Store | None = None  # a fileinto the INBOX that has become one with a keep
        self._earlier = earlier
        self.limits = limits
        self._keep_is_inbox = keep_is_inbox

    def add(self, effect: Effect) -> None:
        """Put one action on the list. Raises `RunError` when it contradicts another or goes over a limit."""
        self._refuse_conflict(effect)
        if self._earlier:
            if cancels_keep(effect):
                self.implicit_keep = False
            if self._is_done(effect):
                return
            if isinstance(effect, Refuse) and self._has_answered():
                effect = Discard(line=effect.line, script=effect.script)
        if isinstance(effect, Notify):
            fresh = self._unheard(effect)
            if fresh is None:
                return
            effect = fresh
        at = next((n for n, known in enumerate(self.effects) if self._same(known, effect)), None)
        if at is None:
            self._refuse_excess(effect)
            self.effects.append(effect)
        else:
            self._merge(at, effect)
        if cancels_keep(effect):
            self.implicit_keep = False

    def _merge(self, at: int, effect: Effect) -> None:
        known = self.effects[at]
        for one, other in ((known, effect), (effect, known)):
            if (
                isinstance(one, Store)
                and isinstance(other, Store)
                and one.mailbox is not None
                and other.mailbox is None
            ):
                self.filed = one
        self.effects[at] = _merged(known, effect)

    def _same(self, one: Effect, other: Effect) -> bool:
        if isinstance(one, Store) and isinstance(other, Store):
            return self._place(one) == self._place(other)
        if isinstance(one, Redirect) and isinstance(other, Redirect):
            return _recipient(one) == _recipient(other)
        if isinstance(one, Report) and isinstance(other, Report):  # abuse reports §3
            return _report(one) == _report(other)
        return isinstance(one, Discard) and isinstance(other, Discard)

    def _is_done(self, effect: Effect) -> bool:
        """Whether an earlier script has done the same: then nobody gets a second one."""
        if isinstance(effect, Respond):
            return self._has_answered()
        if isinstance(effect, Refuse):
            return any(isinstance(done, Refuse) for done in self._earlier)
        return any(type(done) is type(effect) and self._same(done, effect) for done in self._earlier)

    def _has_answered(self) -> bool:
        return any(isinstance(done, Respond) and not done.suppressed for done in self._earlier)

    def _unheard(self, effect: Notify) -> Notify | None:
        """The notification for those alone who have had none yet, if there are any. RFC 5436 §2.7."""
        known = [other for other in (*self._earlier, *self.effects) if isinstance(other, Notify)]
        if not effect.recipients:
            same = any(other.method == effect.method and other.message == effect.message for other in known)
            return None if same else effect
        told = {_folded(address) for other in known for address in other.recipients}
        left = tuple(address for address in effect.recipients if _folded(address) not in told)
        return replace(effect, recipients=left) if left else None

    def _place(self, store: Store) -> str:
        """The mailbox as far as the language can tell: INBOX in any case, all else by its exact name."""
        if store.snooze is not None:
            return "snooze"
        if store.mailbox_id or store.special_use:
            return f"{store.mailbox_id}\0{store.special_use.lower()}\0{store.mailbox}"
        if store.mailbox is None:
            return f"/{INBOX}" if self._keep_is_inbox else ""
        return f"/{INBOX}" if store.mailbox.lower() == INBOX else f"/{store.mailbox}"

    def _refuse_conflict(self, effect: Effect) -> None:
        for known in self.effects:
            if contradict(known, effect):
                text = f"{name(effect)} ({_place(effect)}) cannot be combined with {name(known)} ({_place(known)})"
                raise RunError(text, effect.line)

    def _refuse_excess(self, effect: Effect) -> None:
        limits = self.limits
        if limits.actions and len(self.effects) >= limits.actions:
            text = f"total number of actions exceeds policy limit ({len(self.effects) + 1} > {limits.actions})"
            raise RunError(text, effect.line)
        if isinstance(effect, Notify):
            self._refuse_notify(effect)
        if isinstance(effect, Redirect):
            if not limits.redirects:
                raise RunError("local policy prohibits the use of a redirect action", effect.line)
            count = sum(isinstance(known, Redirect) for known in self.effects) + 1
            if count > limits.redirects:
                text = f"number of redirect actions exceeds policy limit ({count} > {limits.redirects})"
                raise RunError(text, effect.line)

    def _refuse_notify(self, effect: Notify) -> None:
        most = self.limits.notifications
        if not most:
            raise RunError("local policy prohibits the use of a notify action", effect.line)
        count = sum(isinstance(known, Notify) for known in self.effects) + 1
        if count > most:
            raise RunError(f"number of notify actions exceeds policy limit ({count} > {most})", effect.line)


def _place(effect: Effect) -> str:
    return f"line {effect.line} of {effect.script}" if effect.script else f"line {effect.line}"


def _recipient(redirect: Redirect) -> tuple[str, str]:
    return _folded(redirect.address)


def _report(report: Report) -> tuple[str, tuple[str, str]]:
    return report.feedback_type.lower(), _folded(report.to)


def _folded(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain.lower()


def _merged(first: Effect, last: Effect) -> Effect:
    """Place, text and `copy` come from the first; flags from the last. A keep takes over a store into INBOX."""
    if not isinstance(first, Store) or not isinstance(last, Store):
        return first
    if last.mailbox is None and first.mailbox is not None:
        return last
    if last.snooze is not None:
        return replace(first, flags=last.flags, snooze=last.snooze)
    return replace(first, flags=last.flags, create=first.create or last.create)
