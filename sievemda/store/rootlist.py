"""Quota roots by name: find, list, make and remove them, as an administrator may (semantics, section 7).

Names are those of mailboxes, and `@example.org` (or `example.org!`, as Cyrus has it inside) for the root of a domain.

Why limits may be set where no mailbox is: mailboxes below may be there already, and an administrator may want to have
the limit before the mailbox; the latter he must say with a `+`, because it is a slip more often.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from os.path import islink
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError, NotFound, StoreTrouble
from sievemda.policy.quota import Limits
from sievemda.store import maildirsize, quota_state, record
from sievemda.store.directories import make_directory
from sievemda.store.files import is_directory
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.quota import QuotaRoot
from sievemda.store.roots import domain_of

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_FORBIDDEN = frozenset("/*%?")  # in one part of the name of a root
FORCE = "+"


def root_name(namespace: Namespace, text: str) -> MailboxName:
    """A name as on the command line; DataError when it can be neither a mailbox nor a domain."""
    if namespace.virtual and (text.startswith("@") or (text.endswith("!") and "/" not in text)):
        domain = namespace.domain(text.strip("@!"))
        if not domain:
            raise DataError(f"{text!r}: the default domain has no quota root")
        return MailboxName(None, (), domain)
    return namespace.parse_admin(text)


def find(store: MailStore, name: MailboxName) -> QuotaRoot | None:
    """The root of exactly that name; a file in which an IMAP server counts without a limit is none.

    TemporaryTrouble when it may be on a disk that is away.
    """
    if is_domain(name):
        root = store.files.roots.domain(name.domain)
        return root if store.files.roots.is_limited(root) else None
    linked = False
    for tree in trees(store, name.owner, name.domain):
        if store.files.roots.is_root(name.path, tree):
            return store.files.roots.at(name, tree)
        linked = linked or islink(tree.folder(name.path))  # noqa: PTH114 - a name may be too long
    if linked or (name.owner is not None and not store.user_exists(name.owner)):
        store.layout.check_there()
    return None


def nearest(store: MailStore, name: MailboxName) -> QuotaRoot | None:
    """The root that counts for a mailbox of that name, there or not."""
    if mailbox := store.find(name):
        name, tree = mailbox.name, mailbox.tree
    else:
        found = next(trees(store, name.owner, name.domain), None)
        if found is None:
            return None
        tree = found
    root = store.files.roots.nearest(name, tree)
    return root if root and store.files.roots.is_limited(root) else None


def above(store: MailStore, name: MailboxName) -> QuotaRoot | None:
    """The root that counts above a mailbox, there or not."""
    if name.parent is not None:
        return nearest(store, name.parent)
    domain = domain_of(name)
    return find(store, MailboxName(None, (), domain)) if domain else None


def is_domain(name: MailboxName) -> bool:
    return name.owner is None and not name.path


def trees(store: MailStore, owner: str | None, domain: str = "") -> Iterator[Tree]:
    """Where roots of a user, or of shared folders, may lie; also of a user who is none yet."""
    if owner is None:
        yield from store.layout.shared(domain)
    elif tree := store.user_tree(owner):
        yield tree
    else:
        for partition, home in store.layout.homes(owner):
            inside = store.layout.inside(home)
            if inside is home and store.layout.inside(home / MAILDIR) == home / MAILDIR:
                yield store.layout.tree(owner, partition, home)


# -- listing ---------------------------------------------------------------------------------------------------------


def roots_of(store: MailStore, owner: str | None, domain: str) -> Iterator[QuotaRoot]:
    """The roots of a user, or those of a domain and its shared folders, in no order."""
    roots = store.files.roots
    if owner is None and domain and roots.is_limited(found := roots.domain(domain)):
        yield found
    seen = set()
    for tree in trees(store, owner, domain):
        for root in roots.all_in(tree):
            if root.name not in seen:
                seen.add(root.name)
                yield root


# -- changing --------------------------------------------------------------------------------------------------------


def check_root(namespace: Namespace, name: MailboxName) -> None:
    """DataError when no quota root may have that name."""
    if any(_FORBIDDEN & set(part) for part in name.path):
        shown = namespace.format_admin(name)
        raise DataError(f"{shown!r} cannot be a quota root: {' '.join(sorted(_FORBIDDEN))} are not allowed in it")


def set_limits(store: MailStore, name: MailboxName, limits: Limits, *, force: bool = False) -> QuotaRoot:
    """Replace all limits of a root, which is made when it is none yet.

    NotFound when no mailbox has that name or lies below, unless forced; DataError; StoreTrouble.
    """
    shown = store.namespace.format_admin(name)
    check_root(store.namespace, name)
    try:
        root = _made(store, name, shown, force=force)
        root.set_limits(limits)
    except OSError as error:
        raise StoreTrouble(f"the quota of {shown} cannot be set: {error}") from error
    return root


def _made(store: MailStore, name: MailboxName, shown: str, *, force: bool) -> QuotaRoot:
    mailbox = None if is_domain(name) else store.find(name)
    if mailbox:
        return store.make_root(mailbox)
    root = find(store, name)
    if root is None:
        if not (force or any(name.covers(found) for found in _names(store, name))):
            raise NotFound(f"no mailbox {shown}, nor one below it (a {FORCE} in front sets its quota all the same)")
        root = _placed(store, name)
    make_directory(store, root.path)
    return root


def _names(store: MailStore, name: MailboxName) -> Iterator[MailboxName]:
    """Names that are taken near one: of the mailboxes of a user or domain."""
    for mailbox in store.mailboxes_of(name.owner, name.domain):
        yield mailbox.name
    if is_domain(name) and any(userid.partition("@")[2] == name.domain for userid in store.layout.users()):
        yield name


def _placed(store: MailStore, name: MailboxName) -> QuotaRoot:
    """Where a root belongs that is not there."""
    if is_domain(name):
        return store.files.roots.domain(name.domain)
    tree = next(trees(store, name.owner, name.domain), None)
    if tree is None:
        store.namespace.check_new(name)
        owner = name.owner or ""
        partition, home = next(store.layout.homes(owner))
        tree = store.layout.tree(owner, partition, home)
    if name.path:
        store.namespace.check_new(name)
    return store.files.roots.at(name, tree)


def remove(store: MailStore, root: QuotaRoot) -> None:
    """The mailbox is no root any longer; what is left of one where there is no mailbox goes too. OSError."""
    if root.is_domain or store.find(root.name):
        root.remove()
        return
    for name in (maildirsize.FILE_NAME, quota_state.FILE_NAME, record.FILE_NAME):
        (root.path / name).unlink(missing_ok=True)
    with suppress(OSError):  # there is something else in it
        root.path.rmdir()


def is_bare(maildir: Path) -> bool:
    """Whether it was made for limits alone: there is nothing of a mailbox in it. OSError."""
    if maildir.is_symlink() or not maildir.is_dir():
        return False
    ours = {maildirsize.FILE_NAME, quota_state.FILE_NAME, record.FILE_NAME}
    return all(_is_place(entry) if entry.name[0] == "." else entry.name in ours for entry in maildir.iterdir())


def _is_place(folder: Path) -> bool:
    """Whether limits are kept there for a folder that is none yet, or a file is just being written."""
    return not is_directory(f"{folder}/cur", through_link=True)


def is_idle(root: QuotaRoot) -> bool:
    """Whether there is no mailbox that it could limit."""
    return next(root.folders(), None) is None
