"""Bringing deleted mailboxes back, under their old name or another one (semantics, section 5).

A folder goes into the tree of its owner as that is now, which may have moved in the meantime, and to the partition it
was on; with it come its messages and keywords, its id, ACL and quota, and its owner is subscribed again if he was. A
user comes back with everything he had. What is in the way stays, and so does what was deleted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError, NotFound, StoreTrouble
from sievemda.store import aside, links, moves, subscriptions
from sievemda.store.creation import (
    nearest_above,
    open_partition,
    place_of,
    tree_for,
)
from sievemda.store.journey import Step, journey
from sievemda.store.layout import MAILDIR
from sievemda.store.names import MailboxName

if TYPE_CHECKING:
    from sievemda.store.aside import Aside
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore


def undelete(store: MailStore, name: MailboxName, *, to: MailboxName | None = None, deletion: str = "") -> Mailbox:
    """Undo a deletion of that mailbox: the latest, or the one with that identifier.

    NotFound, AlreadyExists, DataError (a new name that cannot be), StoreTrouble.
    """
    moves.recover(store)
    entry = _chosen(store, name, deletion)
    name = store.namespace.parse_admin(entry.name)
    new = (to.decoded() or to) if to else name
    shown = store.namespace.format_admin(new)
    if new.is_inbox != name.is_inbox:
        raise DataError("an INBOX cannot become a folder, nor a folder an INBOX")
    if new != name:
        store.namespace.check_new(new)
    if store.find(new):
        raise AlreadyExists(f"{shown} is there; what was deleted stays: bring it back under another name")
    try:
        if new.is_inbox:
            _bring_user(store, entry, name.owner or "", new.owner or "")
        else:
            _bring_folder(store, entry, name, new)
    except OSError as error:
        raise StoreTrouble(f"{shown} cannot be brought back: {error}") from error
    aside.remove(entry)
    found = store.find(new)
    if found is None:
        raise StoreTrouble(f"{shown} was brought back and is not found")
    return found


def _chosen(store: MailStore, name: MailboxName, deletion: str) -> Aside:
    shown = store.namespace.format_admin(name)
    mine = [entry for entry in aside.entries(store) if entry.mailbox and entry.name == shown]
    if deletion:
        mine = [entry for entry in mine if entry.id == deletion]
    if not mine:
        store.layout.check_there()
        raise NotFound(f"no deleted mailbox {shown}" + (f" with the identifier {deletion}" if deletion else ""))
    return mine[-1]


# -- folders -----------------------------------------------------------------------------------------------------------


def _bring_folder(store: MailStore, entry: Aside, old: MailboxName, new: MailboxName) -> None:
    above = nearest_above(store, new)
    if new.owner is not None and above is None:
        raise NotFound(f"no user {new.owner}: bring the user back first")
    source = Path(entry.parts[0][0]) if entry.parts else entry.path / "0"
    if not source.is_dir():
        raise NotFound(f"nothing is left of {entry.name} in {entry.path}")
    partition = store.layout.partition_of(entry.path)
    open_partition(store, partition)
    tree = tree_for(store, new, above, partition)
    links.clear_dangling(store, tree.folder(new.path))
    with links.alone(tree):
        place = links.vacant(store, tree, store.namespace.format_admin(new), place_of(store, tree, new, partition))
        if place.exists() or place.is_symlink():
            raise AlreadyExists(f"{place} is in the way")
        steps = [Step("move", source, place)]
        if tree.folder(new.path) != place:
            steps.append(Step("link", tree.folder(new.path), place))
        moved = [(old.path, new.path, str(place))]
        with journey(store, steps, {"kind": "folders", "owners": [old.owner, new.owner], "moved": moved}):
            moves.given(store, old.owner, new.owner, place)
    if entry.subscribed:
        mode = store.files.message_mode
        moves.change_subscriptions(tree, lambda root: subscriptions.subscribe(root, [new.path], mode))
    moves.recount(store, new)


# -- users -------------------------------------------------------------------------------------------------------------


def _bring_user(store: MailStore, entry: Aside, old: str, new: str) -> None:
    parts = [(Path(there), _where_to(store, Path(was), old, new)) for there, was in entry.parts]
    parts = [(there, place) for there, place in parts if there.exists()]
    if not parts:
        raise NotFound(f"nothing is left of {entry.name} in {entry.path}")
    for _, place in parts:
        if place.exists() or place.is_symlink():
            raise AlreadyExists(f"{place} is in the way")
    steps = [Step("move", there, place) for there, place in reversed(parts)]  # the home last: with it the user is there
    with journey(store, steps, {"kind": "user", "old": old, "new": new}):
        if new != old:
            _relink(store, old, new)
            moves.renamed_user(store, old, new)
    moves.recount(store, MailboxName(new))


def _where_to(store: MailStore, was: Path, old: str, new: str) -> Path:
    """Where a part of a user belongs who has another name now."""
    layout = store.layout
    for partition in layout.partitions:
        if was == layout.below(old, partition):
            return layout.below(new, partition)
    home = layout.home(old, layout.default)
    if was.parent == home:
        return layout.home(new, layout.default) / was.name
    if not layout.really_holds(was):
        raise DataError(f"{was} lies in no partition")
    if old != new:
        raise DataError(f"{was} is no place for a user of another name: bring {old} back and rename him then")
    return was


def _relink(store: MailStore, old: str, new: str) -> None:
    """Links to folders on other partitions lead to where these lie now."""
    tree = store.user_tree(new)
    if tree is None:
        return
    for seen in tree.root.iterdir():
        if not seen.is_symlink():
            continue
        target = seen.readlink()
        for partition in store.layout.partitions:
            if target.parent == store.layout.below(old, partition) / MAILDIR:
                seen.unlink()
                seen.symlink_to(store.layout.below(new, partition) / MAILDIR / target.name)
