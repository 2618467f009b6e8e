"""What would be done with a message: a value that can be compared, told to people, and handed to programs.

Two treatments are the same when the same would be done, in whatever order and whichever line of a script says so. What
is compared of an action is everything that somebody could notice: the folder (not the name it was called by), flags,
the text of an edited message, of a reply or a notification, who gets it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sievemda.delivery.commit import FAILED
from sievemda.delivery.places import Place
from sievemda.delivery.steps import (
    Announce,
    Answer,
    Complain,
    Drop,
    Feed,
    File,
    Forward,
    Plan,
    Refusal,
    Schedule,
    Step,
)
from sievemda.mail.message import Message
from sievemda.sieve.report import to_json
from sievemda.store.names import MailboxName

_TAKEN = File | Forward | Refusal | Feed  # the message is somewhere then, or its sender knows that it is not

Named = Callable[[MailboxName], str]  # a mailbox as its owner calls it


@dataclass(frozen=True, slots=True)
class Done:
    """One action: `key` is what is compared, `sentence` and `details` are for people and programs."""

    key: tuple[object, ...]
    sentence: str = field(compare=False)
    details: dict[str, Any] = field(compare=False)
    place: MailboxName | None = None  # where it puts the message, if it does


@dataclass(frozen=True, slots=True)
class Treatment:
    actions: tuple[Done, ...]
    failure: str = ""  # why the script could not be followed to its end; who compares, does not ask

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(sorted(repr(done.key) for done in self.actions))

    def is_as(self, other: Treatment) -> bool:
        """Whether nobody could tell them apart."""
        return self._keys == other._keys

    def goes_as(self, other: Treatment) -> bool:
        """Whether the message ends up in the same places: folders, people, or nowhere."""
        return self._ends == other._ends

    @property
    def _ends(self) -> tuple[str, ...]:
        ends = (repr(done.place) if done.place else repr(done.key) for done in self.actions)
        return tuple(sorted(end for done, end in zip(self.actions, ends, strict=True) if done.place or done.key[1]))

    @property
    def sentence(self) -> str:
        r"""In words: `to Lists with \Flagged; sent on to a@b`."""
        told = "; ".join(done.sentence for done in self.actions) or "nothing"
        return f"{told} (the script failed: {self.failure})" if self.failure else told

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"sentence": self.sentence, "actions": [done.details for done in self.actions]}
        return told | ({"failure": self.failure} if self.failure else {})


NOTHING = Treatment(())


def treatment(plan: Plan, kept: Place | None, named: Named) -> Treatment:
    """What a plan comes to. `kept` is where the message goes when the plan fails.

    A discard beside what takes the message somewhere does nothing that anybody could notice.
    """
    taken = kept is not None or any(isinstance(step, _TAKEN) for step in plan.steps)
    actions = [_done(step, named) for step in plan.steps if not (taken and isinstance(step, Drop))]
    if plan.failure and kept is not None:
        actions.append(_filed(File(place=kept, flags=(FAILED,)), named))
    return Treatment(tuple(actions), plan.failure)


def _done(step: Step, named: Named) -> Done:
    match step:
        case File():
            return _filed(step, named)
        case Forward():
            told = to_json(step.redirect)
            return _said(told, f"sent on to {step.address}", step.redirect.message, where=True)
        case Refusal():
            told = {"action": "reject" if step.by_mail else "ereject", "reason": step.reason}
            return _said(told, "refused", where=True)
        case Drop():
            return _said({"action": "discard"}, "discarded", where=True)
        case Feed():
            return _said(
                to_json(step.pipe), f"handed to the program {step.pipe.program}", step.pipe.message, where=True
            )
    return _told(step, named)


def _told(step: Answer | Announce | Complain | Schedule, named: Named) -> Done:
    """Mail of ours, and what is written down: the message goes nowhere by that."""
    match step:
        case Answer():
            told, text, sentence = to_json(step.respond), step.respond.text, f"answered to {step.respond.to}"
        case Announce():
            told, text, sentence = to_json(step.notify), step.notify.text, f"announced to {step.notify.method}"
        case Complain():
            told, text, sentence = to_json(step.report), step.report.text, f"reported to {step.report.to}"
        case Schedule():
            told, text, sentence = to_json(step.update), b"", "written into the calendar"
    copy = step.copy if isinstance(step, Answer | Announce) else None
    if copy is not None:
        told = told | {"fcc": named(copy.place.name), "fcc_flags": list(copy.flags)}
    return _said(told, sentence, Message(text) if text else None)


def _said(told: dict[str, Any], sentence: str, text: Message | None = None, *, where: bool = False) -> Done:
    """`where`: it decides where the message ends up."""
    return Done((json.dumps(told, sort_keys=True), where, _digest(text)), sentence, told)


def _filed(step: File, named: Named) -> Done:
    mailbox, flags = named(step.place.name), sorted(step.flags, key=str.lower)
    told: dict[str, Any] = {"action": step.action.replace("implicit ", ""), "mailbox": mailbox, "flags": flags}
    told |= dict(_more(step))
    key = tuple(flag.lower() for flag in flags)
    awakens = step.snooze.awakens.isoformat() if step.snooze else ""
    sentence = f"to {mailbox}"
    sentence += f" with {' '.join(flags)}" if flags else ""
    sentence += f" until {awakens}" if awakens else ""
    sentence += ", edited" if step.message is not None else ""
    key_of = (step.place.name, key, _digest(step.message), repr(step.snooze))
    return Done(key_of, sentence, told, step.place.name)


def _more(step: File) -> Iterator[tuple[str, Any]]:
    if step.place.mailbox is None:
        yield "create", True
    if step.message is not None:
        yield "edited", True
    if step.snooze is not None:
        yield "awakens", step.snooze.awakens.isoformat()
    if step.action.startswith("implicit "):
        yield "implicit", True


def _digest(message: Message | None) -> str:
    return "" if message is None else sha256(message.data).hexdigest()
