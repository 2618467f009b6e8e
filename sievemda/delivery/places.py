"""Where a message may be put: the one place that decides every store, whoever wants it and why.

`keep` acts for the poster, who needs `p` on a detail folder or board and nothing on an INBOX; `fileinto` acts for the
owner of the script, who needs `p` on whatever he names (semantics, section 8, "Authority"). Never does the server's own
right to write a file count. The order of the checks is: it exists, it takes mail, the right, the room; what comes out
is the mailbox or the `Obstacle`, in words for the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.config import Settings
from sievemda.delivery.target import Target
from sievemda.errors import DataError, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.mail.result import Result
from sievemda.policy.acl import Rights
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

# Trees of Cyrus that are not for mail (semantics, section 2).
_NOT_MAIL = {"#addressbooks", "#calendars", "#drive", "#jmap", "#notifications", "#sieve", "#jmapsubmission"}
_FLAG_RIGHTS = {"\\seen": "s", "\\deleted": "t"}
_ADMIN = Rights("la")  # what an administrator may everywhere (semantics, section 6)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not there."""

    result: Result
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox that takes the message, or the name of one that is to be made for it."""

    name: MailboxName
    mailbox: Mailbox | None


class Places:
    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._options = settings.delivery
        self._store = store
        self._closed = frozenset(use.lower() for use in settings.delivery.lmtp_exclude_specialuse)
        separator = store.namespace.separator
        names = settings.autocreate.autocreate_sieve_folders.split("|")
        self._creatable = {tuple(name.strip().split(separator)) for name in names if name.strip()}

    # --- what the address names ------------------------------------------------------------------------------------

    def find(self, name: MailboxName) -> Mailbox | None:
        """The mailbox of an address: of that name, or where the site wants it, its nearest relative."""
        found = self._store.find(name)
        if found is None and self._options.lmtp_fuzzy_mailbox_match:
            found = self._store.fuzzy(name)
        return found

    def inbox(self, target: Target, size: int) -> Place | Obstacle:
        """The INBOX, or the board: where plain delivery ends."""
        mailbox = self._store.find(target.mailbox.name)
        if mailbox is None:
            return Obstacle(
                Result.NO_SUCH_USER if target.owner else Result.NO_SUCH_MAILBOX, "it does not exist any more"
            )
        refused = self.room(target, mailbox, size) if target.owner else self.board(target, mailbox, size)
        return refused or Place(mailbox.name, mailbox)

    def detail(self, target: Target, size: int) -> Place | Obstacle | None:
        """The folder that the address names; None when it names none or there is none."""
        mailbox = None if target.detail is None else self.find(target.detail)
        if mailbox is None or mailbox.name == target.mailbox.name:
            return None
        return self._refused(target, mailbox, target.poster, size) or Place(mailbox.name, mailbox)

    def keep(self, target: Target, size: int) -> Place | Obstacle:
        """Where `keep` puts a message: the folder that the address names if there is one, else the INBOX."""
        return self.detail(target, size) or self.inbox(target, size)

    # --- what a script names ---------------------------------------------------------------------------------------

    def named(self, target: Target, text: str, size: int, *, create: bool, right: str = "p") -> Place | Obstacle:
        """A mailbox as the owner writes it in `fileinto`."""
        try:
            mailbox = self._find_named(target, text)
            if mailbox is None:
                return self._to_be_made(target, text, create=create)
        except DataError as e:
            return Obstacle(Result.NO_SUCH_MAILBOX, str(e))
        except OSError as e:
            return _unreadable(e)
        return self._refused(target, mailbox, target.owner, size, right) or Place(mailbox.name, mailbox)

    def exists_for_owner(self, target: Target, text: str) -> bool:
        """Whether the owner may put a message into the mailbox he names. RFC 5490 §3.1."""
        try:
            mailbox = self._find_named(target, text)
            return mailbox is not None and not self._closed_to(mailbox) and not self._denied(target.owner, mailbox)
        except (DataError, OSError):
            return False

    def settable(self, owner: str | None, mailbox: Mailbox, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the flags that the owner of a script may set there. RFC 4314 §4 names the right for each."""
        if not flags:
            return flags
        rights = self._rights(owner, mailbox)
        return tuple(flag for flag in flags if _FLAG_RIGHTS.get(flag.lower(), "w") in rights)

    def _find_named(self, target: Target, text: str) -> Mailbox | None:
        if target.owner is not None:
            return self._store.find_for(text, target.owner)
        return self._store.find(self._store.namespace.parse_user(text, None))

    def _to_be_made(self, target: Target, text: str, *, create: bool) -> Place | Obstacle:
        """DataError when no mailbox can have that name."""
        if text.startswith("\\"):
            return Obstacle(Result.NO_SUCH_MAILBOX, "no folder has that special use")
        name = self._store.namespace.parse_user(text, target.owner)
        own = name.owner is not None and name.owner == target.owner
        automatic = self._settings.autocreate.anysievefolder or (own and name.path in self._creatable)
        if name.is_inbox or not (create or automatic):
            return Obstacle(Result.NO_SUCH_MAILBOX, "there is no such mailbox")
        if target.owner is None or not self._store.may_create(name, target.owner):
            return Obstacle(Result.NOT_PERMITTED, "there is no such mailbox, and its owner may not make it")
        self._store.namespace.check_new(name)
        return Place(name, None)

    # --- the checks ------------------------------------------------------------------------------------------------

    def board(self, target: Target, board: Mailbox, size: int) -> Obstacle | None:
        """Whether a board takes this post. One that the poster may not see does not exist for him."""
        rights = self._rights(target.poster, board)
        if "p" not in rights:
            if "l" in rights:
                return Obstacle(Result.NOT_PERMITTED, "the poster may not post there")
            return Obstacle(Result.NO_SUCH_MAILBOX, "the poster may not know of it")
        if self._closed_to(board):
            return Obstacle(Result.MAILBOX_BROKEN, "its special use excludes it from deliveries")
        return self.room(target, board, size)

    def room(self, target: Target, mailbox: Mailbox, size: int) -> Obstacle | None:
        """Whether the quota allows it. Softly: while the usage has not passed the limit, whatever the size."""
        if target.recipient.ignore_quota:
            return None
        root = mailbox.quota_root()
        strict = self._options.lmtp_strict_quota
        if root is None or (root.would_accept(size, 1) if strict else root.would_accept()):
            return None
        permanent = self._options.lmtp_over_quota_perm_failure
        return Obstacle(Result.OVER_QUOTA_PERMANENT if permanent else Result.OVER_QUOTA, "it is over quota")

    def _refused(
        self, target: Target, mailbox: Mailbox, identity: str | None, size: int, right: str = "p"
    ) -> Obstacle | None:
        """Why a folder does not take the message. Trouble with its files is a reason like any: there is the INBOX."""
        try:
            return (
                self._closed_to(mailbox) or self._denied(identity, mailbox, right) or self.room(target, mailbox, size)
            )
        except (OSError, StoreTrouble, TemporaryTrouble) as e:
            return _unreadable(e)

    def _closed_to(self, mailbox: Mailbox) -> Obstacle | None:
        top, *below = mailbox.name.path or ("",)
        if top in _NOT_MAIL or (top == "DELETED" and below and mailbox.name.owner is None):
            return Obstacle(Result.MAILBOX_BROKEN, f"what lies below {top} takes no mail")
        use = mailbox.special_use
        if use and self._closed & set(use.lower().split()):
            return Obstacle(Result.MAILBOX_BROKEN, f"a folder for {use} takes no deliveries")
        return None

    def _denied(self, identity: str | None, mailbox: Mailbox, right: str = "p") -> Obstacle | None:
        if right in self._rights(identity, mailbox):
            return None
        return Obstacle(Result.NOT_PERMITTED, f"{identity or 'anonymous'} has no right {right!r} there")

    def _rights(self, identity: str | None, mailbox: Mailbox) -> Rights:
        rights = self._store.rights(mailbox, identity)
        return rights | _ADMIN if identity in self._settings.site.admins else rights


def _unreadable(error: OSError | SievemdaError) -> Obstacle:
    return Obstacle(Result.TROUBLE, f"it cannot be looked into: {error}")
