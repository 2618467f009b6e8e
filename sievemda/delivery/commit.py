"""Carries out what was decided for one recipient: the only code that has effects. RFC 5321 §6.1.

The order, and why it loses nothing:

    1  ask the memory what has been done already, holding each key against everybody else
    2  stage the message (one file per partition, synced), link it into each mailbox (folder synced)
    3  remember the copies, and the vacation replies that are about to be sent
    4  put redirects, replies and notices into the outbox, durably; remember the redirects

Stop before 2 is through: the MTA comes again and nothing is known of the message. Stop between 2 and 3: it comes again
and there is a copy too many, never one too few. Stop in 4: it comes again, the copies are known, and what had not left
leaves. Mail that leaves goes last because it cannot be called back.

If the memory cannot be read before anything is in place, that is the receipt's business; once something is, a look-up
that fails counts as "not done yet" and a record that cannot be written is only logged: the message is safe.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sievemda.config import Settings
from sievemda.delivery.content import Content
from sievemda.delivery.notices import rejection
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import Outgoing, answer, redirected
from sievemda.delivery.places import Obstacle, Place, Places
from sievemda.delivery.plan import Answer, Drop, File, Forward, NotDone, Plan, Refusal
from sievemda.delivery.staging import Staging
from sievemda.delivery.target import Target
from sievemda.errors import AlreadyExists, SievemdaError, TemporaryTrouble
from sievemda.logs import words
from sievemda.mail.envelope import Peer, Sender
from sievemda.mail.result import Receipt, Result
from sievemda.state.holds import Hold
from sievemda.state.memory import Key, Memory, Record
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore

log = logging.getLogger(__name__)

FAILED = "$SieveFailed"
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Parts:
    """What every delivery of this process shares."""

    settings: Settings
    store: MailStore
    memory: Memory
    outbox: Outbox
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Places(self.settings, self.store))


@dataclass(frozen=True, slots=True)
class Job:
    """One message for one recipient."""

    sender: Sender
    peer: Peer
    target: Target
    content: Content
    last: bool  # of the transaction


@dataclass(slots=True)
class Account:
    """What became of it, for the journal and the log."""

    done: list[dict[str, Any]] = field(default_factory=list)
    not_done: list[NotDone] = field(default_factory=list)
    failure: str = ""


class _NotFiled(Exception):
    """A message could not be put into a mailbox, because of this error of the store."""

    def __init__(self, error: OSError | SievemdaError) -> None:
        super().__init__(str(error))
        self.error = error


class Commit:
    """For one job; used once, in one thread, while `hold` is held."""

    def __init__(self, parts: Parts, job: Job, staging: Staging, hold: Hold, account: Account) -> None:
        self._parts = parts
        self._job = job
        self._staging = staging
        self._hold = hold
        self._account = account
        self._now = time.time()
        self._in_place = False  # whether a mailbox has the message
        self._fresh: list[Record] = []  # what is to be remembered next

    def carry_out(self, plan: Plan) -> Receipt:
        """Everything of the plan; plain delivery with a keyword when it fails on the way."""
        self._account.not_done += plan.not_done
        self._account.failure = plan.failure
        outgoing = [step for step in plan.steps if isinstance(step, Forward | Answer) and self._is_due(step)]
        receipt = self._refuse_or_file(plan)
        try:
            if self._account.failure:
                receipt = self.plain((FAILED,))
        finally:
            self._remember()
        if receipt.result is Result.DELIVERED:
            return self._send_all(outgoing, receipt)
        return receipt

    def plain(self, flags: tuple[str, ...] = ()) -> Receipt:
        """As without a script: the folder that the address names, else, whatever the reason, the INBOX."""
        try:
            return self._plain(flags)
        finally:
            self._remember()

    def inbox(self, flags: tuple[str, ...] = ()) -> Receipt:
        """Into the INBOX, or the board."""
        try:
            return self._last_resort(flags)
        finally:
            self._remember()

    def _plain(self, flags: tuple[str, ...]) -> Receipt:
        job = self._job
        detail = self._parts.places.detail(job.target, job.content.message.stored_size)
        if isinstance(detail, Obstacle):
            self._account.not_done.append(NotDone(f"delivery to +{job.target.recipient.address.local}", 0, detail.why))
        elif detail is not None:
            try:
                self._file(File(place=detail, flags=flags, action="delivery"), last=False)
            except _NotFiled as e:
                self._note_failure("delivery to the folder of the address", 0, e)
            else:
                return Receipt(Result.DELIVERED)
        return self._last_resort(flags)

    def _last_resort(self, flags: tuple[str, ...]) -> Receipt:
        place = self._parts.places.inbox(self._job.target, self._job.content.message.stored_size)
        if isinstance(place, Obstacle):
            self._account.not_done.append(NotDone("delivery", 0, place.why))
            return Receipt(place.result)
        try:
            self._file(File(place=place, flags=flags, action="delivery"), last=self._job.last)
        except _NotFiled as e:
            raise e.error from e.error.__cause__
        return Receipt(Result.DELIVERED)

    # --- into mailboxes --------------------------------------------------------------------------------------------

    def _refuse_or_file(self, plan: Plan) -> Receipt:
        files = [step for step in plan.steps if isinstance(step, File)]
        for step in plan.steps:
            match step:
                case File():
                    try:
                        self._file(step, last=self._job.last and step is files[-1] and not plan.failure)
                    except _NotFiled as e:
                        self._note_failure(step.action, step.line, e)
                        self._account.failure = f"line {step.line}: {step.action}: {e}"
                        break
                case Refusal():
                    return self._refuse(step)
                case Drop():
                    self._account.done.append({"action": "discard", "line": step.line})
                case Forward() | Answer():
                    pass  # later, when every copy is safe
        return Receipt(Result.DELIVERED)

    def _file(self, step: File, *, last: bool) -> None:
        """One copy, unless the mailbox has the message already. Raises _NotFiled when the store fails."""
        try:
            mailbox = step.place.mailbox or self._make(step.place)
            key = Key("delivered", self._job.content.message_id, mailbox.id, self._job.content.date)
        except (OSError, SievemdaError) as e:
            raise _NotFiled(e) from e
        name = self._parts.store.namespace.format_admin(mailbox.name)
        options = self._parts.settings.delivery
        if options.duplicatesuppression:
            self._hold.take(str(key))
            if self._seen(key):
                self._in_place = True
                self._account.not_done.append(NotDone(step.action, step.line, f"duplicate: {name} has it already"))
                return
        try:
            path = self._staging.put(mailbox, step.flags, step.message, last=last)
        except (OSError, SievemdaError) as e:
            raise _NotFiled(e) from e
        self._in_place = True
        if options.duplicatesuppression:
            self._fresh.append(Record(key, int(self._now) + options.memory_days * _DAY))
        done = {"action": step.action, "mailbox": name, "file": str(path), "flags": list(step.flags), "line": step.line}
        self._account.done.append(done)

    def _make(self, place: Place) -> Mailbox:
        """A folder that the script asked for."""
        store = self._parts.store
        try:
            mailbox = store.create(place.name)
        except AlreadyExists:
            found = store.find(place.name)
            if found is None:
                raise
            return found
        self._account.done.append({"action": "create", "mailbox": store.namespace.format_admin(place.name), "line": 0})
        return mailbox

    # --- out of the house ------------------------------------------------------------------------------------------

    def _is_due(self, step: Forward | Answer) -> bool:
        """Whether this has not been sent already; asked before anything is done."""
        key = self._key(step)
        self._hold.take(str(key))
        if not self._seen(key):
            return True
        if isinstance(step, Forward):
            self._account.not_done.append(
                NotDone("redirect", step.line, f"it was already redirected to {step.address}")
            )
        else:
            why = f"{step.respond.to} has had this answer in the last {period(step.respond.seconds)}"
            self._account.not_done.append(NotDone("vacation", step.line, why))
        return False

    def _key(self, step: Forward | Answer) -> Key:
        target, content = self._job.target, self._job.content
        if isinstance(step, Answer):
            return Key("vacation", step.respond.key, target.owner or "")
        place = f".{target.recipient.address}.sieve."
        return Key("redirect", f"{content.message_id}-{step.address}", place, content.date)

    def _send_all(self, steps: Iterable[Forward | Answer], receipt: Receipt) -> Receipt:
        """What cannot be taken by the outbox is a failure of the script: the message itself goes to the INBOX."""
        for step in steps:
            try:
                self._send(step)
            except OSError as e:
                action = "redirect" if isinstance(step, Forward) else "vacation"
                self._account.failure = f"line {step.line}: {action}: {e}"
                self._account.not_done.append(NotDone(action, step.line, str(e)))
                log.error("outgoing message not taken %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400
                return self.plain((FAILED,))
            finally:
                self._remember()
        return receipt

    def _send(self, step: Forward | Answer) -> None:
        options, sender, target = self._parts.settings, self._job.sender, self._job.target
        key = self._key(step)
        if isinstance(step, Forward):
            out = redirected(step.message, sender.reverse_path, target.recipient.address, step.address)
            self._parts.outbox.put(out)
            self._fresh.append(Record(key, int(self._now) + options.delivery.memory_days * _DAY))
            self._account.done.append({"action": "redirect", "to": step.address, "line": step.line})
            return
        self._fresh.append(Record(key, int(self._now) + step.respond.seconds))
        self._remember()  # before it is sent: rather no answer than two
        try:
            self._parts.outbox.put(answer(options, step.respond))
        except OSError:
            self._forget(key)
            raise
        self._account.done.append({"action": "vacation", "to": step.respond.to, "line": step.line})
        if step.copy is not None:
            self._keep_copy(step.copy)

    def _keep_copy(self, copy: File) -> None:
        """A copy of the reply; one that cannot be kept is noted. RFC 8580 §3.1."""
        try:
            mailbox = copy.place.mailbox or self._make(copy.place)
            path = self._staging.put(mailbox, copy.flags, copy.message, last=False)
        except (OSError, SievemdaError) as e:
            self._account.not_done.append(NotDone("fcc", copy.line, str(e)))
        else:
            self._account.done.append({"action": "fcc", "file": str(path), "line": copy.line})

    def _refuse(self, step: Refusal) -> Receipt:
        job = self._job
        done = {"action": "reject", "reason": step.reason[:1000], "line": step.line}
        if not step.by_mail:
            self._account.done.append(done)
            return Receipt(Result.REJECTED, step.reason)
        if job.sender.reverse_path is None:
            self._account.not_done.append(NotDone("reject", step.line, "nobody to tell: the sender is null"))
            return Receipt(Result.DELIVERED)
        self._parts.outbox.put(self._notice(step, job))
        self._account.done.append(done | {"to": str(job.sender.reverse_path)})
        return Receipt(Result.DELIVERED)

    def _notice(self, step: Refusal, job: Job) -> Outgoing:
        assert job.sender.reverse_path is not None
        content = job.content
        return rejection(
            self._parts.settings, content.message, content.message_id, job.sender.reverse_path,
            job.target.recipient, job.peer, step.reason,
        )  # fmt: skip

    # --- the memory ------------------------------------------------------------------------------------------------

    def _seen(self, key: Key) -> bool:
        try:
            return self._parts.memory.seen(key, self._now)
        except TemporaryTrouble as e:
            if not self._in_place:
                raise
            log.error("memory not read, delivered anyway %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400
            return False

    def _remember(self) -> None:
        records, self._fresh = self._fresh, []
        if not records:
            return
        try:
            self._parts.memory.remember(records, self._now)
        except TemporaryTrouble as e:
            log.error("memory not written %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400

    def _forget(self, key: Key) -> None:
        try:
            self._parts.memory.forget(key)
        except TemporaryTrouble as e:
            log.error("memory not written %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400

    def _note_failure(self, action: str, line: int, error: _NotFiled) -> None:
        why = str(error)
        self._account.not_done.append(NotDone(action, line, why))
        log.error("not filed %s", words(session=self._job.peer.session, action=action, error=why))


def period(seconds: int) -> str:
    """A time as people say it: `7 days`, `90 seconds`."""
    for unit, name in ((_DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
