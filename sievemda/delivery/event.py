r"""What a user did to a stored message over IMAP, seen by a script. RFC 6785.

The message is in its mailbox before the script runs. Keep, explicit or implicit, leaves it there, unedited, with the
flags that the script wants (§3.1, §3.8); an action that takes the message away without a keep marks it \Deleted
(§2.2.4, §3.3 to §3.5), which somebody else expunges. Whatever else the script decides is planned and carried out as at
a delivery, for its owner. After an error the message is as if no script had run.

Why an event has a name of its own in the delivery memory: what a delivery of the same message did is no reason not to
do it again, since fileinto "always creates a new message" here (§3.3). What a script does is no event (§6): nothing
here runs a script for it.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sievemda.delivery.commit import Commit
from sievemda.delivery.content import Content
from sievemda.delivery.facts import DeliveryFacts
from sievemda.delivery.job import Account, Job, Parts
from sievemda.delivery.plan import Planner
from sievemda.delivery.recall import Recall
from sievemda.delivery.scripts import Scripts, Source
from sievemda.delivery.staging import Staging
from sievemda.delivery.steps import Drop, Plan
from sievemda.delivery.target import Target
from sievemda.delivery.trace import now_field
from sievemda.errors import NotFound
from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Peer, Recipient, Sender
from sievemda.mail.flags import distinct
from sievemda.mail.message import Message
from sievemda.mail.result import Receipt, Result
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.extensions import imapsieve
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Outcome, run
from sievemda.store import messages
from sievemda.store.files import unique_name
from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName

log = logging.getLogger(__name__)

SCRIPT = "/shared/imapsieve/script"  # §2.3.1
DELETED = "\\Deleted"
_LOOKS = 3  # at a message whose file another program renames at the same time


@dataclass(frozen=True, slots=True)
class Event:
    """Somebody added a message to a mailbox of his, or changed its flags."""

    user: str
    mailbox: Mailbox
    unique: str  # of the message's file
    cause: str  # one of `imapsieve.CAUSES`
    changed: tuple[str, ...] = ()  # flags, for the cause FLAG


@dataclass(slots=True)
class Happened:
    """What came of it. `script` is None when there was none to run."""

    script: str | None = None
    outcome: Outcome | None = None
    problems: tuple[Problem, ...] = ()
    flags: tuple[str, ...] = ()
    account: Account = field(default_factory=Account)


class Events:
    """Runs the script of an event and does what it decides."""

    def __init__(self, parts: Parts, scripts: Scripts, limits: Limits) -> None:
        self._parts = parts
        self._store = parts.store
        self._scripts = scripts
        self._limits = limits

    def handle(self, event: Event) -> Happened:
        """Raises NotFound when there is no such user or message, OSError and TemporaryTrouble when the store fails."""
        result = Happened()
        inbox = self._store.find(MailboxName(event.user))
        file = messages.locate(event.mailbox, event.unique)
        if inbox is None or file is None:
            raise NotFound(f"no user {event.user}" if inbox is None else f"no message {event.unique} in the mailbox")
        result.flags = messages.flags_of(event.mailbox, file)
        try:
            name, program = self._program(event, inbox)
        except ScriptError as e:
            result.script, result.problems = self._script_name(event, inbox)[0], e.problems
            return result
        if program is None:
            return result
        result.script = name
        self._run(event, inbox, program, Message(file.read_bytes()), result)
        return result

    # -- which script --------------------------------------------------------------------------------------------

    def _script_name(self, event: Event, inbox: Mailbox) -> tuple[str, bool]:
        """The script's name, empty for none, and whether the server names it; the mailbox goes first, §2.3.1."""
        annotations = self._store.annotations
        own = annotations.get(event.mailbox, event.user, SCRIPT)
        if own is not None:
            return own, False
        return annotations.of_server(inbox, event.user).get(SCRIPT, ""), True

    def _program(self, event: Event, inbox: Mailbox) -> tuple[str, Program | None]:
        """A script that is not there is none. A global one counts where the server names it."""
        name, by_server = self._script_name(event, inbox)
        if not name:
            return "", None
        program = self._scripts.included(event.user, "personal", name, _unheard)
        if program is None and by_server:
            program = self._scripts.included(event.user, "global", name, _unheard)
        return name, program

    # -- running it ----------------------------------------------------------------------------------------------

    def _run(self, event: Event, inbox: Mailbox, program: Program, message: Message, result: Happened) -> None:
        local, _, domain = event.user.partition("@")
        owner = Address(local, domain or self._parts.settings.domain)
        target = Target(Recipient(owner), event.user, inbox)
        content = Content(message, message_id=f"event {unique_name()}", date=now_field())
        job = Job(Sender(owner), Peer(session="event"), target, content, last=True)
        staging = Staging(self._store, content)
        try:
            with self._parts.memory.hold() as hold:
                recall = Recall(self._parts.memory, hold, job.peer.session)
                outcome = self._decided(event, job, recall, program, result.flags)
                result.outcome = outcome
                if outcome.failure is not None:
                    result.problems = (outcome.failure,)
                    return
                commit = _CopiesAlone(self._parts, job, staging, recall, result.account)
                planner = Planner(self._parts.settings, self._parts.places, job.sender, target, message)
                others = tuple(effect for effect in outcome.effects if not _is_keep(effect))
                commit.carry_out(planner.plan(replace(outcome, effects=others)))
        finally:
            staging.close()
        if not result.account.failure:
            result.flags = self._give_flags(event, outcome, result.flags)

    def _decided(self, event: Event, job: Job, recall: Recall, program: Program, flags: tuple[str, ...]) -> Outcome:
        """The recipient has a detail, so that `keep` and `fileinto "INBOX"` are two things for the script."""
        facts = EventFacts(self._parts, job, recall, partial(self._scripts.included, told=_unheard), event)
        owner = job.target.recipient.address
        address = Address(f"{owner.local}{self._limits.recipient_delimiter[:1]}event", owner.domain)
        envelope = Envelope(job.sender, Recipient(address))
        return run(program, job.content.message, envelope, facts, self._limits, flags=flags)

    def _give_flags(self, event: Event, outcome: Outcome, before: tuple[str, ...]) -> tuple[str, ...]:
        r"""The flags of the keep that is in effect, else those it had and \Deleted."""
        keeps = [effect.flags for effect in outcome.effects if isinstance(effect, Store) and _is_keep(effect)]
        wanted = keeps[-1] if keeps else distinct((*before, DELETED))
        if {flag.lower() for flag in wanted} == {flag.lower() for flag in before}:
            return before
        may = self._parts.places.settable(event.user, event.mailbox, distinct((*before, *wanted)))
        flags = tuple(flag for flag in wanted if flag in may or flag in before)
        flags += tuple(flag for flag in before if flag not in may and flag not in flags)
        for _ in range(_LOOKS):
            file = messages.locate(event.mailbox, event.unique)
            if file is not None:
                with suppress(FileNotFoundError):
                    messages.set_flags(event.mailbox, file, flags)
                    return flags
        raise NotFound("the message has gone")


class EventFacts(DeliveryFacts):
    """The world as it is for a script that runs for an event."""

    def __init__(self, parts: Parts, job: Job, recall: Recall, included: partial[Program | None], event: Event) -> None:
        super().__init__(parts, job, recall, included)
        self._event = {
            "location": "MS",  # §4.1
            "phase": "post",
            imapsieve.USER: event.user,
            imapsieve.EMAIL: str(job.target.recipient.address),
            imapsieve.CAUSE: event.cause,
            imapsieve.MAILBOX: parts.store.namespace.format_user(event.mailbox.name, event.user),
            imapsieve.CHANGED: " ".join(event.changed) if event.cause == "FLAG" else "",
        }

    def environment(self, item: str) -> str | None:
        return self._event[item] if item in self._event else super().environment(item)


class _CopiesAlone(Commit):
    """What fails leaves the message where it is: there is nothing to deliver in its stead."""

    def _drop(self, step: Drop, plan: Plan) -> None:  # noqa: ARG002 - the message itself stays where it is
        self._account.did("discard", step)

    def plain(self, flags: tuple[str, ...] = ()) -> Receipt:  # noqa: ARG002 - there is nothing to flag
        return Receipt(Result.TROUBLE)

    def inbox(self, flags: tuple[str, ...] = ()) -> Receipt:  # noqa: ARG002
        return Receipt(Result.TROUBLE)


def find_message(mailbox: Mailbox, text: str) -> str:
    """The unique part of the name of the message that is meant by its file, its file's name or its UID. NotFound."""
    file = messages.by_uid(mailbox, int(text)) if text.isascii() and text.isdigit() else None
    file = file or messages.locate(mailbox, messages.unique_part(Path(text).name))
    if file is None:
        raise NotFound(f"no message {text} in the mailbox")
    return messages.unique_part(file.name)


def _is_keep(effect: Effect) -> bool:
    """A keep, wherever the implicit one is to go at a delivery."""
    return isinstance(effect, Store) and effect.snooze is None and (effect.mailbox is None or effect.implicit)


def _unheard(_source: Source) -> None:
    """Nobody asks which scripts were read."""
