"""Who a recipient address is: a user, a bulletin board, or nobody (semantics, sections 2 and 3).

The address is split here and nowhere else: domain, detail, the user of bulletin boards, the catch-all. What is
decided at RCPT is whether the recipient will be tried: the user exists and has room, or the board exists, takes the
post and has room. Where in a user's folders a message lands is decided after DATA (`places`).

Why a board that may not be seen counts as one that does not exist, also for the catch-all: otherwise the answer
would tell who asks that there is such a board.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sievemda.config import Settings
from sievemda.delivery.autocreate import Autocreator
from sievemda.delivery.identity import posting_identity
from sievemda.delivery.places import Obstacle, Places
from sievemda.delivery.target import Target
from sievemda.errors import DataError
from sievemda.mail.address import Address
from sievemda.mail.envelope import Recipient, Sender
from sievemda.mail.result import Receipt, Result
from sievemda.store.denials import denials_in
from sievemda.store.departures import is_departing
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

_NOBODY = {Result.NO_SUCH_USER, Result.NO_SUCH_MAILBOX}


class Resolver:
    """Answers RCPT. Thread-safe: it holds nothing but its parts. `compiled` raises ScriptError for a bad script."""

    def __init__(
        self, settings: Settings, store: MailStore, places: Places, compiled: Callable[[bytes], object]
    ) -> None:
        self._settings = settings
        self._options = settings.delivery
        self._store = store
        self._places = places
        self._autocreate = Autocreator(settings, store, compiled)

    def verify(self, sender: Sender, recipient: Recipient) -> Target | Receipt:
        """The target, or why there is none; raises OSError and TemporaryTrouble when the store fails."""
        found = self._resolve(sender, recipient)
        catchall = self._options.lmtp_catchall_mailbox
        if isinstance(found, Target) or found not in _NOBODY or not catchall:
            return found if isinstance(found, Target) else Receipt(found)
        try:
            owner = self._store.namespace.userid(catchall)
        except DataError:
            return Receipt(found)
        caught = self._user(sender, recipient, owner, "")
        return caught if isinstance(caught, Target) else Receipt(caught)

    def stored_for(self, owner: str, inbox: Mailbox, recipient: Recipient, poster: str | None) -> Target | None:
        """The target of a message that this user has already, if the address is his; nothing is made or counted."""
        local, detail = self._split(recipient.address.local)
        try:
            found = self._store.namespace.user(local, self._domain(recipient.address))
        except DataError:
            return None
        return Target(recipient, owner, inbox, self._detail(owner, detail), poster) if found == owner else None

    def _resolve(self, sender: Sender, recipient: Recipient) -> Target | Result:
        address = recipient.address
        local, detail = self._split(address.local)
        if self._options.lmtp_downcase_rcpt:  # what scripts, redirects and the journal see, too
            lowered = Address(local.lower() + address.local[len(local) :], address.domain.lower())
            local, recipient = local.lower(), replace(recipient, address=lowered)
        try:
            domain = self._domain(address)
            if local == self._options.postuser:
                return self._board(sender, recipient, detail, domain)
            owner = self._store.namespace.user(local, domain)
        except DataError:
            return Result.NO_SUCH_USER
        if owner.partition("@")[0] != local:  # names of users are lower case, and this address is not to be lowered
            return Result.NO_SUCH_USER
        return self._user(sender, recipient, owner, detail)

    def _split(self, local: str) -> tuple[str, str]:
        """User and detail, at the first delimiter. RFC 5233 §4."""
        for position, character in enumerate(local):
            if character in self._options.recipient_delimiter:
                return local[:position], local[position + 1 :]
        return local, ""

    def _domain(self, address: Address) -> str:
        """The domain as part of a user's name; DataError when there can be no such domain."""
        if self._settings.site.virtdomains == "off":
            return ""
        return self._store.namespace.domain(address.domain)

    def _board(self, sender: Sender, recipient: Recipient, detail: str, domain: str) -> Target | Result:
        if not detail:
            return Result.NO_SUCH_MAILBOX
        name = self._store.namespace.parse_detail(None, detail, domain)
        board = self._places.find(name)
        if board is None:
            return Result.NO_SUCH_MAILBOX
        poster = posting_identity(self._settings, sender.auth)
        target = Target(recipient, None, board, poster=poster)
        refused = self._places.board(target, board, sender.size)
        return refused.result if refused else target

    def _user(self, sender: Sender, recipient: Recipient, owner: str, detail: str) -> Target | Result:
        """RCPT looks at the INBOX alone, never at the detail folder."""
        inbox = self._store.find(MailboxName(owner))
        if inbox is None and is_departing(self._store, owner):
            return Result.USER_DENIED
        inbox = inbox or self._autocreate.account(owner)
        if inbox is None:
            return self._places.missing(owner)
        record = inbox.store.records.get(inbox.path)
        if "lmtp" in denials_in(record):
            return Result.USER_DENIED
        if not record.id and is_departing(self._store, owner):  # an IMAP server has made it again of who is gone
            return Result.USER_DENIED
        poster = posting_identity(self._settings, sender.auth)
        target = Target(recipient, owner, inbox, self._detail(owner, detail), poster)
        refused: Obstacle | None = self._places.room(target, inbox, sender.size)
        return refused.result if refused else target

    def _detail(self, owner: str, detail: str) -> MailboxName | None:
        """What a detail names; one that cannot be a folder is as one that is missing: the INBOX."""
        if not detail:
            return None
        try:
            name = self._store.namespace.parse_detail(owner, detail)
        except DataError:
            return None
        return None if name.is_inbox else name
