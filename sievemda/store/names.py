"""Names of mailboxes: what they are, and how administrators and users spell them.

A `MailboxName` says whose mailbox it is and the path below his INBOX. It has two spellings: the administrator's
(`user/alice/Lists`, `board`, `user/l/Projects@example.com`) and the one that the owner sees in his IMAP client and
writes in `fileinto` (`Lists`, `Other Users/bob/x`, `Shared Folders/board`), which depends on the settings of `Names`.

Why a look-up allows more than a creation: a folder that an IMAP server has made is there, whatever its name. Only
`check_new` holds new names against the policy of Cyrus (semantics, section 1). What Cyrus allows there, Dovecot keeps
in a Maildir++ tree; but for a folder beside the INBOX that is called INBOX, which no IMAP server could show.

Why user ids are narrower than names of folders: such a name is also an identifier in ACLs, a log-in and a directory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sievemda.config import Settings
from sievemda.errors import DataError
from sievemda.mail.domain import dns_name, without_default
from sievemda.store.spelling import decode_utf7, to_disk

INBOX = "INBOX"
MAX_FILE_NAME = 255  # octets of one directory entry; the whole path of a folder is one entry in Maildir++
_FORBIDDEN = re.compile(r"[!\"%/;<>\\`{|}\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_FORBIDDEN_USER = re.compile(r"[!\"%^*?/;<>\\`{|}:()\[\], \x00-\x20\x7f\ud800-\udfff]")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DOMAIN = re.compile(r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)*")


@dataclass(frozen=True, slots=True)
class MailboxName:
    """`owner` is a user id (`alice`, `alice@example.org`) or None for a shared folder; `path` is () for an INBOX."""

    owner: str | None
    path: tuple[str, ...] = ()
    domain: str = ""  # of a shared folder; a user's domain is part of `owner`

    @property
    def is_inbox(self) -> bool:
        return self.owner is not None and not self.path

    @property
    def parent(self) -> MailboxName | None:
        """The name one level up; None above an INBOX or a top-level shared folder."""
        if len(self.path) < (1 if self.owner is not None else 2):
            return None
        return MailboxName(self.owner, self.path[:-1], self.domain)

    def child(self, *parts: str) -> MailboxName:
        return MailboxName(self.owner, self.path + parts, self.domain)

    def covers(self, other: MailboxName) -> bool:
        """Whether `other` is this mailbox or lies below it."""
        same = self.owner == other.owner and self.domain == other.domain
        return same and other.path[: len(self.path)] == self.path

    def decoded(self) -> MailboxName | None:
        """The name meant when `path` is spelled in modified UTF-7; None when it is not (or it makes no difference)."""
        if not any("&" in part for part in self.path):
            return None
        parts = [decode_utf7(part) for part in self.path]
        return None if None in parts else MailboxName(self.owner, tuple(part or "" for part in parts), self.domain)


class Namespace:
    """The spellings that the settings ask for."""

    def __init__(self, settings: Settings) -> None:
        self.separator = "/" if settings.names.unixhierarchysep else "."
        self._alternative = settings.names.altnamespace
        self._others = settings.names.userprefix if self._alternative else "user"
        self._shared = settings.names.sharedprefix if self._alternative else ""
        self._clashing = settings.names.altprefix if self._alternative else ""
        self.virtual = settings.site.virtdomains != "off"
        self._default_domain = dns_name(settings.site.defaultdomain)
        self._lower = settings.site.username_tolower

    # -- users -------------------------------------------------------------------------------------------------

    def user(self, local: str, domain: str = "") -> str:
        """The canonical user id; DataError when nobody can have that name."""
        if self._lower:
            local = local.lower()
        if not local or local[0] in ".~$-#&" or local[-1] == "." or _FORBIDDEN_USER.search(local) or "@" in local:
            raise DataError(f"{local!r} cannot be the name of a user")
        if local in ("anyone", "anonymous") or len(local.encode()) > MAX_FILE_NAME:
            raise DataError(f"{local[:80]!r} cannot be the name of a user")
        domain = self.domain(domain)
        return f"{local}@{domain}" if domain else local

    def userid(self, text: str) -> str:
        """`alice` or `alice@example.org` as a canonical user id."""
        local, _, domain = text.partition("@")
        return self.user(local, domain)

    def domain(self, text: str) -> str:
        """A domain as part of a name: as in DNS, "" for the default one; DataError when there can be none."""
        text = dns_name(text).removesuffix(".") or text
        if not text or text == self._default_domain:
            return ""
        if not self.virtual:
            raise DataError(f"no domain {text!r}: virtdomains is off")
        if len(text.encode()) > MAX_FILE_NAME or not _DOMAIN.fullmatch(text):
            raise DataError(f"{text[:80]!r} is not a domain")
        return text

    def identifier(self, text: str) -> str:
        """An identifier of an ACL as it is kept: lower case where user names are, without the default domain."""
        sign, name = ("-", text[1:]) if text.startswith("-") else ("", text)
        if name.startswith("group:"):
            return text
        name = without_default(name, self._default_domain)
        return sign + (name.lower() if self._lower else name)

    # -- the administrator's spelling ----------------------------------------------------------------------------

    def parse_admin(self, text: str) -> MailboxName:
        """A name as on the command line. Either separator is understood where it is unambiguous."""
        _readable(text)
        rest, domain = self._split_domain(text)
        parts = self._split_admin(rest)
        _nonempty(parts, text)
        if parts[0] != "user":
            return MailboxName(None, parts, domain)
        if len(parts) == 1:
            raise DataError(f"{text!r} names no mailbox: a user's name must follow")
        return MailboxName(self.user(parts[1], domain), parts[2:])

    def _split_domain(self, text: str) -> tuple[str, str]:
        """The name and its domain, which stands at the end, or behind the user: `user/l/x@dom`, `user/l@dom/x`."""
        inside = re.fullmatch(r"(user/[^/@]*)@([^/@]*)(/.*)", text, re.DOTALL)
        if inside and (self.virtual or dns_name(inside[2]) == self._default_domain):
            return inside[1] + inside[3], self.domain(inside[2])
        name, at, domain = text.rpartition("@")
        if at and not name and self.virtual:
            raise DataError(f"{text[:200]!r} names a domain and no mailbox")
        if name and (self.virtual or dns_name(domain) == self._default_domain):
            return name, self.domain(domain)
        return text, ""

    def _split_admin(self, text: str) -> tuple[str, ...]:
        dotted = text.startswith("user.") if self.separator == "/" else not text.startswith("user/")
        if "/" in text and (self.separator == "/" or "." not in text):
            dotted = False
        if dotted:
            return tuple(part.replace("^", ".") for part in text.split("."))
        return tuple(text.split("/"))

    def format_admin(self, name: MailboxName) -> str:
        local, _, domain = (name.owner or "").partition("@")
        parts = name.path if name.owner is None else ("user", local, *name.path)
        text, domain = self.join(parts), domain or name.domain
        if not domain and self.virtual and "@" in text:  # what stands behind that one is no domain
            domain = self._default_domain
        return f"{text}@{domain}" if domain else text

    def join(self, parts: Sequence[str]) -> str:
        if self.separator == ".":
            return ".".join(part.replace(".", "^") for part in parts)
        return "/".join(parts)

    # -- the user's spelling -------------------------------------------------------------------------------------

    def split(self, text: str) -> tuple[str, ...]:
        """A hierarchical name cut at the separator; `^` is a dot inside a component when the separator is the dot."""
        parts = tuple(text.split(self.separator))
        return tuple(part.replace("^", ".") for part in parts) if self.separator == "." else parts

    def parse_user(self, text: str, owner: str | None) -> MailboxName:
        """A name as the owner writes it in `fileinto`. `owner` is None for the script of a shared folder."""
        _readable(text)
        parts = self.split(text)
        _nonempty(parts, text)
        if parts[0].upper() == INBOX:
            return self._own(owner, ((INBOX, *parts[1:]) if self._alternative else parts[1:]), text)
        domain = (owner or "").partition("@")[2]
        if parts[0] == self._others:
            if len(parts) == 1:
                raise DataError(f"{text!r} names no mailbox")
            return MailboxName(self._other_user(parts[1], domain), parts[2:])
        if not self._alternative:
            return MailboxName(None, parts, domain)
        if parts[0] in (self._shared, self._clashing):
            if len(parts) == 1:
                raise DataError(f"{text!r} names no mailbox")
            if parts[0] == self._shared:
                return MailboxName(None, parts[1:], domain)
            return self._own(owner, parts[1:], text, literally=True)
        return self._own(owner, parts, text)

    def _own(self, owner: str | None, parts: tuple[str, ...], text: str, *, literally: bool = False) -> MailboxName:
        if owner is None:
            raise DataError(f"{text!r} names a folder of a user, and there is none here")
        return MailboxName(owner, () if parts == (INBOX,) and not literally else parts)

    def _other_user(self, text: str, domain: str) -> str:
        local, at, named = text.partition("@")
        return self.user(local, named if at else domain)

    def format_user(self, name: MailboxName, owner: str | None) -> str:
        """The name as `owner` sees it."""
        if name.owner is None:
            return self.join((self._shared, *name.path) if self._alternative else name.path)
        if name.owner != owner:
            local, _, domain = name.owner.partition("@")
            seen = local if domain == (owner or "").partition("@")[2] else name.owner
            return self.join((self._others, seen, *name.path))
        if name.is_inbox or not self._alternative:
            return self.join((INBOX, *name.path))
        if self._clashes(name.path):
            return self.join((self._clashing, *name.path))
        return self.join(name.path)

    def _clashes(self, path: tuple[str, ...]) -> bool:
        """Whether a folder of one's own would be taken for something else as it is called."""
        return path[0] in (self._others, self._shared, self._clashing) or _is_hidden(path)

    def parse_detail(self, owner: str | None, detail: str, domain: str = "") -> MailboxName:
        """The mailbox of `owner+detail@...`, or of a bulletin board when `owner` is None (semantics, section 2).

        A separator too many is no harm, as in Cyrus: `Lists/` and `/Lists` are `Lists`.
        """
        _readable(detail)
        parts = tuple(part for part in self.split(detail) if part)
        _nonempty(parts if parts or owner else ("",), detail)
        if owner is None:
            return MailboxName(None, parts, domain)
        return MailboxName(owner, () if len(parts) == 1 and parts[0].upper() == INBOX else parts)

    def with_carets(self, name: MailboxName) -> MailboxName | None:
        """What an IMAP server calls the mailbox for which users type `^`: it takes that as it is. None: they do not."""
        if self.separator == "/" or not any("." in part for part in name.path):
            return None
        return MailboxName(name.owner, tuple(part.replace(".", "^") for part in name.path), name.domain)

    # -- policy --------------------------------------------------------------------------------------------------

    def check_new(self, name: MailboxName) -> None:
        """DataError when a mailbox of that name must not be made (semantics, section 1)."""
        text = self.format_admin(name)
        for part in name.path:
            # A dot is no trouble: where it separates, `^` spells the one inside a component.
            if part in ("", ".", "..") or "^" in part or _FORBIDDEN.search(part):
                raise DataError(f"{text!r} is not a name for a new mailbox: {part!r} is not allowed in it")
        if name.path and name.path[-1][-1] == ".":
            raise DataError(f"{text!r} is not a name for a new mailbox: it ends in a dot")
        if name.owner is None and _is_closed(name.path):
            raise DataError(f"{text!r} is not a name for a new shared folder")
        if name.owner is not None and name.path and _is_hidden(name.path):
            raise DataError(f"{text!r} would hide behind the INBOX itself")
        if name.path and len(to_disk(name.path).encode()) > MAX_FILE_NAME:
            raise DataError(f"{text[:80]!r}... is too long for the name of a mailbox")


def _is_closed(path: tuple[str, ...]) -> bool:
    """Whether no shared folder may have that path."""
    return path[0][0] in "$.~" or path[0] == "user" or path[0].upper() == INBOX or path == ("DELETED",)


def _is_hidden(path: tuple[str, ...]) -> bool:
    """Whether IMAP servers would take a user's folder for his INBOX: `INBOX` itself, and what is below `inbox`."""
    return path[0].upper() == INBOX and (len(path) == 1 or path[0] != INBOX)


def _readable(text: str) -> None:
    if _UNREADABLE.search(text):
        raise DataError(f"{text[:200]!r} cannot be a mailbox: it has control characters or is not UTF-8")


def _nonempty(parts: Sequence[str], text: str) -> None:
    if "" in parts:
        raise DataError(f"{text[:200]!r} cannot be a mailbox: a part of the name is empty")
    if "." in parts or ".." in parts:
        raise DataError(f"{text[:200]!r} cannot be a mailbox: {'.' if '.' in parts else '..'!r} is not a name")
