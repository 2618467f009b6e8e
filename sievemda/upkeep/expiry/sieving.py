"""A Sieve script that decides which messages of a folder expire.

It runs on each message that fits the other criteria of its rule, with the flags that this has, and may look at
everything, its body too. What keeps the message, or says nothing, leaves it where it is; `discard` lets it expire, as
the rule says; `fileinto` moves it. Nothing else that a script decides is done: when it decides on more, or stops with
an error, the message stays, and that is told.

Why not the facts of a delivery: there is none. Nobody hands the message over, nothing is remembered of it, and what a
script asks of mailboxes and annotations is answered for the owner of the folder.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sievemda.errors import DataError
from sievemda.mail.dates import LocalZone
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.effects import Discard, Store
from sievemda.sieve.facts import Unknown
from sievemda.sieve.limits import Limits
from sievemda.sieve.program import Program
from sievemda.sieve.rehearsal import recipient_of, sender_of
from sievemda.sieve.run import run
from sievemda.sieve.surroundings import standard
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.opened import Entry

EXPIRES = ""  # what `decide` says of a message that is to go


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled script; `name` is for errors."""

    name: str
    program: Program
    limits: Limits

    def decide(self, store: MailStore, entry: Entry, now: float) -> str | None:
        """None: it stays; EXPIRES; else the folder it is to move to, as its owner calls it. DataError, OSError."""
        mailbox = entry.folder.mailbox
        message = Message(b"".join(entry.blocks()))
        envelope = Envelope(Sender(sender_of(message)), Recipient(recipient_of(message)))
        facts = _Facts(store, mailbox, now)
        outcome = run(self.program, message, envelope, facts, self.limits, flags=entry.flags)
        if outcome.failure is not None:
            raise DataError(f"{self.name}:{outcome.failure.line}: {outcome.failure.text}")
        if others := [effect for effect in outcome.effects if not isinstance(effect, Store | Discard)]:
            raise DataError(f"{self.name}: {type(others[0]).__name__.lower()} cannot be done to what expires: it stays")
        stores = [effect for effect in outcome.effects if isinstance(effect, Store)]
        if any(effect.mailbox is None or effect.copy or effect.snooze is not None for effect in stores):
            return None
        return stores[0].mailbox if stores else EXPIRES


class _Facts(Unknown):
    def __init__(self, store: MailStore, mailbox: Mailbox, now: float) -> None:
        self._store = store
        self._mailbox = mailbox
        self._now = datetime.fromtimestamp(now, UTC).astimezone(LocalZone())
        self._items = standard(store.settings.site.servername, location="MS", phase="post")
        self._items["vnd.sievemda.mailbox"] = store.namespace.format_admin(mailbox.name)

    def now(self) -> datetime:
        return self._now

    def mailbox_exists(self, name: str) -> bool:
        return self._find(name) is not None

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        found = self._mailbox if mailbox is None else self._find(mailbox)
        return self._store.annotations.get(found, self._mailbox.name.owner, entry) if found else None

    def environment(self, item: str) -> str | None:
        return self._items.get(item, super().environment(item))

    def _find(self, name: str) -> Mailbox | None:
        try:
            return self._store.find(self._store.namespace.parse_user(name, self._mailbox.name.owner))
        except DataError:
            return None
