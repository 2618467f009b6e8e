"""How actions combine: one table for all of them, as the registry of RFC 9122 asks of each.

Every row follows the RFC that defines the action:

    action           with reject   twice        implicit keep     said by
    keep, fileinto   error         merged (1)   cancelled (2)     RFC 5228 §2.10.2, §2.10.3; RFC 5429 §2.4
    snooze           error         merged       cancelled         snooze draft §8.2
    redirect         error         merged (1)   cancelled (2)     RFC 5228 §4.2; RFC 5429 §2.4
    discard          allowed       merged       cancelled         RFC 5228 §4.4
    reject, ereject  error         -            cancelled         RFC 5429 §2.4
    vacation         error         error        as it is          RFC 5230 §4.7
    notify           allowed       merged (3)   as it is          RFC 5435 §7, RFC 5436 §2.7
    report           allowed       merged (4)   as it is          abuse reports §3
    pipe             error         error (5)    cancelled (2)     external programs §5.1
    processcalendar  error         error        as it is          RFC 9671 §4.9

(1) of one mailbox, to one address; others stand beside it   (2) not with `:copy`, RFC 3894 §3   (3) recipients who have
had one get no second   (4) of one type to one address   (5) of one program

What changes the message or its flags, and what only asks, combines with everything and is not in the list of actions.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    with_reject: bool
    twice: bool  # whether there may be another one; equal ones are merged by who keeps the list
    cancels_keep: bool


_RULES: dict[type[Effect], Rule] = {
    Store: Rule("fileinto", with_reject=False, twice=True, cancels_keep=True),
    Redirect: Rule("redirect", with_reject=False, twice=True, cancels_keep=True),
    Discard: Rule("discard", with_reject=True, twice=True, cancels_keep=True),
    Refuse: Rule("reject", with_reject=False, twice=False, cancels_keep=True),
    Respond: Rule("vacation", with_reject=False, twice=False, cancels_keep=False),
    Notify: Rule("notify", with_reject=True, twice=True, cancels_keep=False),
    Report: Rule("report", with_reject=True, twice=True, cancels_keep=False),
    Pipe: Rule("pipe", with_reject=False, twice=False, cancels_keep=True),
    UpdateCalendar: Rule("processcalendar", with_reject=False, twice=False, cancels_keep=False),
}


def name(effect: Effect) -> str:
    """What the action is called in a script."""
    match effect:
        case Store(snooze=Snooze()):
            return "snooze"
        case Store(mailbox=None) | Store(implicit=True):
            return "keep"
        case Refuse(extended=True):
            return "ereject"
    return _RULES[type(effect)].name


def cancels_keep(effect: Effect) -> bool:
    """Whether no implicit keep is due because of it."""
    if isinstance(effect, Redirect) and effect.suppressed:
        return False
    copy = isinstance(effect, Store | Redirect | Pipe) and effect.copy
    return _RULES[type(effect)].cancels_keep and not copy


def contradict(one: Effect, other: Effect) -> bool:
    """Whether a script must not say both."""
    if isinstance(one, Pipe) and isinstance(other, Pipe):
        return one.program == other.program
    if type(one) is type(other):
        return not _RULES[type(one)].twice
    if isinstance(one, Refuse) or isinstance(other, Refuse):
        rules = _RULES[type(one)], _RULES[type(other)]
        return not any(rule.with_reject for rule in rules)
    return False
