"""Who is subscribed to which mailboxes: the file `subscriptions` of a user, in names of mailboxes.

A user's own folders stand there by their path, others by the name under which he sees them (`Shared Folders`, `Other
Users`), which is what Dovecot writes for namespaces with `subscriptions = no`. Without the alternative namespace a
shared folder has no prefix; then an own folder of that name goes first.

Why not all names are mailboxes: a subscription outlives the folder (RFC 3501 §6.3.6), and the file may have been
damaged. What cannot be a name is shown as it stands and kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sievemda.errors import DataError, NotFound, StoreTrouble
from sievemda.store import subscriptions
from sievemda.store.layout import Tree
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore


def subscribed(store: MailStore, userid: str) -> list[tuple[MailboxName | None, str]]:
    """The user's subscriptions in the order of the file: the mailbox, and the name as he sees it.

    NotFound when there is no such user; StoreTrouble when the file cannot be read. A line that names nothing is given
    as it stands, with None.
    """
    tree = _tree(store, userid)
    try:
        lines = subscriptions.subscribed(tree.root)
    except OSError as error:
        raise StoreTrouble(f"{tree.root / subscriptions.FILE_NAME} cannot be read: {error}") from error
    found: list[tuple[MailboxName | None, str]] = []
    for line in lines:
        name = _name(store, userid, line)
        found.append((name, store.namespace.format_user(name, userid) if name else line.replace("\t", "/")))
    return found


def subscribe(store: MailStore, userid: str, names: Iterable[MailboxName]) -> None:
    """Add mailboxes; what is there already stays. NotFound (no such user), StoreTrouble, TemporaryTrouble."""
    _change(store, userid, names, add=True)


def unsubscribe(store: MailStore, userid: str, names: Iterable[MailboxName]) -> None:
    """Take mailboxes out; what is not there is no error. NotFound (no such user), StoreTrouble, TemporaryTrouble."""
    _change(store, userid, names, add=False)


def _change(store: MailStore, userid: str, names: Iterable[MailboxName], *, add: bool) -> None:
    tree = _tree(store, userid)
    change = subscriptions.subscribe if add else subscriptions.unsubscribe
    try:
        change(tree.root, [_path(store, userid, name) for name in names], store.files.message_mode)
    except OSError as error:
        raise StoreTrouble(f"{tree.root / subscriptions.FILE_NAME} cannot be changed: {error}") from error


def _tree(store: MailStore, userid: str) -> Tree:
    tree = store.user_tree(userid)
    if tree is None:
        raise NotFound(f"no user {userid}")
    return tree


def _path(store: MailStore, userid: str, name: MailboxName) -> tuple[str, ...]:
    """How a mailbox stands in the file of a user."""
    if name.owner == userid:
        return name.path
    return store.namespace.split(store.namespace.format_user(name, userid))


def _name(store: MailStore, userid: str, line: str) -> MailboxName | None:
    if line.upper() == "INBOX":
        return MailboxName(userid)
    path = from_disk("." + line.replace("\t", "."))
    if path is None:
        return None
    names, domain = store.settings.names, userid.partition("@")[2]
    others = names.userprefix if names.altnamespace else "user"
    if path[0] == others and len(path) > 1:
        try:
            return MailboxName(store.namespace.parse_user(store.namespace.join(path[:2]), userid).owner, path[2:])
        except DataError:
            return None
    if names.altnamespace:
        shared = path[0] == names.sharedprefix and len(path) > 1
        return MailboxName(None, path[1:], domain) if shared else MailboxName(userid, path)
    board = MailboxName(None, path, domain)
    return board if store.find(MailboxName(userid, path)) is None and store.find(board) else MailboxName(userid, path)
