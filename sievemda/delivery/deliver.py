"""One message, all its recipients, one receipt each: the whole flow.

    verify    at RCPT: address -> Target, or why not                                     resolve
    intake    blocks of DATA -> Content in its stored form                               content
    deliver   for each target in order: script -> Outcome -> Plan -> commit -> Receipt   plan, commit

Everything here may be called from any thread. `deliver` is total: whatever happens to one recipient becomes that
recipient's receipt, is logged with its traceback and the session, and never touches the others.

Why one recipient after the other: replies are due in that order, an MTA opens several sessions anyway, and two
addresses of one user then need no lock between them.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from sievemda.delivery.bounds import limits_of
from sievemda.delivery.commit import Commit
from sievemda.delivery.content import Content, Intake
from sievemda.delivery.facts import DeliveryFacts
from sievemda.delivery.job import UNSAID, Job, Parts
from sievemda.delivery.plan import Planner
from sievemda.delivery.recall import Recall
from sievemda.delivery.record import Trail, entry, in_short, refused_entry
from sievemda.delivery.resolve import Resolver
from sievemda.delivery.scripts import Scripts
from sievemda.delivery.staging import Staging
from sievemda.delivery.target import Target
from sievemda.errors import StoreTrouble, TemporaryTrouble
from sievemda.logs import words
from sievemda.mail.envelope import Envelope, Peer, Recipient, Sender
from sievemda.mail.result import Receipt, Result
from sievemda.sieve.compile import Programs
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.run import Outcome
from sievemda.sieve.sequence import Stage, run_all
from sievemda.state.holds import Busy
from sievemda.state.journal import Journal

log = logging.getLogger(__name__)

DAMAGED = {errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EUCLEAN}  # something in the mailbox is not what it must be
# What disks and damaged mailboxes do: where in the program says nothing.
FORESEEN = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO} | DAMAGED


class Deliverer:
    """Thread-safe. `journal` is None when the site keeps none."""

    def __init__(self, parts: Parts, journal: Journal | None, programs: Programs, limits: Limits) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._resolver = Resolver(parts.settings, parts.store, parts.places, programs.users.get)
        self._journal = journal
        self._scripts = Scripts(parts.settings, parts.store, programs)
        self._limits = limits

    def verify(self, sender: Sender, recipient: Recipient, peer: Peer) -> Target | Receipt:
        """At RCPT: who that is, or the receipt with which to refuse. Never raises."""
        try:
            return self._resolver.verify(sender, recipient)
        except Exception as e:  # noqa: BLE001 - whatever it is, it is this recipient's receipt
            self._log_trouble(e, "verification failed", words(session=peer.session, to=recipient.address))
            return Receipt(_result_of(e))

    def intake(self, sender: Sender, peer: Peer, targets: Sequence[Target]) -> Intake:
        """Where the blocks of DATA go: dot-unstuffed, divided anywhere. There must be a target."""
        return Intake(self._settings, self._parts.store, sender, peer, targets[0].partition)

    def deliver(
        self,
        sender: Sender,
        peer: Peer,
        targets: Sequence[Target],
        content: Content,
        refused: Sequence[tuple[Recipient, Receipt]] = (),
    ) -> list[Receipt]:
        """One receipt per target, in order, and the content closed. Never raises.

        `refused` are the recipients that RCPT did not accept: now that the message has a name, `why` can tell of them.
        """
        staging = Staging(self._parts.store, content)
        receipts: list[Receipt] = []
        entries: list[dict[str, Any]] = []
        try:
            for number, target in enumerate(targets, 1):
                trail = Trail()
                job = Job(sender, peer, target, content, last=number == len(targets))
                receipt = self._deliver_one(job, staging, trail)
                receipts.append(Receipt(receipt.result, receipt.reason, trail.id if self._journal else ""))
                self._account(job, receipt, trail, entries)
        finally:
            self._finish(staging, content)
        if self._journal:
            told = (refused_entry(sender, peer, content, recipient, receipt) for recipient, receipt in refused)
            self._journal.record(*entries, *told)
        return receipts

    def _account(self, job: Job, receipt: Receipt, trail: Trail, entries: list[dict[str, Any]]) -> None:
        """For the journal and the log; no trouble with either changes what has been delivered."""
        try:
            entries.append(entry(job, receipt, trail))
            log.info("delivery %s", words(**in_short(entries[-1])))
        except Exception:
            log.exception("delivery not accounted for %s", words(session=job.peer.session, id=trail.id))

    def _finish(self, staging: Staging, content: Content) -> None:
        for close in (staging.close, content.close):
            try:
                close()
            except Exception:
                log.exception("left behind %s", words(msgid=content.message_id))

    def _deliver_one(self, job: Job, staging: Staging, trail: Trail) -> Receipt:
        """Total: every exception becomes a receipt."""
        if job.content.refusal is not None:
            return job.content.refusal
        try:
            with self._parts.memory.hold() as hold:
                recall = Recall(self._parts.memory, hold, job.peer.session)
                commit = Commit(self._parts, job, staging, recall, trail.account)
                receipt = self._decide(job, commit, recall, trail)
                if receipt.result is Result.DELIVERED:
                    commit.confirm()
                return receipt
        except Exception as e:  # noqa: BLE001 - whatever it is, it is this recipient's receipt
            trail.error = f"{type(e).__name__}: {e}"
            what = words(session=job.peer.session, msgid=job.content.message_id, to=job.target.recipient.address)
            self._log_trouble(e, "delivery failed", what)
            return Receipt(_result_of(e))

    def _decide(self, job: Job, commit: Commit, recall: Recall, trail: Trail) -> Receipt:
        row = self._row(job, trail)
        if not row:
            return commit.plain()
        outcome = self._run(row, job, recall, trail)
        planner = Planner(self._settings, self._parts.places, job.sender, job.target, job.content.message)
        receipt = commit.carry_out(planner.plan(outcome))
        if why := trail.account.failure:
            log.warning("script failed %s", words(session=job.peer.session, user=job.target.remembers, why=why))
        return receipt

    def _row(self, job: Job, trail: Trail) -> list[Stage]:
        """The scripts that are to run. A board whose script cannot be used is as one that has none, and it is said."""
        target = job.target
        if target.owner is not None:
            return self._scripts.row(target.owner, trail.read)
        try:
            return self._scripts.of_board(target, trail.read)
        except (ScriptError, OSError, TemporaryTrouble) as e:
            trail.account.left("script", UNSAID, f"the script of the board cannot be used: {e}")
            log.warning(
                "script failed %s", words(session=job.peer.session, board="/".join(target.mailbox.name.path), why=e)
            )
            return []

    def _run(self, row: Sequence[Stage], job: Job, recall: Recall, trail: Trail) -> Outcome:
        envelope = Envelope(job.sender, job.target.recipient)
        facts = DeliveryFacts(self._parts, job, recall, partial(self._scripts.included, told=trail.read))
        limits = limits_of(self._settings, self._limits, job.target.owner)
        outcome = run_all(row, job.content.message, envelope, facts, limits)
        trail.ran(outcome)
        return outcome

    def _log_trouble(self, error: Exception, event: str, what: str) -> None:
        """What is foreseen, a full disk too, gets a line; everything else its traceback."""
        foreseen = isinstance(error, TemporaryTrouble | StoreTrouble) or getattr(error, "errno", 0) in FORESEEN
        log.error("%s %s", event, f"{what} {words(error=error)}", exc_info=None if foreseen else error)


def _result_of(error: Exception) -> Result:
    """Every trouble is temporary; the peer is told no more than its kind."""
    match error:
        case Busy():
            return Result.BUSY
        case TemporaryTrouble():
            return Result.MEMORY_TROUBLE
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return Result.DISK_FULL
        case StoreTrouble(__cause__=OSError(errno=errno.ENOSPC | errno.EDQUOT)):
            return Result.DISK_FULL
        case OSError(errno=number) if number in DAMAGED:
            return Result.MAILBOX_BROKEN
    return Result.TROUBLE
