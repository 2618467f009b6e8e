"""Deleting, renaming and moving mailboxes (semantics, sections 5 and 6).

What is renamed goes on a `journey`: it arrives with all its folders or stays, also when somebody pulls the plug.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.errors import AlreadyExists, DataError, NotFound, NotPermitted, SievemdaError, StoreTrouble
from sievemda.policy.acl import parse_rights
from sievemda.store import aside, leftovers, links, lost, rootlist, subscriptions
from sievemda.store.creation import nearest_above, open_partition, place_of, tree_for
from sievemda.store.journey import Step, go_on, journey, unfinished
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName
from sievemda.store.withdrawn import AREA

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_log = logging.getLogger(__name__)
HOME_PARTS = (MAILDIR, ".dovecot.sieve", "sieve", AREA, lost.AREA)  # what is ours in a home that is not


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
            entry = aside.set_aside(store, shown, mailbox.partition, parts_of_user(store, mailbox))
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


def parts_of_user(store: MailStore, inbox: Mailbox) -> list[Path]:
    """What makes up a user, his INBOX first: his home (or what is ours in it), and his homes on other partitions."""
    userid = inbox.name.owner or ""
    home = inbox.path.parent
    parts = [home / part for part in HOME_PARTS] if store.settings.store.mail_home else [home]
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


def change_subscriptions(tree: Tree | None, change: Callable[[Path], None]) -> None:
    if tree is None or tree.owner is None:
        return
    try:
        change(tree.root)
    except (OSError, SievemdaError) as error:
        _log.error("%s: cannot change the subscriptions: %s", tree.root, error)


def rename(store: MailStore, old: MailboxName, new: MailboxName, *, partition: str = "") -> Mailbox:
    """Give a mailbox, and what lies below it, another name or another partition.

    NotFound, AlreadyExists, DataError (a name that cannot be, an INBOX that would become a folder), StoreTrouble.
    """
    recover(store)
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
    goal = f"moved to partition {partition}" if new == old else f"renamed to {shown}"
    with _trouble(f"{store.namespace.format_admin(old)} cannot be {goal}"):
        if old.is_inbox:
            _rename_user(store, mailbox, new.owner or "", partition)
            recount(store, old)
            recount(store, new)
        else:
            _rename_folders(store, mailbox, new, partition)
    return _existing(store, new)


def recover(store: MailStore) -> None:
    """Finish what was begun by somebody who crashed."""
    go_on(store, partial(_arrived, store))


def _arrived(store: MailStore, note: dict[str, Any]) -> None:
    """What follows a journey; may be done twice."""
    if note["kind"] == "user":
        if note["old"] != note["new"]:
            renamed_user(store, note["old"], note["new"])
        return
    old_owner, new_owner = note["owners"]
    moved = [(tuple(old), tuple(new), Path(place)) for old, new, place in note["moved"]]
    for _, _, place in moved:
        given(store, old_owner, new_owner, place)
    names, mode = {old: new for old, new, _ in moved}, store.files.message_mode
    left, reached = (store.user_tree(owner) if owner else None for owner in (old_owner, new_owner))
    if old_owner == new_owner:
        change_subscriptions(reached, lambda root: subscriptions.rename(root, names, mode))
    else:
        change_subscriptions(left, lambda root: subscriptions.unsubscribe(root, list(names), mode))
        change_subscriptions(reached, lambda root: subscriptions.subscribe(root, list(names.values()), mode))


def given(store: MailStore, old: str | None, new: str | None, place: Path) -> None:
    """A folder that has another owner now keeps its ACL, with the rights that an owner always has."""
    if old != new:
        implicit = parse_rights(store.settings.acl.implicit_owner_rights)
        store.files.acls.change(place, old, lambda acl: acl.secured(new, implicit), owner_after=new)


def renamed_user(store: MailStore, old: str, new: str) -> None:
    """The ACLs of all his folders learn the new name of a user."""
    for found in store.mailboxes_of(new):
        store.files.acls.change(found.path, old, lambda acl: acl.renamed(old, new), owner_after=new)


# -- folders ---------------------------------------------------------------------------------------------------------


def _rename_folders(store: MailStore, mailbox: Mailbox, new: MailboxName, partition: str) -> None:
    old, began = mailbox.name, time.time()

    def destination(source: Mailbox) -> Tree:
        above = nearest_above(store, new)
        if new.owner is not None and above is None:
            raise NotFound(f"no user {new.owner}")
        if (old.owner, old.domain) == (new.owner, new.domain):
            return source.tree
        return tree_for(store, new, above, partition or source.partition)

    with _held(store, old, new, destination) as (held, tree):
        steps: list[Step] = []
        moved = []
        for source in _covered(store, held):
            name = new.child(*source.name.path[len(old.path) :])
            store.namespace.check_new(name)
            to = partition or source.partition
            open_partition(store, to)
            place = place_of(store, tree, name, to)
            if place != source.path:
                place = links.vacant(store, tree, store.namespace.format_admin(name), place)
            steps += _of_folder(source, place, tree.folder(name.path))
            moved.append((source.name.path, name.path, str(place)))
        note = {"kind": "folders", "owners": [old.owner, new.owner], "moved": moved}
        with journey(store, steps, note):
            _arrived(store, note)
    if partition:
        _followed(store, new, began)
    recount(store, old)
    recount(store, new)


@contextmanager
def _held(
    store: MailStore, old: MailboxName, new: MailboxName, destination: Callable[[Mailbox], Tree]
) -> Iterator[tuple[Mailbox, Tree]]:
    """The mailbox and the tree it goes to, while nobody else moves either: both are where they are now.

    As `_still` and `destination` raise; TemporaryTrouble when somebody moves them for long.
    """
    told: frozenset[str] = frozenset()  # what cannot be finished
    while True:
        before = _existing(store, old)
        trees = before.tree, destination(before)
        with links.alone(*trees, strict=True):
            mailbox, found = _still(store, old, new), unfinished(store)
            now = mailbox.tree, destination(mailbox)
            if [tree.root for tree in now] == [tree.root for tree in trees] and found <= told:
                yield mailbox, now[1]
                return
        if found - told:  # one has died while we waited for him: what he began would be taken for what we make
            recover(store)
            told |= found


def _still(store: MailStore, old: MailboxName, new: MailboxName) -> Mailbox:
    """The mailbox, now that nobody else moves it. NotFound, AlreadyExists: somebody was quicker."""
    if new != old and store.find(new):
        raise AlreadyExists(f"{store.namespace.format_admin(new)} is there already")
    return _existing(store, old)


def _followed(store: MailStore, name: MailboxName, began: float) -> None:
    """What arrived while folders moved to another disk has followed them, and is counted."""
    leftovers.follow(store, name, since=began)
    found = _covered(store, _existing(store, name))
    for root in {root.path: root for mailbox in found if (root := mailbox.quota_root())}.values():
        with suppress(OSError):
            root.changed()


def _of_folder(source: Mailbox, place: Path, shown: Path) -> list[Step]:
    """One folder goes to its new place and is shown in the tree, where it no longer is where it was."""
    seen = source.tree.folder(source.name.path)
    if seen.is_symlink() and place == seen:
        return _in_place_of_link(source.path, place)
    steps = [Step("move", source.path, place)] if place != source.path else []
    if seen.is_symlink():
        steps.append(Step("unlink", seen, source.path))
    if shown != place:
        steps.append(Step("link", shown, place))
    return steps


def _in_place_of_link(source: Path, seen: Path) -> list[Step]:
    """A folder goes where the link is that shows it."""
    return [Step("linked", seen, source), Step("move", source, seen)]


# -- users -----------------------------------------------------------------------------------------------------------


def _rename_user(store: MailStore, inbox: Mailbox, new: str, partition: str) -> None:
    """Move a home; the folders that lie on other partitions follow, and the ACLs learn the new name."""
    began = time.time()
    if partition and store.settings.store.mail_home:
        raise DataError("mail_home decides where the homes of users lie")
    if partition:
        open_partition(store, partition)
    with _held(store, inbox.name, MailboxName(new), lambda found: found.tree) as (held, _):
        _move_home(store, held, new, partition)
    if partition:
        _followed(store, MailboxName(new), began)


def _move_home(store: MailStore, inbox: Mailbox, new: str, partition: str) -> None:
    old, home = inbox.name.owner or "", inbox.path.parent
    target = store.layout.home(new, partition or inbox.partition)
    tree = Tree(new, "", store.layout.partition_of(target), target / MAILDIR)
    away = [found for found in _covered(store, inbox) if found.name.path and found.path.parent != inbox.path]
    in_its_way = [folder for folder in away if target != home and folder.path.parent == target / MAILDIR]
    steps = [step for folder in in_its_way for step in _brought_home(folder)]
    if in_its_way:
        steps += _cleared(target / MAILDIR)
    if target != home:
        steps += [Step("vacate", target, target), Step("move", home, target)]
    for folder in away:
        if folder not in in_its_way and (following := _following(store, folder, tree)):
            steps += [*following, *_cleared(folder.path.parent)]
    with journey(store, steps, {"kind": "user", "old": old, "new": new}):
        if new != old:
            renamed_user(store, old, new)


def _brought_home(folder: Mailbox) -> list[Step]:
    """A folder that lies at the place of the new home moves into its tree, and moves with that."""
    return _in_place_of_link(folder.path, folder.tree.folder(folder.name.path))


def _cleared(maildir: Path) -> list[Step]:
    """Nothing stays of a home on another partition in which nothing lies any more."""
    return [Step("clear", maildir, maildir), Step("clear", maildir.parent, maildir.parent)]


def _following(store: MailStore, folder: Mailbox, tree: Tree) -> list[Step]:
    """A folder on another partition goes to its new place there; its link has moved with the tree."""
    place = place_of(store, tree, MailboxName(tree.owner, folder.name.path), folder.partition)
    if place == folder.path:
        return []
    shown = tree.folder(folder.name.path)
    if place == shown:  # the home has come to where the folder is already
        return [Step("unlink", shown, folder.path), Step("move", folder.path, place)]
    return [Step("move", folder.path, place), Step("unlink", shown, folder.path), Step("link", shown, place)]
