"""`sievemda mailbox`: make, list, rename, delete and look at mailboxes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox_metadata import metadata
from sievemda.config import Settings
from sievemda.errors import UsageError

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot


def open_store(settings: Settings) -> MailStore:
    from sievemda.store.mailstore import MailStore

    return MailStore(settings)


def existing(store: MailStore, text: str) -> Mailbox:
    """The mailbox of an administrator's name; DataError, NotFound."""
    from sievemda.errors import NotFound

    mailbox = store.find(store.namespace.parse_admin(text))
    if mailbox is None:
        raise NotFound(f"no mailbox {text}")
    return mailbox


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))


@click.group(epilog="Example: sievemda mailbox create user/alice/Lists")
def mailbox() -> None:
    """Mailboxes: NAME is user/alice, user/alice/Lists, board, or user/l/Projects@example.com."""


mailbox.add_command(metadata)


@mailbox.command(epilog="Example: sievemda mailbox create user/alice/Junk --special-use '\\Junk'")
@click.argument("name")
@click.option("--partition", metavar="P", default="", help="Where it is to lie; else where the mailbox above it lies.")
@click.option("--special-use", metavar="USE", default="", help=r"What it is for: \Junk, \Sent, \Archive ...")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as a JSON object.")
@click.pass_obj
def create(settings: Settings, name: str, partition: str, special_use: str, as_json: bool) -> None:
    """Make a mailbox; an INBOX is a user."""
    store = open_store(settings)
    made = store.create(store.namespace.parse_admin(name), partition=partition, special_use=special_use)
    if as_json:
        print_json(_summary(store, made))


@mailbox.command("list", epilog="Example: sievemda mailbox list 'user/alice/*'")
@click.argument("pattern", default="*")
@click.option("--deleted", is_flag=True, help="What was deleted and can be brought back, the latest last.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def list_(settings: Settings, pattern: str, deleted: bool, as_json: bool) -> None:
    """List mailboxes, one name a line: `*` stands for anything, `%` for anything within one level."""
    store = open_store(settings)
    if deleted:
        _list_deleted(store, pattern, as_json)
    elif as_json:
        print_json([_summary(store, found) for found in store.list(pattern)])
    else:
        sys.stdout.writelines(f"{store.namespace.format_admin(found.name)}\n" for found in store.list(pattern))


def _list_deleted(store: MailStore, pattern: str, as_json: bool) -> None:
    from sievemda.store.aside import entries
    from sievemda.store.patterns import Pattern

    wanted = Pattern(store.namespace, pattern)
    found = [
        entry for entry in entries(store) if entry.mailbox and wanted.matches(store.namespace.parse_admin(entry.name))
    ]
    if as_json:
        print_json([{"name": entry.name, "deleted": entry.deleted} for entry in found])
    else:
        sys.stdout.writelines(f"{entry.name}\n" for entry in found)


@mailbox.command(epilog="Example: sievemda mailbox delete user/alice/Old --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(settings: Settings, name: str, yes: bool) -> None:
    """Delete a mailbox; an INBOX goes with all that the user has. `mailbox undelete` brings it back for some days."""
    store = open_store(settings)
    found = existing(store, name)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"nobody to ask whether {name} is to be deleted: say --yes")
        what = " with all folders and scripts of the user" if found.name.is_inbox else ""
        click.confirm(f"Delete {name}{what}?", abort=True)
    store.delete(found.name)


@mailbox.command(epilog="Example: sievemda mailbox undelete user/alice/Old")
@click.argument("name")
@click.pass_obj
def undelete(settings: Settings, name: str) -> None:
    """Bring back what was deleted last under that name."""
    store = open_store(settings)
    store.undelete(store.namespace.parse_admin(name))


@mailbox.command(epilog="Example: sievemda mailbox rename user/alice/Lists user/alice/Old")
@click.argument("old")
@click.argument("new")
@click.option("--partition", metavar="P", default="", help="Move it there; OLD and NEW may then be the same.")
@click.pass_obj
def rename(settings: Settings, old: str, new: str, partition: str) -> None:
    """Rename a mailbox with what lies below it; an INBOX is a whole user."""
    store = open_store(settings)
    before, after = store.namespace.parse_admin(old), store.namespace.parse_admin(new)
    store.rename(before, after, partition=partition)
    if before.is_inbox and before.owner and after.owner and before.owner != after.owner:
        from sievemda.delivery.snoozes import Snoozes

        Snoozes(settings).user_renamed(before.owner, after.owner)


@mailbox.command(epilog="Example: sievemda mailbox info user/alice")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def info(settings: Settings, name: str, as_json: bool) -> None:
    """Show where a mailbox lies, what is in it, and who may do what."""
    store = open_store(settings)
    found = existing(store, name)
    details = _details(store, found)
    if as_json:
        print_json(details)
        return
    for key, value in details.items():
        shown = ", ".join(f"{part} {of}" for part, of in value.items()) if isinstance(value, dict) else value
        print(f"{key.replace('_', ' ')}: {'-' if shown in ('', None) else shown}")


def _summary(store: MailStore, found: Mailbox) -> dict[str, Any]:
    name = store.namespace.format_admin(found.name)
    return {"name": name, "partition": found.partition, "special_use": found.special_use}


def _details(store: MailStore, found: Mailbox) -> dict[str, Any]:
    from sievemda.policy.acl import format_rights
    from sievemda.store.maildir import contents

    octets, messages = contents(found.path)
    root = found.quota_root()
    return {
        **_summary(store, found),
        "id": found.id,
        "path": str(found.path),
        "messages": messages,
        "octets": octets,
        "acl": {name: format_rights(rights) for name, rights in found.acl().entries},
        "quota_root": _root_name(store, root),
    }


def _root_name(store: MailStore, root: QuotaRoot | None) -> str | None:
    return store.namespace.format_admin(root.name) if root else None
