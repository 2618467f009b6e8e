"""Whose a directory is, as its place says: for those who meet one and have not looked for its mailbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailstore import MailStore


def mailbox_at(store: MailStore, place: Path) -> Mailbox | None:
    """The mailbox at a directory. It need not be shown yet, and is called then what its place is called.

    None: it lies with nobody who is there.
    """
    tree = tree_at(store, place)
    if tree is None:
        return None
    for found in store.mailboxes_of(tree.owner, tree.domain):
        if found.path == place:
            return found
    path = from_disk(place.name) or ()
    return Mailbox(MailboxName(tree.owner, path, tree.domain), place, tree.partition, tree, store.files)


def tree_at(store: MailStore, place: Path) -> Tree | None:
    """The tree of the user in one of whose homes a directory lies, or that of the shared folders in which it does."""
    for home in (place, *place.parents):
        for userid in (home.name, *(f"{home.name}@{part}" for part in home.parts)):
            if home in _homes(store, userid) and (tree := store.user_tree(userid)):
                return tree
    for domain in ("", *place.parts):
        for tree in store.layout.shared(domain):
            if place.is_relative_to(tree.root):
                return tree
    return None


def _homes(store: MailStore, userid: str) -> set[Path]:
    if not userid or "/" in userid:
        return set()
    layout = store.layout
    return {home for _, home in layout.homes(userid)} | {layout.below(userid, name) for name in layout.partitions}
