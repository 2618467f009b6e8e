"""`sievemda mailbox subscribe`, `unsubscribe` and `subscriptions`: what a user's mail client shows.

The file is the one that Dovecot reads and writes, so that either side sees at once what the other has changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.selection import WILDCARDS, Selection, selecting
from sievemda.cli.terminal import clean
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, SievemdaError

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName


def subscriptions_of(store: MailStore, user: str) -> list[tuple[MailboxName | None, str]]:
    """See `store.subscribed`; DataError and NotFound for the user."""
    from sievemda.store.subscribed import subscribed

    return subscribed(store, store.namespace.userid(user))


@click.command("subscriptions", epilog="Example: sievemda mailbox subscriptions alice")
@click.argument("user")
@click.option("--missing", is_flag=True, help="Only those for which there is no mailbox.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def list_(settings: Settings, user: str, missing: bool, as_json: bool) -> None:
    """List what USER is subscribed to, one name a line, as an administrator writes it."""
    store = open_store(settings)
    rows: list[dict[str, Any]] = []
    for name, shown in subscriptions_of(store, user):
        there = name is not None and store.find(name) is not None
        if not (missing and there):
            admin = store.namespace.format_admin(name) if name else None
            rows.append({"name": admin, "shown": shown, "exists": there})
    if as_json:
        print_json_array(rows)
    else:
        sys.stdout.writelines(f"{clean(row['name'] or row['shown'])}\n" for row in rows)


@click.command(epilog="Example: sievemda mailbox subscribe alice Lists board 'user/bob/Project*'")
@click.argument("user")
@selecting("NAME...")
@click.option("--force", is_flag=True, help="Also to what does not exist.")
@click.pass_obj
def subscribe(settings: Settings, user: str, selection: Selection, force: bool) -> int:
    """Subscribe USER to mailboxes.

    NAME is an administrator's name or pattern, or the name that USER sees: user/alice/Lists, Lists, board,
    'Shared Folders/board'.
    """
    from sievemda.store import subscribed

    store, failures = open_store(settings), Failures()
    userid = store.namespace.userid(user)
    subscribed.subscribed(store, userid)  # before anything else: there is such a user, and the file can be read
    names = _names(store, userid, selection, failures, must_exist=not force)
    subscribed.subscribe(store, userid, names)
    return failures.code


@click.command(epilog="Example: sievemda mailbox unsubscribe alice Lists")
@click.argument("user")
@selecting("NAME...")
@click.option("--missing", is_flag=True, help="From all that does not exist.")
@click.pass_obj
def unsubscribe(settings: Settings, user: str, selection: Selection, missing: bool) -> int:
    """Unsubscribe USER from mailboxes, whether they exist or not; NAME is as in `subscribe`."""
    from sievemda.store import subscribed

    store, failures = open_store(settings), Failures()
    userid = store.namespace.userid(user)
    known = [name for name, _ in subscriptions_of(store, user) if name]
    names = [name for name in known if store.find(name) is None] if missing else []
    if selection.given or not missing:
        names += _names(store, userid, selection, failures, must_exist=False)
    for name in names:
        if name not in known:
            failures.tell(NotFound(f"{userid} is not subscribed to {store.namespace.format_admin(name)}"))
    subscribed.unsubscribe(store, userid, names)
    return failures.code


def _names(
    store: MailStore, userid: str, selection: Selection, failures: Failures, *, must_exist: bool
) -> list[MailboxName]:
    """What the words name; patterns are over what exists, which must be something."""
    selection = selection.required()
    found: list[MailboxName] = []
    plain = [word for word in selection.words if not WILDCARDS & set(word)] if not selection.regex else []
    for word in plain:
        try:
            found.append(_name(store, userid, word, must_exist=must_exist))
        except SievemdaError as error:
            failures.tell(error)
    others = Selection(tuple(word for word in selection.words if word not in plain), selection.regex, selection.file)
    if others.given:
        found += [mailbox.name for _, mailbox in others.find(store, failures)]
    return [name for name in found if _can_be_named(store, userid, name, failures)]


def _can_be_named(store: MailStore, userid: str, name: MailboxName, failures: Failures) -> bool:
    from sievemda.store.subscribed import check_named

    try:
        check_named(store, userid, name)
    except DataError as error:
        failures.tell(error)
        return False
    return True


def _name(store: MailStore, userid: str, word: str, *, must_exist: bool) -> MailboxName:
    """What the user means by a name, else what an administrator means; the first that exists, else the first."""
    meanings: list[MailboxName] = []
    trouble: list[DataError] = []
    by_user = partial(store.namespace.parse_user, owner=userid)
    spellings: list[Callable[[str], MailboxName]]
    spellings = [store.namespace.parse_admin, by_user] if _is_admins(word) else [by_user, store.namespace.parse_admin]
    for spelling in spellings:
        try:
            meanings.append(spelling(word))
        except DataError as error:
            trouble.append(error)
    if found := _first(store.find(meaning) for meaning in meanings):
        return found.name
    if not meanings:
        raise trouble[0]
    if must_exist:
        raise NotFound(f"no mailbox {word}")
    return meanings[0]


def _is_admins(word: str) -> bool:
    return word.startswith(("user/", "user."))


def _first(found: Iterable[Mailbox | None]) -> Mailbox | None:
    return next((mailbox for mailbox in found if mailbox is not None), None)
