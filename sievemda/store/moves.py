"""Deleting, renaming and moving mailboxes (semantics, sections 5 and 6).

Each single folder moves by one rename. A rename of several folders that fails half way is taken back.

Why a move between file systems sweeps afterwards: while the folder is copied, mail may arrive in the old one. The old
one is taken out of sight first, then what the copy lacks is copied too, and the old one stays with what was deleted.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError, NotFound, NotPermitted, SievemdaError, StoreTrouble
from sievemda.policy.acl import parse_rights
from sievemda.store import aside, rootlist, subscriptions
from sievemda.store.creation import link, make_directory, nearest_above, place_of, tree_for
from sievemda.store.files import sync_directory, unique_name
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName
from sievemda.store.withdrawn import AREA

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_log = logging.getLogger(__name__)
_HOME_PARTS = (MAILDIR, ".dovecot.sieve", "sieve", AREA)  # what is ours in a home that is not


@contextmanager
def _trouble(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreTrouble(f"{what}: {error}") from error


def delete(store: MailStore, name: MailboxName) -> None:
    """Delete a mailbox; an INBOX goes with everything that the user has.

    NotFound; NotPermitted when a folder has folders below it; StoreTrouble.
    """
    mailbox = _existing(store, name)
    shown = store.namespace.format_admin(mailbox.name)
    if not mailbox.name.is_inbox and len(_covered(store, mailbox)) > 1:
        raise NotPermitted(f"{shown} has folders below it: delete them first")
    with _trouble(f"{shown} cannot be deleted"):
        if mailbox.name.is_inbox:
            entry = aside.set_aside(store, shown, mailbox.partition, _parts_of_user(store, mailbox))
        else:
            entry = _folder_aside(store, mailbox, shown)
    if store.settings.store.delete_mode == "immediate" or store.settings.store.delete_days <= 0:
        aside.remove(entry)
    if not mailbox.name.is_inbox:
        path, mode = mailbox.name.path, store.files.message_mode
        change_subscriptions(mailbox.tree, lambda root: subscriptions.unsubscribe(root, [path], mode))
    recount(store, mailbox.name)


def _existing(store: MailStore, name: MailboxName) -> Mailbox:
    mailbox = store.find(name)
    if mailbox is None:
        raise NotFound(f"no mailbox {store.namespace.format_admin(name)}")
    return mailbox


def _covered(store: MailStore, mailbox: Mailbox) -> list[Mailbox]:
    """The mailbox and those below it, sorted by name."""
    name = mailbox.name
    found = [other for other in store.mailboxes_of(name.owner, name.domain) if name.covers(other.name)]
    return sorted(found, key=lambda other: other.name.path)


def _parts_of_user(store: MailStore, inbox: Mailbox) -> list[Path]:
    """What makes up a user, his INBOX first: his home (or what is ours in it), and his homes on other partitions."""
    userid = inbox.name.owner or ""
    home = inbox.path.parent
    parts = [home / part for part in _HOME_PARTS] if store.settings.store.mail_home else [home]
    for partition in store.layout.partitions:
        other = store.layout.below(userid, partition)
        if other != home:
            parts.append(other)
    return [part for part in parts if part.exists() or part.is_symlink()]


def _folder_aside(store: MailStore, mailbox: Mailbox, shown: str) -> aside.Aside:
    seen = mailbox.tree.folder(mailbox.name.path)
    link = seen if seen.is_symlink() else None
    subscribed = False
    with suppress(OSError):  # a damaged list is no reason to keep the mailbox
        subscribed = subscriptions.line_of(mailbox.name.path) in subscriptions.subscribed(mailbox.tree.root)
    return aside.set_aside(store, shown, mailbox.partition, [mailbox.path], link=link, subscribed=subscribed)


def recount(store: MailStore, name: MailboxName) -> None:
    """Have the root above a place counted that has lost or got a folder."""
    with suppress(OSError):  # it is counted again when somebody asks
        root = rootlist.above(store, name)
        if root:
            root.changed()


def change_subscriptions(tree: Tree, change: Callable[[Path], None]) -> None:
    if tree.owner is None:
        return
    try:
        change(tree.root)
    except (OSError, SievemdaError):
        _log.exception("%s: cannot change the subscriptions", tree.root)


def rename(store: MailStore, old: MailboxName, new: MailboxName, *, partition: str = "") -> Mailbox:
    """Give a mailbox, and what lies below it, another name or another partition.

    NotFound, AlreadyExists, DataError (a name that cannot be, an INBOX that would become a folder), StoreTrouble.
    """
    mailbox = _existing(store, old)
    old, new = mailbox.name, new.decoded() or new
    shown = store.namespace.format_admin(new)
    if partition:
        store.layout.partition(partition)
    if old.is_inbox != new.is_inbox:
        raise DataError("an INBOX cannot become a folder, nor a folder an INBOX")
    if new == old:
        if not partition:
            raise AlreadyExists(f"{shown} has that name already")
    else:
        store.namespace.check_new(new)
        if store.find(new):
            raise AlreadyExists(f"{shown} is there already")
        if old.covers(new):
            raise DataError(f"{shown} lies below the mailbox itself")
    with _trouble(f"{store.namespace.format_admin(old)} cannot be renamed to {shown}"):
        if old.is_inbox:
            _rename_user(store, mailbox, new.owner or "", partition)
            recount(store, old)
            recount(store, new)
        else:
            _rename_folders(store, mailbox, new, partition)
    return _existing(store, new)


# -- folders ---------------------------------------------------------------------------------------------------------


def _rename_folders(store: MailStore, mailbox: Mailbox, new: MailboxName, partition: str) -> None:
    old = mailbox.name
    above = nearest_above(store, new)
    if new.owner is not None and above is None:
        raise NotFound(f"no user {new.owner}")
    tree = mailbox.tree if (old.owner, old.domain) == (new.owner, new.domain) else None
    tree = tree or tree_for(store, new, above, partition or mailbox.partition)
    done: list[tuple[Mailbox, MailboxName, Path]] = []
    try:
        for source in _covered(store, mailbox):
            name = new.child(*source.name.path[len(old.path) :])
            store.namespace.check_new(name)
            done.append((source, name, _move_folder(store, source, tree, name, partition or source.partition)))
    except BaseException:
        for source, name, place in reversed(done):
            _put_back(store, source, tree, name, place)
        raise
    for source, name, place in done:
        given(store, source.name.owner, name.owner, place)
    names = {source.name.path: name.path for source, name, _ in done}
    mode = store.files.message_mode
    if tree == mailbox.tree:
        change_subscriptions(tree, lambda root: subscriptions.rename(root, names, mode))
    else:
        change_subscriptions(mailbox.tree, lambda root: subscriptions.unsubscribe(root, list(names), mode))
        change_subscriptions(tree, lambda root: subscriptions.subscribe(root, list(names.values()), mode))
    recount(store, old)
    recount(store, new)


def _move_folder(store: MailStore, source: Mailbox, tree: Tree, name: MailboxName, partition: str) -> Path:
    """Move one folder to where `name` lies, and show it in the tree; where that is."""
    seen = source.tree.folder(source.name.path)
    place = place_of(store, tree, name, partition)
    if place != source.path:
        make_directory(store, place.parent)
        if place == seen:  # comes home from another partition
            seen.unlink()
        transfer(store, source.path, place)
    if seen.is_symlink():
        seen.unlink()
    if tree.folder(name.path) != place:
        link(store, tree, name, partition)
    sync_directory(tree.root)
    return place


def _put_back(store: MailStore, source: Mailbox, tree: Tree, name: MailboxName, place: Path) -> None:
    try:
        if tree.folder(name.path).is_symlink():
            tree.folder(name.path).unlink()
        transfer(store, place, source.path)
        if source.tree.folder(source.name.path) != source.path:
            link(store, source.tree, source.name, source.partition)
    except OSError:
        _log.exception("%s cannot be put back to %s", place, source.path)


def given(store: MailStore, old: str | None, new: str | None, place: Path) -> None:
    """A folder that has another owner now keeps its ACL, with the rights that an owner always has."""
    if old != new:
        implicit = parse_rights(store.settings.acl.implicit_owner_rights)
        store.files.acls.change(place, old, lambda acl: acl.secured(new, implicit), owner_after=new)


def transfer(store: MailStore, source: Path, place: Path) -> None:
    """Rename a directory, or copy it when that leads to another file system."""
    try:
        source.rename(place)
        sync_directory(place.parent)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(store, source, place)


def _copy(store: MailStore, source: Path, place: Path) -> None:
    temporary = place.parent.parent / f"new.{unique_name()}"
    try:
        shutil.copytree(source, temporary, symlinks=True)
        _sync_tree(temporary)
        temporary.rename(place)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_directory(place.parent)
    entry = aside.set_aside(store, str(source), store.layout.partition_of(source), [source], mailbox=False)
    _sweep(Path(entry.parts[0][0]), place)


def _sweep(left: Path, place: Path) -> None:
    """Copy messages that arrived in the old directory while it was being copied."""
    for file in left.rglob("*"):
        target = place / file.relative_to(left)
        if file.parent.name in ("new", "cur") and file.is_file() and not target.exists():
            shutil.copy2(file, target)
            _sync_tree(target.parent)


def _sync_tree(directory: Path) -> None:
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            if path.is_dir():
                sync_directory(path)
            else:
                with path.open("rb") as file:
                    os.fsync(file.fileno())


# -- users -----------------------------------------------------------------------------------------------------------


def _rename_user(store: MailStore, inbox: Mailbox, new: str, partition: str) -> None:
    """Move a home; the folders that lie on other partitions follow, and the ACLs learn the new name."""
    old = inbox.name.owner or ""
    if partition and store.settings.store.mail_home:
        raise DataError("mail_home decides where the homes of users lie")
    away = [found for found in _covered(store, inbox) if found.path.parent != inbox.path]
    home = inbox.path.parent
    target = store.layout.home(new, partition or inbox.partition)
    target_tree = Tree(new, "", store.layout.partition_of(target), target / MAILDIR)
    if target != home:
        for folder in away:  # what lies where the home will be must not be in its way
            _bring_home(store, folder, target)
        make_directory(store, target.parent)
        if target.exists():
            raise AlreadyExists(f"{target} is in the way")
        transfer(store, home, target)
    for folder in away:
        name = MailboxName(new, folder.name.path)
        seen = target_tree.folder(name.path)
        if seen.is_symlink():
            place = place_of(store, target_tree, name, folder.partition)
            make_directory(store, place.parent)
            if place != folder.path:
                transfer(store, folder.path, place)
            seen.unlink()
            link(store, target_tree, name, folder.partition)
    if new != old:
        for found in store.mailboxes_of(new):
            store.files.acls.change(found.path, old, lambda acl: acl.renamed(old, new), owner_after=new)


def _bring_home(store: MailStore, folder: Mailbox, target: Path) -> None:
    """Move a folder that lies at the place of the new home into its tree, so that it moves with the old one."""
    if folder.path.parent == target / MAILDIR:
        seen = folder.tree.folder(folder.name.path)
        seen.unlink()
        transfer(store, folder.path, seen)
        with suppress(OSError):
            folder.path.parent.rmdir()
            target.rmdir()
