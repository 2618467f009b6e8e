"""`sievemda account list` and `info`: who there is, what he has, and when he was last seen.

Nobody writes down logins for us: IMAP servers log them elsewhere. What is shown is the latest trace of a reader in his
folders, with the file that has it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox import existing, open_store, print_json, print_json_array
from sievemda.cli.mailbox_info import print_details, user_details
from sievemda.cli.mailbox_list import iso
from sievemda.config import Settings

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_DAY = 86400


@click.command("list", epilog="Example: sievemda account list 'a*' --long")
@click.argument("pattern", default="*")
@click.option("--long", "long_", is_flag=True, help="With mailboxes, messages, octets, password, last use.")
@click.option(
    "--inactive", metavar="DAYS", type=click.IntRange(min=0), help="Only who has not been active for DAYS days."
)
@click.option("--without-password", is_flag=True, help="Only who has no credentials here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def list_(
    settings: Settings, pattern: str, long_: bool, inactive: int | None, without_password: bool, as_json: bool
) -> None:
    """List users, one a line: `*` and `%` stand for anything in a name."""
    store = open_store(settings)
    before = None if inactive is None else time.time() - inactive * _DAY
    rows = _rows(store, pattern, before, known=without_password or long_ or as_json, long_=long_ or as_json)
    if without_password:
        rows = (row for row in rows if row["password_changed"] is None)
    if as_json:
        print_json_array(rows)
        return
    if long_:
        print(f"{'mailboxes':>9} {'messages':>9} {'octets':>14} {'password of':20} {'last use':20} {'by':17} user")
    for row in rows:
        if long_:
            used = row["last_use"] or {"when": "-", "by": "-"}
            print(
                f"{row['mailboxes']:9} {row['messages']:9} {row['octets']:14} {row['password_changed'] or '-':20}"
                f" {used['when']:20} {used['by']:17} {row['user']}"
            )
        else:
            sys.stdout.write(f"{row['user']}\n")


def _rows(
    store: MailStore, pattern: str, before: float | None, *, known: bool, long_: bool
) -> Iterator[dict[str, Any]]:
    from sievemda.state.credentials import credentials_of
    from sievemda.store.census import census, last_read, last_use, later
    from sievemda.store.patterns import wildcards

    matches = wildcards(pattern, "/")
    passwords = credentials_of(store.settings).all() if known else {}
    store.layout.tell_if_away()
    for userid in sorted(set(store.layout.users())):
        if not matches(userid) or not store.user_exists(userid):
            continue
        row: dict[str, Any] = {"user": userid}
        if known:
            changed = passwords.get(userid)
            row["password_changed"] = None if changed is None else iso(changed)
        if before is not None or long_:
            folders = [mailbox.path for mailbox in store.mailboxes_of(userid)]
            used = later(*(last_use(folder) for folder in folders))
            if before is not None and used is not None and used.when > before:
                continue
            row["last_use"] = used and {"when": iso(used.when), "by": used.evidence}
        if long_:
            counted = [census(folder) for folder in folders]
            seen = later(*(last_read(folder) for folder in folders))
            row |= {
                "last_read": seen and {"when": iso(seen.when), "by": seen.evidence},
                "mailboxes": len(folders),
                "messages": sum(one.messages for one in counted),
                "octets": sum(one.octets for one in counted),
            }
        yield row


@click.command(epilog="Example: sievemda account info alice")
@click.argument("user")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def info(settings: Settings, user: str, as_json: bool) -> None:
    """Show what is known of a user: home, scripts, quota, subscriptions, password, last delivery and access."""
    store = open_store(settings)
    details = user_details(store, existing(store, f"user/{user}"))
    if as_json:
        print_json(details)
    else:
        print_details(details)
