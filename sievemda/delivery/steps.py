"""What is to be done for one recipient, as data: the steps of a plan. `plan` makes them, `commit` carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.delivery.places import Place
from sievemda.mail.message import Message
from sievemda.sieve.effects import (
    Effect,
    Notify,
    Pipe,
    Redirect,
    Remember,
    Report,
    Respond,
    Said,
    Snooze,
    UpdateCalendar,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Said):
    """Put the message (an edited one, if there is one) there."""

    place: Place
    flags: tuple[str, ...] = ()
    message: Message | None = None
    action: str = "keep"
    snooze: Snooze | None = None  # when it leaves that place again


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward(Said):
    """Send the message on to one address."""

    redirect: Redirect
    message: Message

    @property
    def address(self) -> str:
        return self.redirect.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Said):
    """Send the reply, unless that was done lately, and put a copy of it into a mailbox."""

    respond: Respond
    copy: File | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Said):
    """Send the notification, and put a copy of it into a mailbox."""

    notify: Notify
    copy: File | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complain(Said):
    """Send the abuse report."""

    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Said):
    """Refuse the message: in the protocol, or by a notice to its sender."""

    reason: str
    by_mail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Said):
    """Nothing, on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Said):
    """Hand the message to a program."""

    pipe: Pipe
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Said):
    """Write objects of the owner's calendar."""

    update: UpdateCalendar


def where(said: Said) -> str:
    """The script, when it is not the user's own, and the line, in front of what is said about it."""
    return (f"{said.script}: " if said.script else "") + (f"line {said.line}: " if said.line else "")


Step = File | Forward | Answer | Announce | Complain | Refusal | Drop | Feed | Schedule


@dataclass(frozen=True, slots=True)
class NotDone:
    action: str
    line: int
    why: str
    script: str = ""  # when it is not the user's own


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]
    not_done: tuple[NotDone, ...] = ()
    failure: str = ""  # why the script could not be followed to its end
    broken: bool = False  # because it could not even be started
    remember: tuple[Remember, ...] = ()  # when all has gone well
    tried: bool = False  # only programs take the message, and their failing is no failure: it is kept if all fail
    fallback: File | None = None  # where it is kept then; None: as without a script
    stuck: Effect | None = None  # the action that cannot be done
    why: str = ""  # not
