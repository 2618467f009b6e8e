"""What the one who acts is subscribed to.

A user's subscriptions are those of his mail client (`store.subscribed`). An administrator without a mailbox has a file
of the same form below the data directory, `administrators/NAME/subscriptions`, in which names are whole.
"""

from __future__ import annotations

from pathlib import Path

from sievemda.cli.admin.session import Session
from sievemda.errors import StoreTrouble
from sievemda.store import subscribed, subscriptions
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk, to_disk

_DOMAIN = "@"  # in front of the domain of a shared folder


def subscribed_to(session: Session) -> list[MailboxName]:
    userid = session.authority.userid or ""
    if session.store.user_exists(userid):
        return [name for name, _ in subscribed.subscribed(session.store, userid) if name]
    try:
        lines = subscriptions.subscribed(_root(session))
    except OSError as error:
        raise StoreTrouble(f"subscriptions cannot be read: {error}") from error
    names = [_name(path) for line in lines if (path := from_disk("." + line.replace("\t", ".")))]
    return [name for name in names if name]


def change(session: Session, name: MailboxName, *, add: bool) -> None:
    userid = session.authority.userid or ""
    if session.store.user_exists(userid):
        (subscribed.subscribe if add else subscribed.unsubscribe)(session.store, userid, [name])
        return
    root, edit = _root(session), subscriptions.subscribe if add else subscriptions.unsubscribe
    try:
        if not add and not root.is_dir():
            return
        root.mkdir(mode=session.store.files.folder_mode, parents=True, exist_ok=True)
        edit(root, [_path(name)], session.store.files.message_mode)
    except OSError as error:
        raise StoreTrouble(f"subscriptions cannot be changed: {error}") from error


def _root(session: Session) -> Path:
    return session.settings.data / "administrators" / to_disk((session.authority.userid or "",))[1:]


def _path(name: MailboxName) -> tuple[str, ...]:
    if name.owner is not None:
        return ("user", name.owner, *name.path)
    return (f"{_DOMAIN}{name.domain}", *name.path) if name.domain else name.path


def _name(path: tuple[str, ...]) -> MailboxName | None:
    if path[0] == "user":
        return MailboxName(path[1], path[2:]) if len(path) > 1 else None
    if path[0].startswith(_DOMAIN):
        return MailboxName(None, path[1:], path[0][1:]) if len(path) > 1 else None
    return MailboxName(None, path)
