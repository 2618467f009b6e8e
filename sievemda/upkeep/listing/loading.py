"""Makes of a list of mailboxes what is missing of them here, and changes what differs when that is wanted.

A mailbox is made complete, with its ACL, id, quota and annotations, and renamed into place; a new user is made with all
his folders at once. So one who is killed has made a part of the mailboxes whole, and the next run makes the others.

Why what differs is left alone unless `replace` says otherwise: the list may be old, and rights that somebody has taken
away since must not come back unasked. Nothing is ever deleted.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from os.path import lexists

from sievemda.errors import AlreadyExists, SievemdaError, StoreTrouble
from sievemda.policy.acl import Acl, Rights
from sievemda.policy.quota import Limits
from sievemda.store import aclfile, rootlist
from sievemda.store.accounts import build, tell
from sievemda.store.creation import Having, create
from sievemda.store.internal import parse_internal
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.subscribed import subscribe, subscribed, unsubscribe
from sievemda.upkeep.listing.checking import Plan
from sievemda.upkeep.listing.dumping import annotations_of, limits_of
from sievemda.upkeep.listing.entries import MAIL, Entry

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_SERVER = "/server"  # the user under whom annotations of the server stand


@dataclass(frozen=True, slots=True)
class How:
    replace: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What has become of an entry. `parts`: what was added to a mailbox, or changed of it, or is left different."""

    name: str  # as administrators write it
    made: bool = False
    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    error: SievemdaError | OSError | None = None


def load(store: MailStore, plan: Plan, how: How) -> Iterator[Done]:
    """Each entry of the plan. StoreTrouble when there is no room for more: what is made is whole."""
    for owner, group in groupby(plan, key=lambda entry: entry.name.owner):
        if owner is None or store.user_exists(owner):
            listed = None
            for entry in group:
                listed = entry.subscriptions if entry.name.is_inbox and entry.kind == MAIL else listed
                yield _safely(store, entry, partial(_one, store, entry, how, listed is None))
        else:
            yield from _user(store, owner, list(group), how)


def _safely(store: MailStore, entry: Entry, work: Callable[[], Done]) -> Done:
    try:
        return work()
    except (SievemdaError, OSError) as error:
        cause = error.__cause__ if isinstance(error, SievemdaError) else error
        if isinstance(cause, OSError) and cause.errno in _FULL:
            raise StoreTrouble(f"{error}; what is made is whole, load again to go on") from error
        return Done(store.namespace.format_admin(entry.name), error=error)


# -- what is missing -------------------------------------------------------------------------------------------------


def _user(store: MailStore, userid: str, entries: list[Entry], how: How) -> Iterator[Done]:
    """A new user: his INBOX with the folders beside it at once, then the rest; one by one when that cannot be."""
    inbox = next((entry for entry in entries if entry.kind == MAIL), None)
    home = inbox.partition if inbox else ""
    fixed = bool(store.settings.store.mail_home)
    if fixed:
        home = store.layout.partition_of(store.layout.home(userid, store.default_partition))
    inside = [entry for entry in entries if entry.kind == MAIL and entry.partition in ("", home)]
    rest = [entry for entry in entries if entry.kind != MAIL or entry.partition not in ("", home)]
    if inbox is not None and not how.dry_run:
        done = _safely(store, inbox, partial(_built, store, userid, inside, "" if fixed else home))
        if done.error:  # somebody was quicker, or one of the folders cannot be
            inside, rest = [], entries
    yield from (Done(store.namespace.format_admin(entry.name), made=True) for entry in inside)
    listed = inbox is not None and inbox.subscriptions is not None
    for entry in rest:
        yield _safely(store, entry, partial(_one, store, entry, how, not listed))


def _built(store: MailStore, userid: str, entries: list[Entry], partition: str) -> Done:
    wanted = entries[0].subscriptions
    names = [entry.name for entry in entries] if wanted is None else _named(store, wanted)

    def fill(built: MailStore) -> None:
        for entry in entries:
            _make(built, entry, "", listed=False)
        if names:
            subscribe(built, userid, names)

    build(store, userid, fill, partition)
    tell(store, userid, granted=True)
    return Done(userid, made=True)


def _make(store: MailStore, entry: Entry, partition: str, *, listed: bool) -> None:
    having = Having(
        None if entry.acl is None else _acl(entry.acl),
        entry.id,
        None if entry.limits is None else _numbers(entry.limits),
        entry.annotations or {},
    )
    made = create(
        store, entry.name, partition=partition, special_use=entry.special_use or "", subscribe=listed, having=having
    )
    aclfile.forget_list(made.tree.root)
    if store.files.sharing and entry.name.owner is not None:
        store.files.sharing.update(entry.name.owner, made.tree)


def _acl(entries: tuple[tuple[str, str], ...]) -> Acl:
    return Acl(tuple((name, Rights(letters)) for name, letters in entries))


def _numbers(limits: Limits) -> dict[str, int]:
    return {
        field: value
        for field in ("storage", "messages", "mailboxes", "annotation")
        if (value := getattr(limits, field)) is not None
    }


def _named(store: MailStore, texts: tuple[str, ...]) -> list[MailboxName]:
    return [parse_internal(store.namespace, text) for text in texts]


# -- what is there ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Difference:
    what: str
    missing: bool  # nothing is there that would be lost
    change: Callable[[], object]


def _one(store: MailStore, entry: Entry, how: How, listed: bool) -> Done:
    """`listed`: a mailbox that is made is subscribed to."""
    shown = store.namespace.format_admin(entry.name)
    if entry.kind != MAIL:
        return _mended(shown, list(_root(store, entry)), how)
    mailbox = store.find(entry.name)
    if mailbox is None:
        if how.dry_run:
            return Done(shown, made=True)
        try:
            fixed = entry.name.is_inbox and store.settings.store.mail_home
            _make(store, entry, "" if fixed else entry.partition, listed=listed)
        except AlreadyExists:  # somebody was quicker
            mailbox = store.find(entry.name)
            if mailbox is None:
                raise
        else:
            if entry.subscriptions is not None and entry.name.owner is not None:
                subscribe(store, entry.name.owner, _named(store, entry.subscriptions))
            return Done(shown, made=True)
    return _mended(shown, list(_differences(store, entry, mailbox)), how)


def _mended(shown: str, differences: list[_Difference], how: How) -> Done:
    changing = [found for found in differences if found.missing or how.replace]
    if not how.dry_run:
        for found in changing:
            found.change()
    changed = tuple(dict.fromkeys(found.what for found in changing))
    left = tuple(dict.fromkeys(found.what for found in differences if not (found.missing or how.replace)))
    return Done(shown, changed=changed, left=left)


def _root(store: MailStore, entry: Entry) -> Iterator[_Difference]:
    """What a list of quota roots has for a place, whatever is there."""
    root, limits = store.quota_root(entry.name), entry.limits
    if limits is not None and (root is None or root.limits() != limits):
        yield _Difference("quota", root is None, lambda: rootlist.set_limits(store, entry.name, limits, force=True))


def _differences(store: MailStore, entry: Entry, mailbox: Mailbox) -> Iterator[_Difference]:
    name, partition = mailbox.name, entry.partition
    fixed = name.is_inbox and bool(store.settings.store.mail_home)
    yield from _of_acl(entry, mailbox)
    kept = store.files.records.get(mailbox.path)
    if entry.id and kept.id != entry.id:
        yield _Difference("id", not kept.id, lambda: store.files.records.change(mailbox.path, id=entry.id))
    if (use := entry.special_use) is not None and kept.special_use != use:
        yield _Difference("special use", not kept.special_use, lambda: mailbox.set_special_use(use))
    limits, now = entry.limits, limits_of(store, mailbox)
    if limits is not None and now != limits:
        yield _Difference("quota", now is None, lambda: rootlist.set_limits(store, name, limits))
    yield from _of_annotations(store, entry, mailbox)
    if entry.subscriptions is not None and name.owner is not None:
        yield from _of_subscriptions(store, name.owner, _named(store, entry.subscriptions))
    if partition and partition != mailbox.partition and not fixed:  # last: the mailbox is elsewhere then
        yield _Difference("partition", False, lambda: store.rename(name, name, partition=partition))


def _of_acl(entry: Entry, mailbox: Mailbox) -> Iterator[_Difference]:
    if entry.acl is None:
        return
    now = mailbox.store.acls.whole(mailbox.path, mailbox.name.owner)
    acl = _acl(entry.acl)
    missing = not lexists(f"{mailbox.path}/{aclfile.FILE_NAME}")
    if missing or dict(now.entries) != dict(acl.entries):
        yield _Difference("acl", missing, lambda: mailbox.set_acl(acl))


def _of_annotations(store: MailStore, entry: Entry, mailbox: Mailbox) -> Iterator[_Difference]:
    if entry.annotations is None:
        return
    now = annotations_of(store, mailbox)
    for user in sorted({*now, *entry.annotations}):
        old, new = now.get(user, {}), entry.annotations.get(user, {})
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                change = partial(_annotate, store, mailbox, user, key, new.get(key))
                yield _Difference("annotations", key not in old, change)


def _annotate(store: MailStore, mailbox: Mailbox, user: str, key: str, value: str | None) -> None:
    if user == _SERVER:
        store.annotations.set_server(mailbox, mailbox.name.owner, key, value)
    else:
        store.annotations.set(mailbox, user or None, key, value)


def _of_subscriptions(store: MailStore, userid: str, wanted: list[MailboxName]) -> Iterator[_Difference]:
    now = [name for name, _ in subscribed(store, userid) if name is not None]
    new = [name for name in wanted if name not in now]
    gone = [name for name in now if name not in wanted]
    if new:
        yield _Difference("subscriptions", True, lambda: subscribe(store, userid, new))
    if gone:
        yield _Difference("subscriptions", False, lambda: unsubscribe(store, userid, gone))
