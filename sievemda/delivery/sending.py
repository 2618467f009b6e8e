"""What leaves the house because of one job: redirects, replies, notifications, reports, notices of rejection.

Each goes into the outbox once: a redirect is remembered when the outbox has it (a crash before can send it twice), a
vacation reply before (a crash can lose it, and RFC 5230 §4.2 wants rather none than two). Notifications and reports are
remembered like redirects, so that a delivery that is tried again does not tell of itself twice (RFC 5436 §2.7); that
one cannot be sent is no failure of the script (RFC 5435 §3.8).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from sievemda.delivery.filing import mailbox_of
from sievemda.delivery.job import UNSAID, Account, Job, Parts
from sievemda.delivery.notices import Action, rejection, success
from sievemda.delivery.outgoing import answer, complaint, notification, redirected
from sievemda.delivery.recall import Recall
from sievemda.delivery.staging import Staging
from sievemda.delivery.steps import Announce, Answer, Complain, File, Forward, Refusal, Step, where
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.mail.message import Message
from sievemda.mail.result import Receipt, Result
from sievemda.state.memory import Key

log = logging.getLogger(__name__)

_DAY = 86_400
Letter = Forward | Answer | Announce | Complain  # what leaves because the script says so


class Sending:
    def __init__(self, parts: Parts, job: Job, staging: Staging, recall: Recall, account: Account) -> None:
        self._parts = parts
        self._job = job
        self._staging = staging
        self._recall = recall
        self._account = account

    def is_due(self, step: Letter) -> bool:
        """Whether this has not been sent already; asked before anything is done."""
        if not self._recall.seen(self._key(step)):
            return True
        match step:
            case Forward():
                self._account.left("redirect", step, f"it was already redirected to {step.address}")
            case Answer():
                why = f"{step.respond.to} has had this answer in the last {period(step.respond.seconds)}"
                self._account.left("vacation", step, why)
            case Announce():
                self._account.left("notify", step, f"{step.notify.method} was already told of it")
            case Complain():
                self._account.left("report", step, f"{step.report.to} has had this report already")
        return False

    def send_all(self, steps: Sequence[Step]) -> bool:
        """False when the outbox cannot take one: that is a failure of the script, and what follows is left out."""
        for step in steps:
            try:
                match step:
                    case Forward():
                        self._redirect(step)
                    case Answer():
                        self._answer(step)
                    case Announce() | Complain():
                        self._tell(step)
            except OSError as e:
                self._account.left("sending", step, str(e))
                self._account.failure = f"{where(step)}it could not be sent: {e}"
                log.error("outgoing message not taken %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400
                return False
            finally:
                self._recall.save()
        return True

    def refuse(self, step: Refusal) -> Receipt:
        """In the protocol, or by a notice; nobody is told what nobody sent. RFC 5429 §2.2.1. Raises OSError."""
        sender = self._job.sender.reverse_path
        if not step.by_mail:
            self._account.did("reject", step, reason=step.reason[:1000])
            return Receipt(Result.REJECTED, step.reason)
        if sender is None:
            self._account.left("reject", step, "nobody to tell: the sender is null")
            return Receipt(Result.DELIVERED)
        content, target = self._job.content, self._job.target
        self._parts.outbox.put(
            rejection(
                self._parts.settings,
                content.message,
                content.message_id,
                sender,
                target.recipient,
                self._job.peer,
                step.reason,
            )
        )
        self._account.did("reject", step, reason=step.reason[:1000], to=str(sender))
        return Receipt(Result.DELIVERED)

    def confirm(self) -> None:
        """Tell the sender that the message has arrived, when he asked for it. RFC 1891 §6.2.3, §6.2.7.3."""
        job, did = self._job, {done["action"] for done in self._account.done}
        if "SUCCESS" not in job.target.recipient.notify or job.sender.reverse_path is None or "reject" in did:
            return
        action: Action = "relayed" if did - {"vacation", "notify", "report", "fcc"} == {"redirect"} else "delivered"
        try:
            self._parts.outbox.put(
                success(self._parts.settings, job.content.message, job.sender, job.target.recipient, action)
            )
        except OSError as e:
            self._account.left("notice of success", UNSAID, str(e))
        else:
            self._account.did("notice of success", to=str(job.sender.reverse_path))

    def _redirect(self, step: Forward) -> None:
        job = self._job
        sent_on = redirected(self._parts.settings, step.message, job.sender, job.target.recipient, step.redirect)
        self._parts.outbox.put(sent_on)
        self._recall.done(self._key(step), self._parts.settings.delivery.memory_days * _DAY)
        self._account.did("redirect", step, to=step.address)

    def _answer(self, step: Answer) -> None:
        self._recall.done(self._key(step), step.respond.seconds)
        self._recall.save()
        reply = answer(self._parts.settings, step.respond)
        try:
            self._parts.outbox.put(reply)
        except OSError:
            self._recall.forget(self._key(step))
            raise
        self._account.did("vacation", step, to=step.respond.to)
        self._keep_copy(step.copy, reply.head)

    def _tell(self, step: Announce | Complain) -> None:
        try:
            if isinstance(step, Announce):
                self._announce(step)
            else:
                self._parts.outbox.put(complaint(self._parts.settings, step.report))
                self._account.did("report", step, to=step.report.to)
        except OSError as e:
            self._account.left("notify" if isinstance(step, Announce) else "report", step, str(e))
            log.error("outgoing message not taken %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400
            return
        self._recall.done(self._key(step), self._parts.settings.delivery.memory_days * _DAY)

    def _announce(self, step: Announce) -> None:
        """RFC 5435 §8 wants the use of notify logged: the journal has it, and the log has what leaves the outbox."""
        owner = str(self._job.target.recipient.address)
        mail, leaving = notification(self._parts.settings, step.notify, owner)
        for one in leaving:
            self._parts.outbox.put(one)
        self._account.did("notify", step, to=", ".join(one.recipient for one in leaving))
        self._keep_copy(step.copy, mail)

    def _keep_copy(self, copy: File | None, text: bytes) -> None:
        """A copy of what was sent, as it was sent; one that cannot be kept is noted. RFC 8580 §3, §4."""
        if copy is None:
            return
        store = self._parts.store
        try:
            mailbox, _ = mailbox_of(store, copy.place)
            path = self._staging.put(mailbox, copy.flags, Message(text), last=False)
        except (OSError, SievemdaError) as e:
            self._account.left("fcc", copy, str(e))
        else:
            name = store.namespace.format_admin(mailbox.name)
            self._account.did("fcc", copy, mailbox=name, file=str(path), flags=list(copy.flags))

    def _key(self, step: Letter) -> Key:
        """Semantics, section 4."""
        target, content = self._job.target, self._job.content
        place = f".{target.recipient.address}.sieve."
        match step:
            case Answer():
                return Key("vacation", step.respond.key, target.remembers)
            case Forward():
                return Key("redirect", f"{content.message_id}-{step.address}", place, content.date)
            case Announce(notify=told):
                what = f"{told.method}\0{told.message}\0{' '.join(told.recipients)}"
                return Key("notify", f"{content.message_id}-{_digest(what)}", place, content.date)
            case Complain(report=told):
                what = f"{told.to}\0{told.feedback_type}"
                return Key("report", f"{content.message_id}-{_digest(what)}", place, content.date)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def period(seconds: int) -> str:
    """A time as people say it: `7 days`, `90 seconds`."""
    for unit, name in ((_DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name if seconds != unit else name[:-1]}"
    return f"{seconds} seconds"
