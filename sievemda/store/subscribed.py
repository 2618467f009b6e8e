"""Who is subscribed to which mailboxes: the file `subscriptions` of a user, in names of mailboxes.

A user's own folders stand there by their path. Others have the prefix of their namespace in front (`Shared Folders/`,
`Other Users/bob/`), which is what Dovecot writes for namespaces with `subscriptions = no`; a line that has a tab for
the separator there is understood as well. Without the alternative namespace a shared folder has no prefix; then an own
folder of that name goes first.

Why not all names are mailboxes: a subscription outlives the folder (RFC 3501 §6.3.6), and the file may have been
damaged. What cannot be a name is shown as it stands and kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sievemda.errors import DataError, NotFound, StoreTrouble
from sievemda.store import subscriptions
from sievemda.store.layout import Tree
from sievemda.store.names import MailboxName
from sievemda.store.spelling import encode_utf7, from_disk

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
    """Add mailboxes; what is there already stays.

    NotFound (no such user), DataError (a shared folder of another domain), StoreTrouble, TemporaryTrouble.
    """
    _change(store, userid, names, add=True)


def unsubscribe(store: MailStore, userid: str, names: Iterable[MailboxName]) -> None:
    """Take mailboxes out; what is not there is no error. NotFound (no such user), StoreTrouble, TemporaryTrouble."""
    _change(store, userid, names, add=False)


def check_named(store: MailStore, userid: str, name: MailboxName) -> None:
    """DataError when a user has no name for a mailbox: for a shared folder of another domain."""
    if name.owner is None and name.domain != userid.partition("@")[2]:
        raise DataError(f"{userid} cannot name {store.namespace.format_admin(name)}, which is of another domain")


def _change(store: MailStore, userid: str, names: Iterable[MailboxName], *, add: bool) -> None:
    tree, mode = _tree(store, userid), store.files.message_mode
    try:
        if add:
            subscriptions.add(tree.root, [_lines(store, userid, name)[0] for name in names], mode)
        else:
            subscriptions.remove(tree.root, {line for name in names for line in _lines(store, userid, name)}, mode)
    except OSError as error:
        raise StoreTrouble(f"{tree.root / subscriptions.FILE_NAME} cannot be changed: {error}") from error


def _tree(store: MailStore, userid: str) -> Tree:
    tree = store.user_tree(userid)
    if tree is None:
        raise NotFound(f"no user {userid}")
    return tree


def _lines(store: MailStore, userid: str, name: MailboxName) -> list[str]:
    """The lines that stand for a mailbox in the file of a user, that of Dovecot first."""
    if name.owner == userid:
        return [subscriptions.line_of(name.path)]
    shared, others = _prefixes(store)
    if name.owner is None:
        check_named(store, userid, name)
        prefix = f"{encode_utf7(shared)}{store.namespace.separator}" if shared else ""
        return [
            subscriptions.line_of(name.path, prefix),
            subscriptions.line_of((shared, *name.path) if shared else name.path),
        ]
    local, _, domain = name.owner.partition("@")
    seen = local if domain == userid.partition("@")[2] else name.owner
    spelled = subscriptions.line_of((others, seen, *name.path))
    if store.namespace.separator in seen:  # only spelled like this does the user's name not end at that dot
        return [spelled]
    prefix = store.namespace.separator.join((encode_utf7(others), seen, ""))
    return [subscriptions.line_of(name.path, prefix), spelled]


def _prefixes(store: MailStore) -> tuple[str, str]:
    """Under which names shared folders and those of other users appear."""
    names = store.settings.names
    return (names.sharedprefix, names.userprefix) if names.altnamespace else ("", "user")


def _name(store: MailStore, userid: str, line: str) -> MailboxName | None:
    shared, others = _prefixes(store)
    domain = userid.partition("@")[2]
    if (rest := _below(line, others)) is not None:
        return _of_other(store, userid, rest)
    if shared and (rest := _below(line, shared)) is not None:
        path = _decoded(rest)
        return MailboxName(None, path, domain) if path else None
    path = _decoded(line)
    if path is None:
        return None
    own, board = MailboxName(userid, path), MailboxName(None, path, domain)
    return board if not shared and path and store.find(own) is None and store.find(board) else own


def _of_other(store: MailStore, userid: str, rest: str) -> MailboxName | None:
    """`bob`, and `bob/Lists<TAB>x` or `bob<TAB>Lists<TAB>x`, behind the prefix."""
    parts = re.split(f"[\t{re.escape(store.namespace.separator)}]", rest, maxsplit=1)
    user = from_disk(f".{parts[0]}") or ()
    local, at, named = (user[0] if len(user) == 1 else parts[0]).partition("@")
    try:
        owner = store.namespace.user(local, named if at else userid.partition("@")[2])
    except DataError:
        return None
    path = _decoded(parts[1]) if len(parts) > 1 else ()
    return None if path is None else MailboxName(owner, path)


def named_by(store: MailStore, userid: str, line: str) -> MailboxName | None:
    """The mailbox that a line of a user's file names, there or not; None when it names nothing."""
    return _name(store, userid, line)


def _below(line: str, prefix: str) -> str | None:
    """What stands behind a prefix and a separator."""
    for spelled in (prefix, encode_utf7(prefix)):
        if line.startswith(spelled) and line[len(spelled) : len(spelled) + 1] in {"/", ".", "\t"}:
            return line[len(spelled) + 1 :]
    return None


def _decoded(text: str) -> tuple[str, ...] | None:
    """The path of a folder as it stands in the file."""
    return () if text.upper() == "INBOX" else from_disk("." + text.replace("\t", "."))
