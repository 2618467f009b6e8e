"""The list of what a script has decided so far: merging, conflicts, limits. RFC 5228 §2.10.1, §2.10.3; RFC 9122.

Equal actions are one: a second store into the same mailbox, a second redirect to the same address takes the place of
the first in the list, with the flags of the last (RFC 5232 §3). Actions that contradict each other are run-time
errors at the one that comes later, and the text names both lines.

Why keep and fileinto "INBOX" are one only for an address without detail: with one, keep goes to the folder that the
detail names, which only the store knows. It merges what then turns out to be the same mailbox.
"""

from __future__ import annotations

from dataclasses import replace

from sievemda.sieve.effects import (
    Discard,
    Effect,
    Notify,
    Pipe,
    Redirect,
    Refuse,
    Report,
    Respond,
    Snooze,
    Store,
    UpdateCalendar,
)
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import RunError

INBOX = "inbox"


class Actions:
    def __init__(self, limits: Limits, *, keep_is_inbox: bool) -> None:
        self.effects: list[Effect] = []
        self.implicit_keep = True
        self._limits = limits
        self._keep_is_inbox = keep_is_inbox

    def add(self, effect: Effect) -> None:
        """Put one action on the list. Raises `RunError` when it contradicts another or goes over a limit."""
        self._refuse_conflict(effect)
        at = next((n for n, known in enumerate(self.effects) if self._same(known, effect)), None)
        if at is None:
            self._refuse_excess(effect)
            self.effects.append(effect)
        else:
            self.effects[at] = _merged(self.effects[at], effect)
        if _cancels_keep(effect):
            self.implicit_keep = False

    def _same(self, one: Effect, other: Effect) -> bool:
        if isinstance(one, Store) and isinstance(other, Store):
            return self._place(one) == self._place(other)
        if isinstance(one, Redirect) and isinstance(other, Redirect):
            return _recipient(one) == _recipient(other)
        return isinstance(one, Discard) and isinstance(other, Discard)

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
            if _contradict(known, effect):
                text = f"{name(effect)} (line {effect.line}) cannot be combined with {name(known)} (line {known.line})"
                raise RunError(text, effect.line)

    def _refuse_excess(self, effect: Effect) -> None:
        limits = self._limits
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
        most = self._limits.notifications
        if not most:
            raise RunError("local policy prohibits the use of a notify action", effect.line)
        count = sum(isinstance(known, Notify) for known in self.effects) + 1
        if count > most:
            raise RunError(f"number of notify actions exceeds policy limit ({count} > {most})", effect.line)


def name(effect: Effect) -> str:
    """What the action is called in a script."""
    match effect:
        case Store(snooze=Snooze()):
            return "snooze"
        case Store(mailbox=None):
            return "keep"
        case Store():
            return "fileinto"
        case Refuse(extended=extended):
            return "ereject" if extended else "reject"
    return _NAMES[type(effect)]


_NAMES = {
    Redirect: "redirect",
    Discard: "discard",
    Respond: "vacation",
    Notify: "notify",
    Report: "report",
    Pipe: "pipe",
    UpdateCalendar: "processcalendar",
}


def _recipient(redirect: Redirect) -> tuple[str, str]:
    local, _, domain = redirect.address.rpartition("@")
    return local, domain.lower()


def _cancels_keep(effect: Effect) -> bool:
    """RFC 5228 §2.10.2, RFC 3894 §3, RFC 5429 §2.4, RFC 5230 §4.7."""
    match effect:
        case Store(copy=copy) | Redirect(copy=copy) | Pipe(copy=copy):
            return not copy
        case Discard() | Refuse():
            return True
        case Respond() | Notify() | Report() | UpdateCalendar():
            return False


def _contradict(one: Effect, other: Effect) -> bool:
    """RFC 5429 §2.4: reject with a delivery or an answer, or twice. RFC 5230 §4.7: vacation twice.

    RFC 9671 §4.9: processcalendar twice, or with reject. External programs §5.1: one program for pipe twice.
    """
    match one, other:
        case (Respond(), Respond()) | (UpdateCalendar(), UpdateCalendar()):
            return True
        case Pipe(program=first), Pipe(program=second):
            return first == second
    refusals = isinstance(one, Refuse) + isinstance(other, Refuse)
    return refusals > 0 and not (isinstance(one, _NEUTRAL) or isinstance(other, _NEUTRAL))


_NEUTRAL = Discard | Notify | Report  # goes with a refusal: nothing is delivered or answered


def _merged(first: Effect, last: Effect) -> Effect:
    """Place, text and `copy` come from the first; flags from the last. A keep takes over a store into INBOX."""
    if not isinstance(first, Store) or not isinstance(last, Store):
        return first
    if last.mailbox is None and first.mailbox is not None:
        return last
    return replace(first, flags=last.flags, create=first.create or last.create)
