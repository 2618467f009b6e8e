"""What leaves the house because of one job: redirects, vacation replies, notices of rejection.

Each goes into the outbox once: a redirect is remembered when the outbox has it (a crash before can send it twice), a
vacation reply before (a crash can lose it, and RFC 5230 §4.2 wants rather none than two).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sievemda.delivery.filing import mailbox_of
from sievemda.delivery.job import Account, Job, Parts
from sievemda.delivery.notices import Action, rejection, success
from sievemda.delivery.outgoing import answer, redirected
from sievemda.delivery.plan import Answer, File, Forward, Refusal, Step
from sievemda.delivery.recall import Recall
from sievemda.delivery.staging import Staging
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.mail.result import Receipt, Result
from sievemda.state.memory import Key

log = logging.getLogger(__name__)

_DAY = 86_400


class Sending:
    def __init__(self, parts: Parts, job: Job, staging: Staging, recall: Recall, account: Account) -> None:
        self._parts = parts
        self._job = job
        self._staging = staging
        self._recall = recall
        self._account = account

    def is_due(self, step: Forward | Answer) -> bool:
        """Whether this has not been sent already; asked before anything is done."""
        if not self._recall.seen(self._key(step)):
            return True
        if isinstance(step, Forward):
            self._account.left("redirect", step.line, f"it was already redirected to {step.address}")
        else:
            why = f"{step.respond.to} has had this answer in the last {period(step.respond.seconds)}"
            self._account.left("vacation", step.line, why)
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
            except OSError as e:
                self._account.left("sending", step.line, str(e))
                self._account.failure = f"line {step.line}: it could not be sent: {e}"
                log.error("outgoing message not taken %s", words(session=self._job.peer.session, error=e))  # noqa: TRY400
                return False
            finally:
                self._recall.save()
        return True

    def refuse(self, step: Refusal) -> Receipt:
        """In the protocol, or by a notice; nobody is told what nobody sent. RFC 5429 §2.2.1. Raises OSError."""
        sender = self._job.sender.reverse_path
        if not step.by_mail:
            self._account.did("reject", step.line, reason=step.reason[:1000])
            return Receipt(Result.REJECTED, step.reason)
        if sender is None:
            self._account.left("reject", step.line, "nobody to tell: the sender is null")
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
        self._account.did("reject", step.line, reason=step.reason[:1000], to=str(sender))
        return Receipt(Result.DELIVERED)

    def confirm(self) -> None:
        """Tell the sender that the message has arrived, when he asked for it. RFC 1891 §6.2.3, §6.2.7.3."""
        job, did = self._job, {done["action"] for done in self._account.done}
        if "SUCCESS" not in job.target.recipient.notify or job.sender.reverse_path is None or "reject" in did:
            return
        action: Action = "relayed" if did == {"redirect"} else "delivered"
        try:
            self._parts.outbox.put(
                success(self._parts.settings, job.content.message, job.sender, job.target.recipient, action)
            )
        except OSError as e:
            self._account.left("notice of success", 0, str(e))
        else:
            self._account.did("notice of success", 0, to=str(job.sender.reverse_path))

    def _redirect(self, step: Forward) -> None:
        self._parts.outbox.put(redirected(step.message, self._job.sender, self._job.target.recipient, step.address))
        self._recall.done(self._key(step), self._parts.settings.delivery.memory_days * _DAY)
        self._account.did("redirect", step.line, to=step.address)

    def _answer(self, step: Answer) -> None:
        self._recall.done(self._key(step), step.respond.seconds)
        self._recall.save()
        try:
            self._parts.outbox.put(answer(self._parts.settings, step.respond))
        except OSError:
            self._recall.forget(self._key(step))
            raise
        self._account.did("vacation", step.line, to=step.respond.to)
        if step.copy is not None:
            self._keep_copy(step.copy)

    def _keep_copy(self, copy: File) -> None:
        """A copy of the reply; one that cannot be kept is noted. RFC 8580 §3.1."""
        store = self._parts.store
        try:
            mailbox, _ = mailbox_of(store, copy.place)
            path = self._staging.put(mailbox, copy.flags, copy.message, last=False)
        except (OSError, SievemdaError) as e:
            self._account.left("fcc", copy.line, str(e))
        else:
            name = store.namespace.format_admin(mailbox.name)
            self._account.did("fcc", copy.line, mailbox=name, file=str(path), flags=list(copy.flags))

    def _key(self, step: Forward | Answer) -> Key:
        """Semantics, section 4."""
        target, content = self._job.target, self._job.content
        if isinstance(step, Answer):
            return Key("vacation", step.respond.key, target.owner or "")
        place = f".{target.recipient.address}.sieve."
        return Key("redirect", f"{content.message_id}-{step.address}", place, content.date)


def period(seconds: int) -> str:
    """A time as people say it: `7 days`, `90 seconds`."""
    for unit, name in ((_DAY, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name if seconds != unit else name[:-1]}"
    return f"{seconds} seconds"
