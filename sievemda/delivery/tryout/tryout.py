"""Goes through the newest messages of a user and says what one script would do with each, and what another one.

Both run as at a delivery, with the scripts of the site before and after them and under the same limits, on the message
as it lies in the mailbox; the planner of deliveries makes of it what would be done. Quotas are not looked at, for the
message has its room already.

Messages in folders for sent mail and drafts are left out: they were never delivered. A message that lies in several
folders is looked at once. What cannot be read, or has gone meanwhile, is told and passed over.

Why one message at a time and a generator: whoever asks decides when it is enough, memory does not grow with their
number, and nothing is left behind when he goes away.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sievemda.delivery.bounds import limits_of
from sievemda.delivery.content import Content
from sievemda.delivery.customs import takes_duplicates
from sievemda.delivery.job import Job, Parts
from sievemda.delivery.places import Obstacle, Place
from sievemda.delivery.plan import Planner
from sievemda.delivery.resolve import Resolver
from sievemda.delivery.scripts import Own, Scripts, Source
from sievemda.delivery.steps import File, Plan
from sievemda.delivery.target import Target
from sievemda.delivery.tryout.envelope import Envelopes, Handed
from sievemda.delivery.tryout.treatment import NOTHING, Treatment, treatment
from sievemda.delivery.tryout.world import TryoutFacts
from sievemda.errors import NotFound, SievemdaError
from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.sequence import Stage, run_all
from sievemda.state.journal import Journal
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.newest import Found, newest

MOST_OCTETS = 16 << 20  # of one message; a larger one is passed over
_COPIES = 2  # files that are looked for in place of one message, since it may lie in several folders
_NOT_DELIVERED = {"\\sent", "\\drafts"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One message. With a `problem` it could not be looked at, and nothing else is known but where it lay."""

    mailbox: str  # as its owner calls it
    file: str  # its name in there
    arrived: float  # seconds since 1970
    problem: str = ""
    message_id: str = ""
    sender: str = ""  # the From field
    subject: str = ""
    envelope: tuple[str, str] = ("", "")
    old: Treatment = NOTHING
    new: Treatment = NOTHING
    not_run: tuple[str, ...] = ()  # programs that were asked for

    @property
    def differs(self) -> bool:
        return not self.old.is_as(self.new)

    @property
    def moves(self) -> bool:
        """Whether it would end up elsewhere."""
        return not self.old.goes_as(self.new)

    @property
    def told(self) -> tuple[str, str]:
        """In words what is done, and what would be."""
        return self.old.sentence, self.new.sentence

    def as_json(self) -> dict[str, Any]:
        where: dict[str, Any] = {"mailbox": self.mailbox, "file": self.file, "arrived": round(self.arrived, 3)}
        if self.problem:
            return where | {"problem": self.problem}
        sender, recipient = self.envelope
        about = {"message_id": self.message_id, "from": self.sender, "subject": self.subject}
        told = {"envelope": {"from": sender, "to": recipient}, "differs": self.differs}
        told |= {"active": self.old.as_json(), "new": self.new.as_json()}
        return where | about | told | ({"programs_not_run": list(self.not_run)} if self.not_run else {})


@dataclass(frozen=True, slots=True)
class Range:
    """Which messages: how many, in which folder (as their owner calls it; all without), not before that time."""

    most: int
    folder: str = ""
    since: float = 0.0


class Tryout:
    """Thread-safe. `journal` is None when the site keeps none."""

    def __init__(
        self, parts: Parts, journal: Journal | None, scripts: Scripts, resolver: Resolver, limits: Limits
    ) -> None:
        self._parts = parts
        self._journal = journal
        self._scripts = scripts
        self._resolver = resolver
        self._limits = limits

    def names(self, owner: str, own: Own | None = None) -> tuple[str, ...]:
        """Of the scripts that run, in order, or would with `own`. Raises StoreTrouble when they cannot be read."""
        return self._scripts.names(owner, own)

    def begin(self, owner: str, name: str, text: bytes | None, old: Own | None = None) -> Trial:
        """That script beside the active one, or `old`, as both are now; no text is to have none.

        Raises NotFound when there is no such user.
        """
        inbox = self._parts.store.find(MailboxName(owner))
        if inbox is None:
            raise NotFound(f"there is no user {owner}")
        runs = _Runs(self._parts, self._scripts, limits_of(self._parts.settings, self._limits, owner), owner)
        rows = runs.row(old), runs.row(Own(name, text))
        return Trial(
            self._parts.store, runs, rows, Envelopes(self._parts.settings, self._resolver, self._journal, inbox)
        )


class Trial:
    """Two rows of scripts for one user, as they were when it began; used by one thread at a time."""

    def __init__(
        self, store: MailStore, runs: _Runs, rows: tuple[list[Stage], list[Stage]], envelopes: Envelopes
    ) -> None:
        self._store = store
        self._runs = runs
        self._rows = rows
        self._envelopes = envelopes

    def run(self, wanted: Range, go_on: Callable[[], bool] = lambda: True) -> Generator[Compared, None, None]:
        """The newest messages first, until `go_on` says no. Raises NotFound when there is no such folder."""
        folders = self._folders(self._runs.owner, wanted.folder)
        seen: set[str] = set()
        left = wanted.most
        for found in newest(folders, wanted.most * _COPIES, wanted.since, go_on):
            if not (left and go_on()):
                return
            compared = self._compared(found, seen)
            if compared is not None:
                left -= 1
                yield compared

    def last(self, most: int, go_on: Callable[[], bool]) -> Iterator[Compared]:
        """So many of all folders."""
        return self.run(Range(most), go_on)

    def _folders(self, owner: str, folder: str) -> Iterator[Mailbox]:
        if folder:
            found = self._store.find_for(folder, owner)
            if found is None:
                raise NotFound(f"{owner} has no folder {folder}")
            return iter((found,))
        return (each for each in self._store.mailboxes_of(owner) if not _uses(each) & _NOT_DELIVERED)

    def _compared(self, found: Found, seen: set[str]) -> Compared | None:
        """None for a message that was looked at in another folder, or has gone."""
        where = self._runs.named(found.mailbox.name), found.name, found.arrived
        try:
            data = found.read(MOST_OCTETS)
        except FileNotFoundError:
            return None
        except OSError as error:
            large = error.errno == errno.EFBIG
            return Compared(*where, problem=f"larger than {MOST_OCTETS >> 20} MiB" if large else "it cannot be read")
        message = Message(data.replace(b"\r\n", b"\n") if b"\r" in data else data)
        identifier = next(iter(message.values("Message-ID")), "")
        if identifier and identifier in seen:
            return None
        seen.add(identifier)
        handed = self._envelopes.of(message)
        (old, one), (new, other) = (self._runs.treat(row, message, handed, found.arrived) for row in self._rows)
        sender, subject = (next(iter(message.values(name)), "") for name in ("From", "Subject"))
        path = handed.sender.reverse_path
        envelope = "" if path is None else str(path), str(handed.target.recipient.address)
        return Compared(*where, "", identifier, sender, subject, envelope, old, new, tuple(sorted(one | other)))


class _Runs:
    """Runs rows of scripts for one user. Each script that they include is read once."""

    def __init__(self, parts: Parts, scripts: Scripts, limits: Limits, owner: str) -> None:
        self._parts = parts
        self._scripts = scripts
        self._limits = limits
        self.owner = owner
        self._included = cache(self._include)

    def row(self, own: Own | None) -> list[Stage]:
        """The scripts of a delivery, each read once."""
        return [_once(stage) for stage in self._scripts.row(self.owner, _unheard, own)]

    def named(self, name: MailboxName) -> str:
        return self._parts.store.namespace.format_user(name, self.owner)

    def treat(
        self, row: list[Stage], message: Message, handed: Handed, arrived: float
    ) -> tuple[Treatment, frozenset[str]]:
        """What would be done, and the programs that were asked for."""
        content = Content(message)
        job = Job(handed.sender, handed.peer, handed.target, content, last=True)
        facts = TryoutFacts(self._parts, job, self._found, arrived)
        envelope = Envelope(handed.sender, handed.target.recipient)
        outcome = run_all(row, message, envelope, facts, self._limits)
        planner = Planner(self._parts.settings, self._parts.places, handed.sender, handed.target, message)
        plan = planner.plan(outcome)
        kept = self._kept(handed.target, message, plan) if plan.failure else None
        return treatment(plan, kept, self.named), frozenset(facts.not_run)

    def _kept(self, target: Target, message: Message, plan: Plan) -> Place | None:
        """Where a message goes when its script fails (semantics, section 8, "Failure"); None when it is there then."""
        places, size = self._parts.places, message.stored_size
        found = places.inbox(target, size) if plan.broken else places.detail(target, size)
        if not isinstance(found, Place):
            found = places.inbox(target, size)
        return None if isinstance(found, Obstacle) or self._is_filed(found, plan) else found

    def _is_filed(self, place: Place, plan: Plan) -> bool:
        """Whether the plan puts it there before it fails: a second copy would be a duplicate, and is not made."""
        if not any(isinstance(step, File) and step.place.name == place.name for step in plan.steps):
            return False
        again = place.mailbox is not None and takes_duplicates(self._parts.store, place.mailbox)
        return self._parts.settings.delivery.duplicatesuppression and not again

    def _found(self, owner: str, location: str, name: str) -> Program | None:
        found = self._included(owner, location, name)
        if isinstance(found, ScriptError):
            raise found
        return found

    def _include(self, owner: str, location: str, name: str) -> Program | ScriptError | None:
        try:
            return self._scripts.included(owner, location, name, _unheard)
        except ScriptError as error:
            return error


def _once(stage: Stage) -> Stage:
    kept: list[Program | ScriptError] = []

    def load() -> Program:
        if not kept:
            try:
                kept.append(stage.load())
            except ScriptError as error:
                kept.append(error)
        if isinstance(kept[0], ScriptError):
            raise kept[0]
        return kept[0]

    return Stage(load, stage.origin)


def _uses(mailbox: Mailbox) -> set[str]:
    try:
        return set(mailbox.special_use.lower().split())
    except (OSError, SievemdaError):
        return set()


def _unheard(_source: Source) -> None:
    """Nobody asks which scripts were read."""
