"""Where a message may be put: the one place that decides every store, whoever wants it and why.

`keep` acts for the poster, who needs `p` on a detail folder or board and nothing on an INBOX; `fileinto` acts for the
owner of the script, who needs `p` on whatever he names, and in the script of a board for the poster (semantics, section
8, "Authority"). Never does the server's own right to write a file count. The order of the checks is: it exists, it
takes mail, the right, the room; what comes out is the mailbox or the `Obstacle`, in words for the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sievemda.config import Settings
from sievemda.delivery.fullness.watch import Watch
from sievemda.delivery.target import Target
from sievemda.errors import DataError, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.mail.annotation import canonical
from sievemda.mail.result import Result
from sievemda.policy.acl import Rights
from sievemda.store.creation import known_use
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import contents
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

# Trees of Cyrus that are not for mail (semantics, section 2).
_NOT_MAIL = {"#addressbooks", "#calendars", "#drive", "#jmap", "#notifications", "#sieve", "#jmapsubmission"}
_FLAG_RIGHTS = {"\\seen": "s", "\\deleted": "t"}
SNOOZED = "\\Snoozed"
_ADMIN = Rights("la")  # what an administrator may everywhere (semantics, section 6)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not there."""

    result: Result
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox that takes the message, or the name of one that is to be made for it, with the special use it gets."""

    name: MailboxName
    mailbox: Mailbox | None
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Where a script wants a message: by identifier (RFC 9042 §4) or special use (RFC 8579 §4), else by name."""

    name: str
    mailbox_id: str = ""
    special_use: str = ""
    create: bool = False


class Places:
    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._options = settings.delivery
        self._store = store
        self.watch = Watch(settings, store)
        permanent = settings.delivery.lmtp_over_quota_perm_failure
        self._over_quota = Result.OVER_QUOTA_PERMANENT if permanent else Result.OVER_QUOTA
        self._closed = frozenset(known_use(use).lower() for use in settings.delivery.lmtp_exclude_specialuse)
        site, canonical = settings.site, store.namespace.identifier
        self._admins = frozenset(map(canonical, site.lmtp_admins or site.admins))
        separator = store.namespace.separator
        names = settings.autocreate.autocreate_sieve_folders.split("|")
        self._creatable = {tuple(name.strip().split(separator)) for name in names if name.strip()}

    # --- what the address names ------------------------------------------------------------------------------------

    def find(self, name: MailboxName) -> Mailbox | None:
        """The mailbox of an address: of that name, or where the site wants it, its nearest relative."""
        found = self._store.find(name)
        if found is None and self._options.lmtp_fuzzy_mailbox_match:
            found = self._store.fuzzy(name.decoded() or name)
        return found

    def inbox(self, target: Target, size: int) -> Place | Obstacle:
        """The INBOX, or the board: where plain delivery ends."""
        mailbox = self._store.find(target.mailbox.name)
        if mailbox is None:
            return Obstacle(self.missing(target.owner), "it does not exist any more")
        refused = self.room(target, mailbox, size) if target.owner else self.board(target, mailbox, size)
        return refused or Place(mailbox.name, mailbox)

    def missing(self, owner: str | None) -> Result:
        """What a mailbox that is not found means. Who has a Maildir that is not one is not unknown: he waits."""
        if owner is None:
            return Result.NO_SUCH_MAILBOX
        return Result.MAILBOX_BROKEN if self._store.is_damaged(owner) else Result.NO_SUCH_USER

    def detail(self, target: Target, size: int) -> Place | Obstacle | None:
        """The folder that the address names; None when it names none or there is none."""
        try:
            mailbox = None if target.detail is None else self.find(target.detail)
        except (OSError, TemporaryTrouble) as e:
            return _unreadable(e)
        if mailbox is None or mailbox.name == target.mailbox.name:
            return None
        return self._refused(target, mailbox, target.poster, size) or Place(mailbox.name, mailbox)

    def keep(self, target: Target, size: int) -> Place | Obstacle:
        """Where `keep` puts a message: the folder that the address names if there is one, else the INBOX."""
        return self.detail(target, size) or self.inbox(target, size)

    # --- what a script names ---------------------------------------------------------------------------------------

    def named(self, target: Target, wish: Wish, size: int, right: str = "p") -> Place | Obstacle:
        """A mailbox as the owner writes it in `fileinto`.

        One that is found by its identifier or its use and then does not take the message is not made up for by the
        one of that name: RFC 8579 §4.
        """
        try:
            mailbox = self._find_wished(target, wish)
            if mailbox is None:
                return self._to_be_made(target, wish)
        except DataError as e:
            return Obstacle(Result.NO_SUCH_MAILBOX, str(e))
        except OSError as e:
            return _unreadable(e)
        return self._refused(target, mailbox, target.identity, size, right) or Place(mailbox.name, mailbox)

    def snoozed(self, target: Target, size: int) -> Place | Obstacle:
        """The owner's mailbox for snoozed mail, which takes nothing else (snooze draft §4); made when there is none."""
        owner = target.owner
        if owner is None:
            return Obstacle(Result.NO_SUCH_MAILBOX, "a shared folder has no mailbox for snoozed mail")
        try:
            mailbox = self._store.special_use(owner, SNOOZED)
            if mailbox is not None:
                return self._unfit(target, mailbox, owner, size) or Place(mailbox.name, mailbox)
            name = self._store.namespace.parse_user(self._settings.sieve.sieve_snoozed_mailbox, owner)
            if name.owner != owner or name.is_inbox:
                return Obstacle(Result.NO_SUCH_MAILBOX, "sieve_snoozed_mailbox names no folder of his own")
            mailbox = self._store.find(name)
            if mailbox is None:
                self._store.namespace.check_new(name)
                return Place(name, None, SNOOZED)
            return self._unfit(target, mailbox, owner, size) or Place(mailbox.name, mailbox, SNOOZED)
        except DataError as e:
            return Obstacle(Result.NO_SUCH_MAILBOX, str(e))
        except OSError as e:
            return _unreadable(e)

    # --- what a script asks ----------------------------------------------------------------------------------------

    def exists_for_owner(self, target: Target, text: str) -> bool:
        """Whether the owner may put a message into the mailbox he names. RFC 5490 §3.1."""
        try:
            return self._open_to(target, self._find_named(target, text))
        except (DataError, OSError):
            return False

    def id_exists(self, target: Target, mailbox_id: str) -> bool:
        """Whether it is that of a mailbox of the owner's into which he may put a message. RFC 9042 §6."""
        if target.owner is None:
            return False
        try:
            return self._open_to(target, self._store.with_id(target.owner, mailbox_id))
        except OSError:
            return False

    def use_exists(self, target: Target, text: str | None, uses: Sequence[str]) -> bool:
        """Whether the owner may put a message into a mailbox for each of these uses, or the named one. RFC 8579 §3."""
        wanted = {use.lower() for use in uses}
        try:
            if text is not None:
                mailbox = self._find_named(target, text)
                return self._open_to(target, mailbox) and mailbox is not None and wanted <= _uses(mailbox)
            own = self._store.mailboxes_of(target.owner) if target.owner else ()
            for mailbox in own:
                if wanted & _uses(mailbox) and self._open_to(target, mailbox):
                    wanted -= _uses(mailbox)
        except (DataError, OSError):
            return False
        return not wanted

    def metadata(self, target: Target, text: str, entry: str) -> str | None:
        """An annotation of a mailbox that the owner may look at. RFC 5464 §3.3, RFC 5490 §3.3.

        Raises OSError and TemporaryTrouble when it cannot be read.
        """
        try:
            mailbox = self._find_named(target, text)
        except DataError:
            return None
        if mailbox is None:
            return None
        rights = self._rights(target.identity, mailbox)
        may = mailbox.name.owner == target.owner or ("l" in rights and bool(rights & set("rswip")))
        return self._store.annotations.get(mailbox, target.owner, entry) if may else None

    def server_metadata(self, target: Target, entry: str) -> str | None:
        """An annotation of the server. Raises OSError and TemporaryTrouble."""
        inbox = target.mailbox if target.owner else None
        return self._store.annotations.of_server(inbox, target.owner).get(canonical(entry))

    def settable(self, owner: str | None, mailbox: Mailbox, flags: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the flags that the owner of a script may set there. RFC 4314 §4 names the right for each."""
        if not flags:
            return flags
        rights = self._rights(owner, mailbox)
        return tuple(flag for flag in flags if _FLAG_RIGHTS.get(flag.lower(), "w") in rights)

    def _find_wished(self, target: Target, wish: Wish) -> Mailbox | None:
        owner = target.owner
        if owner and wish.mailbox_id and (found := self._store.with_id(owner, wish.mailbox_id)):
            return found
        used = self._store.special_use(owner, wish.special_use) if owner and wish.special_use else None
        try:
            named = self._find_named(target, wish.name)
        except DataError:
            if used is None:
                raise
            return used  # the name does not matter then
        if used is None:
            return named
        same = named is not None and named.name.owner == owner and wish.special_use.lower() in _uses(named)
        return named if same else used  # RFC 8579 §4: of several it must be the one of that name

    def _find_named(self, target: Target, text: str) -> Mailbox | None:
        if target.owner is not None:
            return self._store.find_for(text, target.owner)
        return self._store.find(self._parsed(target, text))

    def _parsed(self, target: Target, text: str) -> MailboxName:
        """What a script means. That of a board may also spell names as its author does, who is an administrator."""
        namespace = self._store.namespace
        try:
            return namespace.parse_user(text, target.owner)
        except DataError:
            if target.owner is not None:
                raise
            domain = target.mailbox.name.domain
            return namespace.parse_admin(f"{text}@{domain}" if domain and "@" not in text else text)

    def _to_be_made(self, target: Target, wish: Wish) -> Place | Obstacle:
        """DataError when no mailbox can have that name. It gets the use that was asked for: RFC 8579 §4.1."""
        text, use = wish.name, known_use(wish.special_use)
        if text.startswith("\\"):
            return Obstacle(Result.NO_SUCH_MAILBOX, "no folder has that special use")
        name = self._parsed(target, text)
        own = name.owner is not None and name.owner == target.owner
        automatic = self._settings.autocreate.anysievefolder or (own and name.path in self._creatable)
        if name.is_inbox or not (wish.create or automatic):
            return Obstacle(Result.NO_SUCH_MAILBOX, "there is no such mailbox")
        if target.identity is None or not self._store.may_create(name, target.identity):
            why = f"there is no such mailbox, and {target.identity or 'anonymous'} may not make it"
            return Obstacle(Result.NOT_PERMITTED, why)
        self._store.namespace.check_new(name)
        if use.lower() in self._closed:
            return Obstacle(Result.MAILBOX_BROKEN, f"a folder for {use} takes no deliveries")
        return Place(name, None, use if own else "")

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
        most = self._options.mailbox_maxmessages_email
        if most > 0 and contents(mailbox.path)[1] >= most:
            return Obstacle(self._over_quota, f"it has {most} messages (mailbox_maxmessages_email)")
        root = mailbox.quota_root()
        strict = self._options.lmtp_strict_quota
        if root is None or (root.would_accept(size, 1) if strict else root.would_accept()):
            return None
        return Obstacle(self.watch.refused(root), "it is over quota")

    def _refused(
        self, target: Target, mailbox: Mailbox, identity: str | None, size: int, right: str = "p"
    ) -> Obstacle | None:
        """Why a folder does not take the message. Trouble with its files is a reason like any: there is the INBOX."""
        try:
            return self._closed_to(mailbox) or self._unfit(target, mailbox, identity, size, right)
        except (OSError, StoreTrouble, TemporaryTrouble) as e:
            return _unreadable(e)

    def _unfit(
        self, target: Target, mailbox: Mailbox, identity: str | None, size: int, right: str = "p"
    ) -> Obstacle | None:
        return self._denied(identity, mailbox, right) or self.room(target, mailbox, size)

    def _open_to(self, target: Target, mailbox: Mailbox | None) -> bool:
        """What the tests of RFC 5490 §3.1 mean by "deliver": the right `p` or `i`."""
        if mailbox is None or self._closed_to(mailbox):
            return False
        return bool(self._rights(target.identity, mailbox) & set("pi"))

    def _closed_to(self, mailbox: Mailbox) -> Obstacle | None:
        top, *below = mailbox.name.path or ("",)
        if top in _NOT_MAIL or (top == "DELETED" and below and mailbox.name.owner is None):
            return Obstacle(Result.MAILBOX_BROKEN, f"what lies below {top} takes no mail")
        if self._closed & _uses(mailbox):
            return Obstacle(Result.MAILBOX_BROKEN, f"a folder for {mailbox.special_use} takes no deliveries")
        return None

    def _denied(self, identity: str | None, mailbox: Mailbox, right: str = "p") -> Obstacle | None:
        if right in self._rights(identity, mailbox):
            return None
        return Obstacle(Result.NOT_PERMITTED, f"{identity or 'anonymous'} has no right {right!r} there")

    def _rights(self, identity: str | None, mailbox: Mailbox) -> Rights:
        rights = self._store.rights(mailbox, identity)
        return rights | _ADMIN if identity in self._admins else rights


def _uses(mailbox: Mailbox) -> set[str]:
    return set(mailbox.special_use.lower().split())


def _unreadable(error: OSError | SievemdaError) -> Obstacle:
    return Obstacle(Result.TROUBLE, f"it cannot be looked into: {error}")
