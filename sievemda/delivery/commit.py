"""Carries out what was decided for one recipient: with `sending`, the only code that has effects. RFC 5321 §6.1.

The order, and why it loses nothing:

    1  ask the memory what has been done already, holding each key against everybody else
    2  stage the message (one file per partition, synced), link it into each mailbox (folder synced)
    3  remember the copy, each at once: that keeps the time short in which a crash makes one too many
    4  write calendars; hand the message to programs, and remember each
    5  put redirects, replies and notices into the outbox, durably; remember them

Stop before 2 is through: the MTA comes again and nothing is known of the message. Stop between 2 and 3: it comes again
and there is a copy too many, never one too few. Stop in 4 or 5: it comes again, the copies are known, and what had
not left leaves. Mail that leaves goes last because it cannot be called back.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from pathlib import Path

from sievemda.delivery.customs import remembered, takes_duplicates
from sievemda.delivery.feeding import Feeding
from sievemda.delivery.filing import mailbox_of, place_after
from sievemda.delivery.job import UNSAID, Account, Job, Parts
from sievemda.delivery.places import Obstacle, Place
from sievemda.delivery.recall import Recall, duplicate_key
from sievemda.delivery.scheduling import schedule
from sievemda.delivery.sending import Sending
from sievemda.delivery.snoozes import Note, Snoozes
from sievemda.delivery.staging import Staging
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
    where,
)
from sievemda.delivery.withholding import withhold
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.mail.result import Receipt, Result
from sievemda.policy.quota import OverQuota
from sievemda.sieve.effects import Said, Snooze
from sievemda.state.memory import Key
from sievemda.store.files import unique_name
from sievemda.store.mailbox import Mailbox

log = logging.getLogger(__name__)

FAILED = "$SieveFailed"
_DAY = 86_400
_MOVES = 3  # of a folder while one message is put into it


class _NotFiled(Exception):
    """A message could not be put into a mailbox, because of this error of the store."""

    def __init__(self, error: OSError | SievemdaError) -> None:
        super().__init__(str(error))
        self.error = error


class Commit:
    """For one job; used once, in one thread, while what `recall` asks for is held."""

    def __init__(self, parts: Parts, job: Job, staging: Staging, recall: Recall, account: Account) -> None:
        self._parts = parts
        self._job = job
        self._staging = staging
        self._account = account
        self._recall = recall
        self._sending = Sending(parts, job, staging, recall, account)
        self._feeding = Feeding(parts, job, recall, account)

    def carry_out(self, plan: Plan) -> Receipt:
        """Everything of the plan; plain delivery with a keyword when it fails on the way."""
        self._account.not_done += plan.not_done
        self._account.failure = plan.failure
        due = [step for step in plan.steps if self._is_due(step)]
        done, receipt = self._file_all(due, plan)
        if self._account.failure:
            receipt = self.inbox((FAILED,)) if plan.broken else self.plain((FAILED,))
        if receipt.result not in {Result.DELIVERED, Result.REJECTED}:
            return receipt
        for step in due[:done]:
            if isinstance(step, Schedule):
                schedule(self._parts, self._job, self._account, step)
        if not (self._feeding.feed_all(due[:done]) and self._sending.send_all(due[:done])):
            return self.plain((FAILED,)) if receipt.result is Result.DELIVERED else receipt
        if plan.tried and not self._feeding.taken and not self._account.failure:
            receipt = self._fall_back(plan)
        if not self._account.failure:
            self._remember(plan)
        return receipt

    def all_or_nothing(self, plan: Plan, flags: tuple[str, ...]) -> str:
        """Everything of the plan; or nothing of it but the message in the INBOX with these flags, and why.

        For who tries scripts out.

        Why a delivery does not do so: what is in a mailbox may have been read before the rest fails.
        """
        before = len(self._account.done)
        self._account.failure = plan.failure
        if not plan.failure:
            receipt = self.carry_out(plan)
            if not self._account.failure and receipt.result in {Result.DELIVERED, Result.REJECTED}:
                return ""
        for done in self._account.done[before:]:
            if "file" in done:
                Path(done["file"]).unlink(missing_ok=True)
        why, self._account.failure = self._account.failure or "the message was not taken", ""
        del self._account.done[before:]
        self.inbox(flags)
        return why

    def _is_due(self, step: Step) -> bool:
        match step:
            case Forward() | Answer() | Announce() | Complain():
                return self._sending.is_due(step)
            case Feed():
                return self._feeding.is_due(step)
        return True

    def _fall_back(self, plan: Plan) -> Receipt:
        """No program has taken the message: the implicit keep."""
        if plan.fallback is None:
            return self.plain()
        try:
            self._file(plan.fallback, last=False)
        except _NotFiled as e:
            self._not_filed(plan.fallback.action, UNSAID, e)
            return self.plain()
        return Receipt(Result.DELIVERED)

    def _remember(self, plan: Plan) -> None:
        """What the tests of the scripts asked for, now that all has gone well. RFC 7352 §3."""
        for item in plan.remember:
            self._recall.done(duplicate_key(self._job.target.remembers, item.key), item.seconds)
        self._recall.save()

    def confirm(self) -> None:
        """After everything: the notice of success that the sender may have asked for."""
        self._sending.confirm()

    def plain(self, flags: tuple[str, ...] = ()) -> Receipt:
        """As without a script: the folder that the address names, else, whatever the reason, the INBOX."""
        target = self._job.target
        attempt = f"delivery to the folder of {target.recipient.address}"
        detail = self._parts.places.detail(target, self._job.content.message.stored_size)
        if isinstance(detail, Obstacle):
            self._account.left(attempt, UNSAID, detail.why)
        elif detail is not None:
            try:
                self._file(File(place=detail, flags=flags, action="delivery"), last=False)
            except _NotFiled as e:
                self._not_filed(attempt, UNSAID, e)
            else:
                return Receipt(Result.DELIVERED)
        elif target.detail is not None:
            self._account.left(attempt, UNSAID, "there is no such folder")
        return self.inbox(flags)

    def inbox(self, flags: tuple[str, ...] = ()) -> Receipt:
        """Into the INBOX, or the board. Raises the error of the store."""
        place = self._parts.places.inbox(self._job.target, self._job.content.message.stored_size)
        if isinstance(place, Obstacle):
            self._account.left("delivery", UNSAID, place.why)
            return Receipt(place.result)
        try:
            self._file(File(place=place, flags=flags, action="delivery"), last=self._job.last)
        except _NotFiled as e:
            raise e.error from e.error.__cause__
        return Receipt(Result.DELIVERED)

    def _file_all(self, steps: list[Step], plan: Plan) -> tuple[int, Receipt]:
        """All copies, and how many steps were reached; what leaves comes later, when every copy is safe."""
        files = [step for step in steps if isinstance(step, File)]
        receipt = Receipt(Result.DELIVERED)
        for index, step in enumerate(steps):
            match step:
                case File():
                    last = self._job.last and step is files[-1] and not plan.failure
                    try:
                        self._file(step, last=last, again=step is not files[0])
                    except _NotFiled as e:
                        self._not_filed(step.action, step, e)
                        self._account.failure = f"{where(step)}{step.action}: {e}"
                        return index, Receipt(Result.TROUBLE)
                case Refusal():
                    receipt = self._sending.refuse(step)
                case Drop():
                    self._drop(step, plan)
        return len(steps), receipt

    def _drop(self, step: Drop, plan: Plan) -> None:
        """Nothing, or what can be undone."""
        self._account.did("discard", step, **withhold(self._parts, self._job, self._staging, plan))

    def _file(self, step: File, *, last: bool, again: bool = False) -> None:
        """One copy, also when its folder moves at that very moment. Raises as `_file_at`."""
        for _ in range(_MOVES):
            try:
                return self._file_at(step, last=last, again=again)
            except _NotFiled as e:
                moved = place_after(self._parts.store, step.place, e.error)
                if moved is None:
                    raise
                step = replace(step, place=moved)
        return self._file_at(step, last=last, again=again)

    def _file_at(self, step: File, *, last: bool, again: bool) -> None:
        """One copy, unless the mailbox has the message already. Raises _NotFiled when the store fails.

        `again`: there are other copies since the quota was looked at, which may have taken the room.
        """
        try:
            mailbox = self._mailbox_of(step.place)
            if again or step.place.mailbox is None:
                self._check_room(mailbox)
            key = Key("delivered", self._job.content.message_id, mailbox.id, self._job.content.date)
        except (OSError, SievemdaError) as e:
            raise _NotFiled(e) from e
        name = self._parts.store.namespace.format_admin(mailbox.name)
        options = self._parts.settings.delivery
        known = options.duplicatesuppression and self._recall.seen(key)
        if known and not takes_duplicates(self._parts.store, mailbox):
            self._recall.in_place = True
            self._account.left(step.action, step, f"duplicate: {name} has it already")
            return
        try:
            if step.snooze is None:
                path = self._staging.put(mailbox, step.flags, step.message, last=last)
            else:
                path = self._put_to_sleep(step, step.snooze, mailbox, last=last)
        except (OSError, SievemdaError) as e:
            raise _NotFiled(e) from e
        self._recall.in_place = True
        if options.duplicatesuppression:
            self._recall.done(key, remembered(self._parts.store, mailbox, options.memory_days * _DAY))
            self._recall.save()
        when = {"awakens": step.snooze.awakens.isoformat()} if step.snooze else {}
        lost = self._lost(step, mailbox, path)
        flags = [flag for flag in step.flags if flag not in lost]
        self._account.did(step.action, step, mailbox=name, file=str(path), flags=flags, **when)
        for told in self._parts.places.watch.arrived(mailbox, asked=not self._job.target.recipient.ignore_quota):
            self._account.did("quota warning", root=told.root, level=told.level, message_id=told.letter.message_id)

    def _lost(self, step: File, mailbox: Mailbox, path: Path) -> tuple[str, ...]:
        """The flags that the message has not got, noted: a folder has room for so many keywords."""
        lost = mailbox.store.keywords.lost(path, step.flags) if step.flags else ()
        if lost:
            self._account.left("setflag", step, f"the folder has no room for {' '.join(lost)}")
        return lost

    def _check_room(self, mailbox: Mailbox) -> None:
        size = self._job.content.message.stored_size
        if refused := self._parts.places.room(self._job.target, mailbox, size):
            raise OverQuota(refused.why)

    def _put_to_sleep(self, step: File, snooze: Snooze, mailbox: Mailbox, *, last: bool) -> Path:
        """The note first, so that no message is ever there without one."""
        snoozes, unique = Snoozes(self._parts.settings), unique_name()
        note = Note(
            due=math.ceil(snooze.awakens.timestamp()),
            user=mailbox.name.owner or "",
            mailbox=mailbox.id,
            unique=unique,
            message_id=self._job.content.message_id,
            to=snooze.mailbox or "INBOX",
            mailbox_id=snooze.mailbox_id,
            special_use=snooze.special_use,
            create=snooze.create,
            add_flags=snooze.add_flags,
            remove_flags=snooze.remove_flags,
        )
        kept = snoozes.put(note)
        try:
            return self._staging.put(mailbox, step.flags, step.message, last=last, unique=unique)
        except BaseException:
            snoozes.remove(kept)
            raise

    def _mailbox_of(self, place: Place) -> Mailbox:
        """The folder, made when the script asked for that."""
        mailbox, made = mailbox_of(self._parts.store, place)
        if made:
            self._account.did("create", mailbox=self._parts.store.namespace.format_admin(place.name))
        return mailbox

    def _not_filed(self, action: str, said: Said, error: _NotFiled) -> None:
        self._account.left(action, said, str(error))
        log.error("not filed %s", words(session=self._job.peer.session, action=action, error=error))
