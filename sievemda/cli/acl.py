"""`sievemda acl`: who may do what with a mailbox."""

from __future__ import annotations

import click

from sievemda.cli.mailbox import existing, open_store, print_json
from sievemda.config import Settings

# Identifiers may begin with a hyphen (a negative entry), and so may rights (to take away).
_AS_WRITTEN = {"ignore_unknown_options": True}


@click.group(epilog="Example: sievemda acl set user/alice/Lists anyone p")
def acl() -> None:
    """Access control lists (RFC 4314). An identifier is a user, anyone, anonymous or group:NAME; -ID takes away."""


@acl.command("list", epilog="Example: sievemda acl list user/alice/Lists")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: identifier to rights.")
@click.pass_obj
def list_(settings: Settings, name: str, as_json: bool) -> None:
    """Show the ACL of a mailbox, one `identifier rights` a line."""
    from sievemda.policy.acl import format_rights

    entries = existing(open_store(settings), name).acl().entries
    if as_json:
        print_json({identifier: format_rights(rights) for identifier, rights in entries})
        return
    for identifier, rights in entries:
        print(identifier, format_rights(rights))


@acl.command("set", context_settings=_AS_WRITTEN, epilog="Example: sievemda acl set user/alice/Lists -fred p")
@click.argument("name")
@click.argument("identifier", metavar="ID")
@click.argument("rights")
@click.pass_obj
def set_(settings: Settings, name: str, identifier: str, rights: str) -> None:
    """Give an identifier rights: `lrsp` exactly these, `+p` also these, `-p` not these, or a word such as read."""
    from sievemda.store.authority import change_entry

    store = open_store(settings)
    change_entry(store, existing(store, name), identifier, rights, careful=False)


@acl.command(context_settings=_AS_WRITTEN, epilog="Example: sievemda acl delete user/alice/Lists anyone")
@click.argument("name")
@click.argument("identifier", metavar="ID")
@click.pass_obj
def delete(settings: Settings, name: str, identifier: str) -> None:
    """Take an identifier out of the ACL of a mailbox."""
    from sievemda.store.authority import change_entry

    store = open_store(settings)
    change_entry(store, existing(store, name), identifier, None, careful=False)
