"""`sievemda account`: who may log in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sievemda.errors import DataError, NotFound

if TYPE_CHECKING:
    from sievemda.auth.users import Users
    from sievemda.config import Settings


@click.group(epilog="Example: sievemda account passwd alice")
def account() -> None:
    """Credentials of users, for ManageSieve."""


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
    _users(settings).set_password(userid, _password())


@account.command(epilog="Example: sievemda account delete alice")
@click.argument("user")
@click.pass_obj
def delete(settings: Settings, user: str) -> None:
    """Take the credentials of USER away: he can no longer log in; his mail and scripts stay."""
    if not _users(settings).forget(user):
        raise NotFound(f"{user} has no credentials")


def _users(settings: Settings) -> Users:
    from sievemda.auth.users import Users
    from sievemda.state.credentials import Credentials

    return Users(Credentials(settings.accounts_path), settings.site)


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt="Again"))
    try:
        return sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as e:
        raise DataError("the password is not UTF-8") from e
