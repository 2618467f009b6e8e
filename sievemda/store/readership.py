"""Who shares what with whom, who looks at it, and since when.

    rights          the entries of the ACL, with the day on which each came in: as recorded when it was given here, else
                    not later than the ACL file says, which an IMAP server may have written
    subscriptions   the users' own files
    reading         the private indexes in which an IMAP server keeps what each user has seen of the folders of others:
                    `~/shared/FOLDER` and `~/users/OWNER/FOLDER` (`INDEXPVT` in conf/dovecot)

Why not times of access, nor the log of the IMAP server: the first are set by backups and searches, the second is gone
after some weeks and looks different everywhere. A user without a private index is not known to have read anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError, SievemdaError
from sievemda.policy.acl import ANONYMOUS, ANYONE, AUTHENTICATED, Acl, Rights
from sievemda.store import aclfile
from sievemda.store.authority import is_admin
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk
from sievemda.store.subscribed import subscribed

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_SHARED, _USERS = "shared", "users"  # where a home has the private indexes
_INBOX = ".INBOX"
_TRACES = ("dovecot.index.pvt.log", "dovecot.index.pvt")


@dataclass(frozen=True, slots=True)
class Granted:
    """An entry of an ACL for somebody else than the owner."""

    identifier: str
    rights: Rights
    since: float  # seconds since 1970
    recorded: bool  # False: not later than that
    dead: bool  # nobody has that name any more


@dataclass(slots=True)
class Readership:
    mailbox: Mailbox
    grants: list[Granted]
    subscribers: list[str] = field(default_factory=list)  # user ids, sorted
    readers: dict[str, float] = field(default_factory=dict)  # user id to when he last read, seconds since 1970


def readership(store: MailStore, mailboxes: Iterable[Mailbox]) -> list[Readership]:
    """Those of the mailboxes that are shared, or open to others; each user's files are looked at once."""
    known: dict[str, bool] = {}
    found: dict[MailboxName, Readership] = {}
    for mailbox in mailboxes:
        grants = [*_grants(store, mailbox, known)]
        if grants or mailbox.name.owner is None:
            found[mailbox.name] = Readership(mailbox, grants)
    for userid in sorted(set(store.layout.users())) if found else ():
        with suppress(OSError, SievemdaError):  # who cannot be looked at reads nothing that we know of
            _look_at(store, userid, found)
    return list(found.values())


def prune(shared: Readership) -> list[str]:
    """Take the entries of those who do not exist out of the ACL; which ones those were. StoreTrouble."""
    dead = [grant.identifier for grant in shared.grants if grant.dead]
    if dead:
        names = frozenset(dead)

        def without(acl: Acl) -> Acl:
            for name in names:
                acl = acl.without(name)
            return acl

        shared.mailbox.change_acl(without)
    return dead


def _grants(store: MailStore, mailbox: Mailbox, known: dict[str, bool]) -> Iterator[Granted]:
    others = [(who, rights) for who, rights in mailbox.acl().entries if who.removeprefix("-") != mailbox.name.owner]
    if not others:
        return
    dates = store.files.records.get(mailbox.path).granted
    written = 0.0
    with suppress(FileNotFoundError):
        written = os.lstat(mailbox.path / aclfile.FILE_NAME).st_mtime
    for who, rights in others:
        name = who.removeprefix("-")
        if name not in known:
            known[name] = _exists(store, name)
        since = dates.get(who)
        yield Granted(who, rights, since or written, since is not None, dead=not known[name])


def _exists(store: MailStore, name: str) -> bool:
    if name in {ANYONE, ANONYMOUS, AUTHENTICATED} or is_admin(store, name):
        return True
    if name.startswith("group:"):
        return store.groups.exists(name.removeprefix("group:"))
    try:
        return store.user_exists(store.namespace.userid(name))
    except DataError:
        return False


def _look_at(store: MailStore, userid: str, found: dict[MailboxName, Readership]) -> None:
    tree = store.user_tree(userid)
    if tree is None:
        return
    for name in dict.fromkeys(name for name, _ in subscribed(store, userid)):
        if name in found and name.owner != userid:
            found[name].subscribers.append(userid)
    for name, place in _indexes(store, userid):
        if name in found and name.owner != userid and (when := _last(place)):
            found[name].readers[userid] = max(when, found[name].readers.get(userid, 0.0))


def _indexes(store: MailStore, userid: str) -> Iterator[tuple[MailboxName, Path]]:
    """The private indexes in the home of a user, by the folders that they are for."""
    home, domain = store.home(userid), userid.partition("@")[2]
    for path, place in _folders(home / _SHARED):
        yield MailboxName(None, path, domain), place
    for owner, directory in _names(home / _USERS):
        for path, place in _folders(directory):
            with suppress(DataError):
                yield MailboxName(store.namespace.userid(owner), path), place


def _folders(directory: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    for name, place in _names(directory):
        path = () if name == _INBOX else from_disk(name)
        if path is not None:
            yield path, place


def _names(directory: Path) -> Iterator[tuple[str, Path]]:
    """The directories in one that is none of somebody else's; users may have put links there."""
    try:
        if directory.is_symlink():
            return
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from ((name, directory / name) for name in names)


def _last(place: Path) -> float:
    when = 0.0
    for name in _TRACES:
        with suppress(OSError):
            when = max(when, os.lstat(place / name).st_mtime)
    return when
