"""`sievemda mailbox deleted` and `mailbox undelete`: mailboxes that were deleted and can be brought back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.terminal import clean
from sievemda.config import Settings
from sievemda.errors import DataError

if TYPE_CHECKING:
    from sievemda.store.aside import Aside

_DAY = 86400


@click.command(epilog="Example: sievemda mailbox deleted 'user/alice/*'")
@click.argument("pattern", default="*")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def deleted(settings: Settings, pattern: str, as_json: bool) -> None:
    """List deletions that can be undone, the latest last: identifier, time, octets, messages, name."""
    from sievemda.store.aside import entries
    from sievemda.store.patterns import Pattern

    store = open_store(settings)
    store.layout.tell_if_away()
    wanted = Pattern(store.namespace, pattern)

    def matches(name: str) -> bool:
        try:
            return wanted.matches(store.namespace.parse_admin(name))
        except DataError:  # of a domain that there was, say
            return pattern == "*"

    found = [_as_object(settings, entry) for entry in entries(store) if entry.mailbox and matches(entry.name)]
    if as_json:
        print_json(found)
        return
    for row in found:
        when = datetime.fromtimestamp(float(str(row["deleted"]))).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        print(clean(f"{row['id']} {when} {row['octets']} {row['messages']} {row['name']}"))


def _as_object(settings: Settings, entry: Aside) -> dict[str, object]:
    octets, messages = entry.contents()
    return {
        "id": entry.id,
        "name": entry.name,
        "deleted": entry.deleted,
        "until": entry.deleted + settings.store.delete_days * _DAY,
        "octets": octets,
        "messages": messages,
    }


@click.command(epilog="Example: sievemda mailbox undelete user/alice/Old --to user/alice/Found")
@click.argument("name")
@click.option("--to", metavar="NEWNAME", help="Under this name instead.")
@click.option("--id", "deletion", metavar="ID", help="The deletion to undo, as `mailbox deleted` shows it.")
@click.pass_obj
def undelete(settings: Settings, name: str, to: str | None, deletion: str | None) -> None:
    """Bring back what was deleted last under that name: messages, ACL, quota and subscription, of a user everything."""
    if deletion == "":  # a variable that was not set must not choose the latest
        raise DataError("the identifier of the deletion is empty")
    store = open_store(settings)
    new = None if to is None else store.namespace.parse_admin(to)
    store.undelete(store.namespace.parse_admin(name), to=new, deletion=deletion or "")
