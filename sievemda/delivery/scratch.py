"""A world for test files: one user with a real Maildir in a directory of its own, and mail that goes nowhere.

What a script decided is planned and carried out by the code that delivers. What is different is said here: names have a
dot between their parts and nobody else has mailboxes; `reject` is always answered by mail; nothing is remembered; what
is sent is put on a list, one entry for each recipient; all of a result is done or nothing.

Why the names of the places for other users and shared folders are what nobody writes: Pigeonhole's world has only the
user's own mailboxes, and any name is one of them.

Why flags are remembered here and not in the names of files: a Maildir folder has room for 26 keywords, and a test file
never empties a mailbox.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

from sievemda.config import Autocreate, Delivery, Names, Settings, Sieve, Site
from sievemda.delivery.commit import Commit
from sievemda.delivery.content import Content
from sievemda.delivery.job import Account, Job, Parts
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import Outgoing
from sievemda.delivery.plan import Planner
from sievemda.delivery.programs import about
from sievemda.delivery.recall import Recall
from sievemda.delivery.staging import Staging
from sievemda.delivery.steps import Plan
from sievemda.delivery.target import Target
from sievemda.errors import DataError, SievemdaError
from sievemda.mail.attachment import has_attachment
from sievemda.mail.envelope import Envelope, Peer
from sievemda.mail.message import Message
from sievemda.sieve.combining import name as action_name
from sievemda.sieve.effects import Effect, Notify, Refuse, Respond, Store
from sievemda.sieve.facts import Executed
from sievemda.sieve.run import Outcome
from sievemda.sieve.testing.site import Programs
from sievemda.sieve.testing.world import Due, Letter, NoMailbox, Stored
from sievemda.state.memory import Key, Memory
from sievemda.store.keywords import NoKeywords
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.messages import known_flags
from sievemda.store.names import MailboxName

USER = "user"
_MEMORY = "/dev/shm"  # noqa: S108 - a directory of our own is made in it
_NOBODY = "\ufdd0"  # a character that no name has
_DATE = re.compile(rb"^Date: [^\n]*", re.MULTILINE)


def settings_for(data: Path) -> Settings:
    """Those of a site with this one user."""
    return Settings(
        data=data,
        site=Site(postmaster="postmaster@example.com"),
        names=Names(unixhierarchysep=False, userprefix=_NOBODY, sharedprefix=_NOBODY),
        autocreate=Autocreate(anysievefolder=False),
        delivery=Delivery(duplicatesuppression=False),
        sieve=Sieve(sieve_use_lmtp_reject=False),
    )


class ScratchWorld:
    """Below a directory that is made for it; for one thread. See `sieve.testing.world.World`."""

    def __init__(self, directory: Path | None = None) -> None:
        """Without a directory it is a temporary one, which `close` removes. Raises OSError."""
        self._remove = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="svtest-", dir=directory or _temporary()))
        self._settings = settings_for(self.directory)
        self._store = MailStore(self._settings)
        self._outbox = _Sent(self._settings)
        self._inbox = self._store.create(MailboxName(USER))
        self._store.files = replace(self._store.files, keywords=NoKeywords(0o600))
        self._arrived: dict[MailboxName, list[_Arrived]] = {}  # what is in the mailboxes, in the order in which it came

    @property
    def sent(self) -> Sequence[Letter]:
        return self._outbox.letters

    def forget_sent(self) -> None:
        self._outbox.letters.clear()

    def close(self) -> None:
        if self._remove:
            shutil.rmtree(self.directory, ignore_errors=True)

    # -- mailboxes ---------------------------------------------------------------------------------------------

    def mailbox_exists(self, name: str) -> bool:
        return self._find(name) is not None

    def create_mailbox(self, name: str) -> None:
        try:
            self._store.create(self._name(name))
        except SievemdaError:  # there already, or none that can be
            return

    def delete_mailbox(self, name: str) -> None:
        mailbox = self._existing(name)
        if mailbox.name.is_inbox:
            raise NoMailbox("the INBOX is always there")
        try:
            self._store.delete(mailbox.name)
        except SievemdaError as e:
            raise NoMailbox(str(e)) from e
        self._arrived.pop(mailbox.name, None)

    def stored(self, mailbox: str, index: int) -> Stored | None:
        found = self._existing(mailbox)
        arrived = self._arrived.get(found.name, [])
        if index >= len(arrived):
            return None
        return Stored(arrived[index].file.read_bytes(), arrived[index].flags)

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        if mailbox is None:
            return self._store.annotations.of_server(self._inbox, USER).get(entry.lower())
        found = self._find(mailbox)
        return None if found is None else self._store.annotations.get(found, USER, entry)

    def annotate(self, mailbox: str | None, entry: str, value: str) -> None:
        if mailbox is None:
            self._store.annotations.set_server(self._inbox, USER, entry, value)
        else:
            self._store.annotations.set(self._existing(mailbox), USER, entry, value)

    def _name(self, text: str) -> MailboxName:
        """DataError for what can be none. A slash separates nothing here, and no name has one."""
        if "/" in text:
            raise DataError(f"{text[:200]!r} cannot be the name of a mailbox: it has a slash")
        return self._store.namespace.parse_user(text, USER)

    def _find(self, text: str) -> Mailbox | None:
        try:
            return self._store.find(self._name(text))
        except (DataError, OSError):
            return None

    def _existing(self, text: str) -> Mailbox:
        found = self._find(text)
        if found is None:
            raise NoMailbox(f"it does not exist: {text[:200]!r}")
        return found

    # -- carrying out ------------------------------------------------------------------------------------------

    def execute(
        self,
        envelope: Envelope,
        programs: Mapping[str, Programs],
        kind: str,
        program: str,
        arguments: Sequence[str],
        data: bytes,
    ) -> Executed | None:
        environment = about(envelope.sender, self._target(envelope), self._store.home)
        return self._parts(programs).programs.run(kind, program, arguments, data, environment)

    def carry_out(self, due: Due) -> str:
        job = self._job(due)
        parts, account = self._parts(due.programs), Account()
        staging, before = Staging(self._store, job.content), len(self._outbox.letters)
        self._outbox.clock = due.clock
        effects = tuple(_as_here(effect, due.message) for effect in due.effects)
        fallback = _marked(due.fallback, due.message)
        planner = Planner(self._settings, parts.places, job.sender, job.target, job.content.message)
        plan = planner.plan(Outcome(effects, implicit_keep=False, failure=None, tests=(), fallback=fallback))
        commit = Commit(parts, job, staging, _Forgetful(), account)
        keep = _marked(Store(), due.message).flags
        try:
            why = commit.all_or_nothing(plan, keep)
        finally:
            staging.close()
        if why:
            del self._outbox.letters[before:]
        self._note_arrivals(account)
        return self._in_words(plan, why) if why else ""

    def _job(self, due: Due) -> Job:
        message = due.message
        message_id = next(iter(message.values("Message-ID")), "")
        content = Content(message, message_id, next(iter(message.values("Date")), ""), message.size)
        return Job(due.envelope.sender, Peer("test"), self._target(due.envelope), content, last=False)

    def _target(self, envelope: Envelope) -> Target:
        return Target(envelope.recipient, USER, self._inbox)

    def _parts(self, programs: Mapping[str, Programs]) -> Parts:
        """With the programs that the test file has set."""
        changes: dict[str, Any] = {}
        for kind, place in programs.items():
            changes[f"sieve_{kind}_bin_dir"] = place.directory
            changes[f"sieve_{kind}_exec_timeout"] = math.ceil(place.timeout)
            changes[f"sieve_{kind}_input_eol"] = place.line_end
        settings = self._settings.with_changes(sieve=self._settings.sieve.with_changes(**changes))
        return Parts(settings, self._store, Memory(settings.memory_path), self._outbox)

    def _note_arrivals(self, account: Account) -> None:
        for done in account.done:
            if "file" in done:
                name = self._store.namespace.parse_admin(done["mailbox"])
                self._arrived.setdefault(name, []).append(_Arrived(Path(done["file"]), known_flags(done["flags"])))

    def _in_words(self, plan: Plan, why: str) -> str:
        stuck = plan.stuck
        if stuck is None:
            return why
        if not isinstance(stuck, Store):
            return f"failed to {action_name(stuck)}: {plan.why}"
        named = stuck.mailbox or "INBOX"
        return f"failed to store into mailbox '{named}': {self._why_not(named) or plan.why}"

    def _why_not(self, text: str) -> str:
        """What is wrong with a mailbox of that name; empty when nothing is."""
        try:
            name = self._name(text)
            if not name.is_inbox:
                self._store.namespace.check_new(name)
        except DataError as e:
            return f"invalid mailbox name: {e}"
        return "" if self._find(text) else "the mailbox does not exist"


def _temporary() -> str | None:
    """Where a temporary directory is best: in memory, where the syncs of a store cost nothing; `None`: as usual."""
    return _MEMORY if os.access(_MEMORY, os.W_OK | os.X_OK) and "TMPDIR" not in os.environ else None


def _as_here(effect: Effect, message: Message) -> Effect:
    """Refusing goes by mail, since nobody is there to whom it could be said; what is stored is marked.

    Where it was said is left out: of an error, only its text is compared.
    """
    effect = replace(effect, line=0, script="")
    if isinstance(effect, Refuse):
        return replace(effect, extended=False)
    if isinstance(effect, Respond | Notify) and effect.fcc is not None:
        return replace(effect, fcc=_marked(effect.fcc, Message(effect.text)))
    return _marked(effect, message) if isinstance(effect, Store) else effect


def _marked(store: Store, message: Message) -> Store:
    """With the keyword by which Dovecot says whether a stored message has an attachment."""
    marks = ("$HasAttachment", "$HasNoAttachment")
    flags = [flag for flag in store.flags if flag.lower() not in {mark.lower() for mark in marks}]
    return replace(store, flags=(*flags, marks[not has_attachment(store.message or message)]))


class _Arrived(NamedTuple):
    file: Path
    flags: tuple[str, ...]


class _Sent(Outbox):
    """An outbox out of which nothing leaves: its messages are at their end, each with its recipient."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.letters: list[Letter] = []
        self.clock: datetime | None = None

    def put(self, outgoing: Outgoing) -> None:
        data = b"".join(map(bytes, outgoing.blocks()))
        if self.clock is not None and outgoing.kind != "redirect":
            data = _DATE.sub(f"Date: {format_datetime(self.clock)}".encode(), data, count=1)
        self.letters.append(Letter(outgoing.sender, outgoing.recipient, data))


class _Forgetful(Recall):
    """A memory in which nothing has ever been done."""

    def __init__(self) -> None:
        self.in_place = False

    def seen(self, key: Key) -> bool:  # noqa: ARG002 - whatever it is
        return False

    def done(self, key: Key, seconds: int) -> None:
        """Nothing is remembered."""

    def save(self) -> None:
        """Nothing is remembered."""

    def forget(self, key: Key) -> None:
        """Nothing is remembered."""
