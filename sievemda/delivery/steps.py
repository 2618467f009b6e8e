"""What is to be done for one recipient, as data: the steps of a plan. `plan` makes them, `commit` carries them out."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.delivery.places import Place
from sievemda.mail.message import Message
from sievemda.sieve.effects import Notify, Pipe, Redirect, Remember, Report, Respond, Snooze, UpdateCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Put the message (an edited one, if there is one) there."""

    place: Place
    flags: tuple[str, ...] = ()
    message: Message | None = None
    action: str = "keep"
    line: int = 0
    snooze: Snooze | None = None  # when it leaves that place again


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Send the message on to one address."""

    redirect: Redirect
    message: Message
    line: int

    @property
    def address(self) -> str:
        return self.redirect.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Send the reply, unless that was done lately, and put a copy of it into a mailbox."""

    respond: Respond
    copy: File | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Send the notification, and put a copy of it into a mailbox."""

    notify: Notify
    copy: File | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Complain:
    """Send the abuse report."""

    report: Report
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Refuse the message: in the protocol, or by a notice to its sender."""

    reason: str
    by_mail: bool
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Nothing, on purpose."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Hand the message to a program."""

    pipe: Pipe
    message: Message
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Write objects of the owner's calendar."""

    update: UpdateCalendar
    line: int


Step = File | Forward | Answer | Announce | Complain | Refusal | Drop | Feed | Schedule


@dataclass(frozen=True, slots=True)
class NotDone:
    action: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[Step, ...]
    not_done: tuple[NotDone, ...] = ()
    failure: str = ""  # why the script could not be followed to its end
    broken: bool = False  # because it could not even be started
    remember: tuple[Remember, ...] = ()  # when all has gone well
    tried: bool = False  # only programs take the message, and their failing is no failure: it is kept if all fail
    fallback: File | None = None  # where it is kept then; None: as without a script
