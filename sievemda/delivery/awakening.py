"""Keeps watch over snoozed messages: moves each to where it belongs when its time has come. Snooze draft §4.

Whoever has moved or removed a message while it was asleep has decided about it: then nothing is done. What was due
while nothing ran is done when something runs again, the oldest first.

The message goes where `Places` says its owner may put one. When that is nowhere (the mailbox is gone and not to be
made, the owner may not) it goes to the INBOX, where §4.1 wants what has no target. Quota is not asked: the owner has
the message already. Its time of arrival stays what it was. The journal has an entry of its own for it, so that `why`
tells where the message went in the end.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from sievemda.config import Settings
from sievemda.delivery.filing import mailbox_of
from sievemda.delivery.job import UNSAID, Account
from sievemda.delivery.places import Obstacle, Places, Wish
from sievemda.delivery.record import awakened_entry
from sievemda.delivery.snoozes import Note, Snoozes
from sievemda.delivery.target import Target
from sievemda.errors import DataError, SievemdaError
from sievemda.logs import words
from sievemda.mail.address import Address
from sievemda.mail.envelope import Recipient
from sievemda.mail.flags import distinct
from sievemda.state.journal import Journal
from sievemda.store import messages
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import size_of
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

log = logging.getLogger(__name__)

_AGAIN = 300  # seconds until it is tried again when something stood in the way
_LATER = 3600  # seconds until a mailbox that is not there is looked for again
_DAY = 86_400
_ROUND = 200  # messages of one run at most


@dataclass(slots=True)
class Awakening:
    settings: Settings
    store: MailStore
    snoozes: Snoozes
    places: Places
    journal: Journal

    def run_due(self, now: float | None = None) -> int:
        """Awaken what is due; how many messages that were."""
        now = time.time() if now is None else now
        count = 0
        for path in self.snoozes.due(now)[:_ROUND]:
            with self.snoozes.taken(path) as note:
                if note is not None:
                    count += self._try(path, note, now)
                elif path.exists() and not path.stat().st_size:
                    self.snoozes.remove(path)
        return count

    def _try(self, path: Path, note: Note, now: float) -> bool:
        try:
            inbox = self.store.find(MailboxName(note.user))
            asleep = self.store.with_id(note.user, note.mailbox) if inbox else None
            if inbox is None or asleep is None:
                self._without_mailbox(path, note, now)
                return False
            awoken = self._awaken(note, inbox, asleep)
        except (OSError, SievemdaError) as e:
            log.error("not awakened %s", words(user=note.user, msgid=note.message_id, error=e))  # noqa: TRY400
            self.snoozes.put_off(path, int(now) + _AGAIN)
            return False
        self.snoozes.remove(path)
        return awoken

    def _without_mailbox(self, path: Path, note: Note, now: float) -> None:
        """A mailbox that was deleted may be brought back with its messages, so it is looked for again."""
        if now - note.due > self.settings.store.delete_days * _DAY + _DAY:
            self.snoozes.remove(path)
            log.info("nothing to awaken %s", words(user=note.user, msgid=note.message_id))
        else:
            self.snoozes.put_off(path, int(now) + _LATER)

    def _awaken(self, note: Note, inbox: Mailbox, asleep: Mailbox) -> bool:
        """Whether there was a message to awaken. Raises what keeps it from being moved now."""
        file = messages.locate(asleep, note.unique)
        if file is None:
            log.info("nothing to awaken %s", words(user=note.user, msgid=note.message_id))
            return False
        account = Account()
        reached = self._where_to(note, inbox, account)
        removed = {flag.lower() for flag in note.remove_flags}
        kept = [flag for flag in messages.flags_of(asleep, file) if flag.lower() not in removed]
        flags = self.places.settable(note.user, reached, distinct((*kept, *note.add_flags)))
        moved = messages.move(self.store, asleep, file, reached, flags)
        name = self.store.namespace.format_admin(reached.name)
        account.did("awakening", mailbox=name, file=str(moved), flags=list(flags))
        self.journal.record(awakened_entry(note, size_of(moved.name, str(moved)) or 0, account))
        log.info("awakened %s", words(user=note.user, msgid=note.message_id, mailbox=name))
        return True

    def _where_to(self, note: Note, inbox: Mailbox, account: Account) -> Mailbox:
        local, _, domain = note.user.partition("@")
        address = Address(local, domain or self.settings.domain)
        target = Target(Recipient(address, ignore_quota=True), note.user, inbox)
        wish = Wish(note.to, note.mailbox_id, note.special_use, note.create)
        place = self.places.named(target, wish, 0)
        if isinstance(place, Obstacle):
            why = place.why
        else:
            try:
                return mailbox_of(self.store, place)[0]
            except DataError as e:
                why = str(e)
        account.left(f"awakening into {note.to}", UNSAID, why)
        log.warning("awakened into the INBOX %s", words(user=note.user, wanted=note.to, why=why))
        return inbox
