"""`sievemda account deny`, `allow`, `denied`: who is shut out of which service for a time; Cyrus' cyr_deny."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sievemda.cli.terminal import clean
from sievemda.errors import DataError, NotFound

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.mailbox import Mailbox

_MESSAGE = "Account disabled"
_LONGEST = 500  # characters
_service = click.option(
    "-s",
    "--service",
    "services",
    metavar="SERVICE",
    multiple=True,
    help="lmtp (mail is put off with 451), sieve (ManageSieve); may be repeated, else all.",
)


@click.command(epilog="Example: sievemda account deny alice --service lmtp --message 'being moved'")
@click.argument("user")
@_service
@click.option("-m", "--message", metavar="TEXT", default=_MESSAGE, show_default=True, help="Why, for the list.")
@click.pass_obj
def deny(settings: Settings, user: str, services: tuple[str, ...], message: str) -> None:
    """Shut USER out: mail for him stays with the MTA, and he cannot change his scripts."""
    from sievemda.store.denials import set_denials

    if len(message) > _LONGEST or not message.isprintable():
        raise DataError(f"the message must be one line of at most {_LONGEST} characters")
    set_denials(_inbox(settings, user), dict.fromkeys(_known(services), message))


@click.command(epilog="Example: sievemda account allow alice")
@click.argument("user")
@_service
@click.pass_obj
def allow(settings: Settings, user: str, services: tuple[str, ...]) -> None:
    """Let USER in again."""
    from sievemda.store.denials import denials_of, set_denials

    inbox = _inbox(settings, user)
    if not set(denials_of(inbox)) & set(_known(services)):
        raise NotFound(f"{user} is not denied {' or '.join(_known(services))}")
    set_denials(inbox, dict.fromkeys(_known(services)))


@click.command(epilog="Example: sievemda account denied --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: messages by user and service.")
@click.pass_obj
def denied(settings: Settings, as_json: bool) -> None:
    """List who is shut out: `USER SERVICE MESSAGE` a line."""
    from sievemda.store.denials import everybody_denied
    from sievemda.store.mailstore import MailStore

    found = dict(everybody_denied(MailStore(settings)))
    if as_json:
        print(json.dumps({user: dict(messages) for user, messages in found.items()}))
        return
    for user, messages in found.items():
        sys.stdout.writelines(f"{clean(user)} {name} {clean(text)}\n" for name, text in sorted(messages.items()))


def _known(services: tuple[str, ...]) -> tuple[str, ...]:
    from sievemda.store.denials import SERVICES

    wanted = [word.strip().lower() for each in services for word in each.split(",")]
    for word in wanted:
        if word not in SERVICES:
            raise DataError(f"{word[:80]!r} is not a service; there are {' and '.join(SERVICES)}")
    return tuple(wanted) or SERVICES


def _inbox(settings: Settings, user: str) -> Mailbox:
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

    store = MailStore(settings)
    inbox = store.find(MailboxName(store.namespace.userid(user)))
    if inbox is None:
        raise NotFound(f"there is no user {user}")
    return inbox
