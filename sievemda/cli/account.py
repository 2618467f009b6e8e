"""`sievemda account`: users: make them one by one or by the thousand, who may log in, what they are called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sievemda.cli.lazy import LazyCommands
from sievemda.errors import DataError, NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.auth.users import Users
    from sievemda.config import Settings
    from sievemda.store.mailstore import MailStore

_LAZY = {
    "create": "account_create:create",
    "info": "account_list:info",
    "list": "account_list:list_",
    "deny": "account_deny:deny",
    "allow": "account_deny:allow",
    "denied": "account_deny:denied",
    "locks": "account_locks:locks",
    "test": "account_test:test",
}


@click.group(cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda account create alice --quota 1G")
def account() -> None:
    """Users: their mailboxes, and their credentials for ManageSieve and LMTP."""


@account.command(epilog="Example: sievemda account passwd alice < password-file")
@click.argument("user")
@click.pass_obj
def passwd(settings: Settings, user: str) -> None:
    """Set the password of USER, who must have a mailbox.

    It is asked for on a terminal; otherwise it is the first line of standard input.
    """
    from sievemda.auth.names import canonical_user
    from sievemda.store.mailstore import MailStore

    userid = canonical_user(user, settings.site)
    is_admin = userid in {canonical_user(name, settings.site) for name in settings.site.admins}
    if not is_admin and not MailStore(settings).user_exists(userid):
        raise NotFound(f"there is no user {user}; make one with: mailbox create user/{user}")
    users_of(settings).set_password(userid, read_password())


@account.command(epilog="Example: sievemda account delete alice")
@click.argument("user")
@click.option("--mail", is_flag=True, help="With his mailboxes and scripts; `mailbox undelete` brings those back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(settings: Settings, user: str, mail: bool, yes: bool) -> None:
    """Take the credentials of USER away: he can no longer log in; his mail and scripts stay, unless --mail."""
    if not mail:
        if not users_of(settings).forget(user):
            raise NotFound(f"{user} has no credentials")
        return
    from sievemda.cli.mailbox import open_store
    from sievemda.store.names import MailboxName

    store = open_store(settings)
    userid = store.namespace.userid(user)
    if not store.user_exists(userid):
        raise NotFound(f"there is no user {user}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody to ask whether {user} is to be deleted with all mail: say --yes")
        click.confirm(f"Delete {user} with all folders and scripts?", abort=True)
    store.delete(MailboxName(userid))
    users_of(settings).forget(userid)


@account.command(epilog="Example: sievemda account rename alice alice.jones")
@click.argument("old")
@click.argument("new")
@click.option("--partition", metavar="P", default="", help="Move him there as well.")
@click.pass_obj
def rename(settings: Settings, old: str, new: str, partition: str) -> None:
    """Rename a user: mailboxes, scripts, rights in his own folders, credentials, snoozed mail."""
    from sievemda.cli.mailbox import open_store

    store = open_store(settings)
    rename_user(settings, store, store.namespace.userid(old), store.namespace.userid(new), partition)


def rename_user(settings: Settings, store: MailStore, old: str, new: str, partition: str = "") -> None:
    """Rename a user, both names canonical, with all that is kept under his name. As `store.rename` raises."""
    from sievemda.store.names import MailboxName

    store.rename(MailboxName(old), MailboxName(new), partition=partition)
    if old != new:
        user_renamed(settings, old, new)


def user_renamed(settings: Settings, old: str, new: str) -> None:
    """Let what is kept under a user's name outside of his mailboxes follow: snoozed mail, credentials."""
    from sievemda.delivery.snoozes import Snoozes
    from sievemda.state.credentials import credentials_of

    Snoozes(settings).user_renamed(old, new)
    credentials_of(settings).rename(old, new)


def users_of(settings: Settings) -> Users:
    """The users of whom we keep credentials ourselves."""
    from sievemda.auth.users import Users
    from sievemda.state.credentials import credentials_of

    return Users(credentials_of(settings), settings.site)


def read_password() -> str:
    """From a terminal, twice; otherwise the first line of standard input. DataError when it is not UTF-8."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt="Again"))
    return one_line_of_input()


def one_line_of_input() -> str:
    """A password that is there already: from a terminal, or the first line of standard input. DataError as above."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True))
    try:
        return sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as e:
        raise DataError("the password is not UTF-8") from e
