"""From what a script decided to what is to be done: data that can be printed, compared and refused.

Every place is looked up and checked here, before anything is done, in the order of the script. The first action that
cannot be done ends the plan: those before it stand, those behind it are noted as skipped, and the message goes where
it would have gone without a script, with the keyword $SieveFailed (semantics, section 8, "Failure"). After a run-time
error of the script itself nothing of it is done, since evaluation comes before action.

Two stores that turn out to be the same mailbox are one: the later one, with its flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sievemda.config import Settings
from sievemda.delivery.places import Obstacle, Place, Places, Wish
from sievemda.delivery.steps import (
    Announce,
    Answer,
    Complain,
    Drop,
    Feed,
    File,
    Forward,
    NotDone,
    Plan,
    Refusal,
    Schedule,
    Step,
    where,
)
from sievemda.delivery.target import Target
from sievemda.mail.address import parse_address
from sievemda.mail.envelope import Sender
from sievemda.mail.message import Message
from sievemda.sieve.combining import cancels_keep
from sievemda.sieve.combining import name as action_name
from sievemda.sieve.effects import (
    Discard,
    Effect,
    Notify,
    Pipe,
    Redirect,
    Refuse,
    Report,
    Respond,
    Store,
    UpdateCalendar,
)
from sievemda.sieve.run import Outcome


class Planner:
    """Makes the plan for one target."""

    def __init__(self, settings: Settings, places: Places, sender: Sender, target: Target, message: Message) -> None:
        self._settings = settings
        self._places = places
        self._sender = sender
        self._target = target
        self._message = message
        self._not_done: list[NotDone] = []

    def plan(self, outcome: Outcome) -> Plan:
        if outcome.failure is None:
            plan = self._plan(outcome.effects)
            plan = replace(plan, remember=outcome.remember)
            return self._with_fallback(plan, outcome) if _only_tried(outcome.effects) else plan
        done = len(outcome.settled)
        plan = self._plan(outcome.settled)
        skipped = [NotDone(action_name(e), e.line, "the script failed", e.script) for e in outcome.effects[done:]]
        return Plan(plan.steps, (*plan.not_done, *skipped), _words(outcome), outcome.broken)

    def _with_fallback(self, plan: Plan, outcome: Outcome) -> Plan:
        """External programs §5: with `:try` a program that fails was never there, and the implicit keep is due."""
        kept = self._file(outcome.fallback)
        return replace(plan, tried=True, fallback=None if isinstance(kept, str) else kept)

    def _plan(self, decided: tuple[Effect, ...]) -> Plan:
        effects = each_recipient(decided)
        steps: list[Step] = []
        for index, effect in enumerate(effects):
            step = self._step(effect)
            if isinstance(step, str):
                self._not_done.append(NotDone(action_name(effect), effect.line, step, effect.script))
                for skipped_effect in effects[index + 1 :]:
                    self._skip(skipped_effect)
                failure, not_done = _failure(effect, step), tuple(self._not_done)
                return Plan(self._merged(steps), not_done, failure, stuck=effect, why=step)
            if step is not None:
                steps.append(step)
        return Plan(self._merged(steps), tuple(self._not_done))

    def _skip(self, effect: Effect) -> None:
        why = "an action before it could not be done"
        self._not_done.append(NotDone(action_name(effect), effect.line, why, effect.script))

    def _step(self, effect: Effect) -> Step | str | None:
        """What to do, or in words why it cannot be done, or nothing."""
        match effect:
            case Store():
                return self._file(effect)
            case Redirect():
                return self._forward(effect)
            case Respond() | Notify() | Report():
                return self._tell(effect)
            case Refuse():
                return Refusal(
                    reason=self._reason(effect), by_mail=self._by_mail(effect), line=effect.line, script=effect.script
                )
            case Discard():
                return Drop(line=effect.line, script=effect.script)
            case Pipe():
                return Feed(
                    pipe=effect, message=effect.message or self._message, line=effect.line, script=effect.script
                )
            case UpdateCalendar():
                return self._schedule(effect)

    def _schedule(self, update: UpdateCalendar) -> Schedule | None:
        if update.objects:
            return Schedule(update=update, line=update.line, script=update.script)
        self._not_done.append(NotDone("processcalendar", update.line, update.reason or update.outcome, update.script))
        return None

    def _file(self, store: Store, right: str = "p") -> File | str:
        place = self._place(store, right)
        if isinstance(place, Obstacle):
            return place.why
        action = "implicit keep" if store.implicit else action_name(store)
        flags = store.flags
        if place.mailbox is not None:
            flags = self._places.settable(self._target.identity, place.mailbox, flags)
        if left := " ".join(flag for flag in store.flags if flag not in flags):
            why = f"{self._target.identity or 'anonymous'} may not set {left} there"
            self._not_done.append(NotDone("setflag", store.line, why, store.script))
        snooze = store.snooze
        filed = File(place=place, flags=flags, message=store.message, action=action, snooze=snooze)
        return replace(filed, line=store.line, script=store.script)

    def _place(self, store: Store, right: str) -> Place | Obstacle:
        size = (store.message or self._message).stored_size
        if store.snooze is not None:
            return self._places.snoozed(self._target, size)
        if store.mailbox is None:
            return self._places.keep(self._target, size)
        wish = Wish(store.mailbox, store.mailbox_id, store.special_use, store.create)
        place = self._places.named(self._target, wish, size, right)
        if isinstance(place, Obstacle) and store.implicit:  # what nobody decided about goes where it always went
            self._not_done.append(NotDone("implicit_keep_target", store.line, place.why, store.script))
            return self._places.keep(self._target, size)
        return place

    def _forward(self, redirect: Redirect) -> Forward | str | None:
        if redirect.suppressed:
            self._not_done.append(NotDone("redirect", redirect.line, redirect.suppressed, redirect.script))
            return None
        if parse_address(redirect.address) is None:
            return f"{redirect.address!r} is not an address"
        return Forward(
            redirect=redirect, message=redirect.message or self._message, line=redirect.line, script=redirect.script
        )

    def _tell(self, effect: Respond | Notify | Report) -> Step | None:
        """A mail of ours, unless the language has found that none must go out."""
        if effect.suppressed:
            self._not_done.append(NotDone(action_name(effect), effect.line, effect.suppressed, effect.script))
            return None
        match effect:
            case Respond():
                return Answer(respond=effect, copy=self._copy(effect), line=effect.line, script=effect.script)
            case Notify():
                return Announce(notify=effect, copy=self._copy(effect), line=effect.line, script=effect.script)
            case Report():
                return Complain(report=effect, line=effect.line, script=effect.script)

    def _copy(self, effect: Respond | Notify) -> File | None:
        """Where a copy of our mail goes; one that cannot be kept is no reason not to send it. RFC 8580 §3."""
        if effect.fcc is None:
            return None
        fcc = replace(effect.fcc, message=Message(effect.text), script=effect.script)
        filed = self._file(fcc, right="i")
        if isinstance(filed, str):
            self._not_done.append(NotDone("fcc", fcc.line, filed, fcc.script))
            return None
        return filed

    def _by_mail(self, refuse: Refuse) -> bool:
        """`ereject` refuses in the protocol always, `reject` when the text survives it. RFC 5429 §2.1, §2.2."""
        if refuse.extended:
            return False
        survives = refuse.reason.isascii() or self._sender.smtputf8
        return not (self._settings.sieve.sieve_use_lmtp_reject and survives)

    def _reason(self, refuse: Refuse) -> str:
        """RFC 5429 §2.1.1: an ASCII rendering where the protocol cannot carry the text."""
        if refuse.extended and not self._sender.smtputf8:
            return as_ascii(refuse.reason)
        return refuse.reason

    def _merged(self, steps: list[Step]) -> tuple[Step, ...]:
        last = {_folder(step): index for index, step in enumerate(steps) if isinstance(step, File)}
        merged: list[Step] = []
        for index, step in enumerate(steps):
            if isinstance(step, File) and last[_folder(step)] != index:
                why = "a later action stores into the same mailbox"
                self._not_done.append(NotDone(step.action, step.line, why, step.script))
            else:
                merged.append(step)
        return tuple(merged)


def _folder(step: File) -> object:
    """What two copies must not have in common; a snoozed one is in its mailbox only for a time."""
    return step.place.name, step.snooze is None


def _only_tried(effects: Sequence[Effect]) -> bool:
    """Whether nothing but programs that are only tried stands in the way of the implicit keep."""
    takers = [effect for effect in effects if cancels_keep(effect)]
    return bool(takers) and all(isinstance(effect, Pipe) and effect.optional for effect in takers)


def each_recipient(effects: Sequence[Effect]) -> list[Effect]:
    """A redirect to a list (RFC 6134 §2.3) as one for each member who does not get the message anyway."""
    single = {_folded(effect.address) for effect in effects if isinstance(effect, Redirect) and not effect.members}
    found: list[Effect] = []
    for effect in effects:
        if not isinstance(effect, Redirect) or not effect.members:
            found.append(effect)
            continue
        for member in effect.members:
            if _folded(member) not in single:
                single.add(_folded(member))
                found.append(replace(effect, address=member, members=()))
    return found


def _folded(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain.lower()


def as_ascii(text: str) -> str:
    """A text in ASCII: letters lose their accents, what has no letter becomes `?`."""
    import unicodedata  # noqa: PLC0415 - rarely wanted

    plain = (unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode() or "?" for c in text)
    return "".join(c if c.isascii() else p for c, p in zip(text, plain, strict=True))


def _words(outcome: Outcome) -> str:
    """Why the scripts could not be followed to their end."""
    failure = outcome.failure
    assert failure is not None
    whose = f"{failure.script}: " if failure.script else ""
    if outcome.broken:
        return f"{whose}the script cannot be used: {failure}"
    return f"{whose}line {failure.line}: {failure.text}"


def _failure(effect: Effect, why: str) -> str:
    named = f' "{effect.mailbox}"' if isinstance(effect, Store) and effect.mailbox else ""
    return f"{where(effect)}{action_name(effect)}{named}: {why}"
