"""`sievemda mailbox`: the group, what its commands share, and those that make and rename mailboxes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.lazy import LazyCommands
from sievemda.config import Settings

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_LAZY = {
    "create": "mailbox_create:create",
    "list": "mailbox_list:list_",
    "delete": "mailbox_delete:delete",
    "deleted": "mailbox_deleted:deleted",
    "discarded": "mailbox_discarded:discarded",
    "dump": "mailbox_dump:dump",
    "info": "mailbox_info:info",
    "load": "mailbox_load:load",
    "metadata": "mailbox_metadata:metadata",
    "move": "mailbox_move:move",
    "path": "mailbox_path:path",
    "readership": "readership:readership",
    "receive": "mailbox_move_far:receive",
    "restore": "mailbox_discarded:restore",
    "subscribe": "subscriptions:subscribe",
    "subscriptions": "subscriptions:list_",
    "undelete": "mailbox_deleted:undelete",
    "unsubscribe": "subscriptions:unsubscribe",
    "verify": "mailbox_verify:verify",
}


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
    print(json.dumps(value, ensure_ascii=not _is_utf8()))


def _is_utf8() -> bool:
    """Whether letters go out as UTF-8, which is the only encoding of JSON (RFC 8259 §8.1); else they are escaped."""
    return (sys.stdout.encoding or "").lower().replace("_", "-") in {"utf-8", "utf8"}


def print_json_array(values: Iterable[Any]) -> None:
    """One array, an object a line, written as they come: memory does not grow with their number."""
    separator = "["
    encode = json.JSONEncoder(ensure_ascii=not _is_utf8(), check_circular=False).encode
    for value in values:
        sys.stdout.write(f"{separator}{encode(value)}")
        separator = ",\n "
    sys.stdout.write("[]\n" if separator == "[" else "]\n")


@click.group(cls=LazyCommands, lazy=_LAZY, epilog="Example: sievemda mailbox create user/alice/Lists")
def mailbox() -> None:
    """Mailboxes: NAME is user/alice, user/alice/Lists, board, or user/l/Projects@example.com."""


@mailbox.command(epilog="Example: sievemda mailbox rename user/alice/Lists user/alice/Old")
@click.argument("old")
@click.argument("new")
@click.option("--partition", metavar="P", default="", help="Move it there; OLD and NEW may then be the same.")
@click.pass_obj
def rename(settings: Settings, old: str, new: str, partition: str) -> None:
    """Rename a mailbox with what lies below it; an INBOX is a whole user."""
    store = open_store(settings)
    before, after = store.namespace.parse_admin(old), store.namespace.parse_admin(new)
    if before.owner and after.owner and before.is_inbox and after.is_inbox:
        from sievemda.cli.account import rename_user

        rename_user(settings, store, before.owner, after.owner, partition)
    else:
        store.rename(before, after, partition=partition)
