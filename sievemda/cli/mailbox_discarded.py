"""`sievemda mailbox discarded` and `mailbox restore`: messages that scripts discarded or that expired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from sievemda.cli.mailbox import existing, open_store, print_json_array
from sievemda.cli.terminal import clean
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.withdrawn import Withdrawn


@click.command(epilog="Example: sievemda mailbox discarded user/alice")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def discarded(settings: Settings, name: str | None, as_json: bool) -> None:
    """List messages that scripts discarded or that expired, and that can be brought back, the latest last.

    NAME is a user, or a shared folder for all of those; without one, all are listed.
    """
    from sievemda.store import withdrawn

    store = open_store(settings)
    found = withdrawn.entries(*_trees(store, name))
    if as_json:
        print_json_array(map(_as_object, found))
    else:
        for entry in found:
            print(clean(_line(entry)))


@click.command(epilog="Example: sievemda mailbox restore user/alice '<20261121.1@example.net>'")
@click.argument("name")
@click.argument("messages", metavar="MESSAGE-ID...", nargs=-1)
@click.option("--to", metavar="FOLDER", help="Into this mailbox instead of where it belongs.")
@click.option("--all", "every", is_flag=True, help="All that can be brought back.")
@click.option("--json", "as_json", is_flag=True, help="Print what was brought back as a JSON array of objects.")
@click.pass_obj
def restore(
    settings: Settings, name: str, messages: tuple[str, ...], to: str | None, every: bool, as_json: bool
) -> None:
    """Bring discarded or expired messages back, into the INBOX of the user or the folder they were in.

    MESSAGE-ID is that of the message or the one that `mailbox discarded` shows.
    """
    from sievemda.store import withdrawn

    if bool(messages) == every:
        raise UsageError("say which messages are to be brought back, or --all")
    store = open_store(settings)
    target = None if to is None else existing(store, to)
    everything = ((tree, entry) for tree in _trees(store, name) for entry in withdrawn.entries(tree))
    chosen = everything if every else _chosen(everything, messages, name)
    done = _restored(store, chosen, target)
    if as_json:
        print_json_array(done)
    else:
        for entry in done:
            print(clean(f"{entry['message_id'] or entry['id']} is in {entry['restored_to']}"))


def _chosen(
    found: Iterator[tuple[Tree, Withdrawn]], messages: tuple[str, ...], name: str
) -> list[tuple[Tree, Withdrawn]]:
    """Those that are asked for. NotFound, if one of them is not there."""
    chosen, wanted = [], set(messages)
    for tree, entry in found:
        if named := set(filter(entry.is_named, messages)):
            chosen.append((tree, entry))
            wanted -= named
    for text in messages:
        if text in wanted:
            raise NotFound(f"no message {text} of {name} can be brought back")
    return chosen


def _restored(
    store: MailStore, chosen: Iterable[tuple[Tree, Withdrawn]], target: Mailbox | None
) -> Iterator[dict[str, object]]:
    from sievemda.store import withdrawn

    for tree, entry in chosen:
        mailbox, file = withdrawn.restore(store, tree, entry, target)
        shown = store.namespace.format_admin(mailbox.name)
        yield _as_object(entry) | {"restored_to": shown, "file": str(file)}


def _trees(store: MailStore, name: str | None) -> list[Tree]:
    from sievemda.store import withdrawn

    if name is None:
        return list(withdrawn.trees(store))
    if tree := _user(store, name):
        return [tree]
    mailbox = existing(store, name)
    if mailbox.name.owner is not None:
        return [mailbox.tree]
    return list(store.layout.shared(mailbox.name.domain))


def _user(store: MailStore, name: str) -> Tree | None:
    """The tree of a user who is named as in an address."""
    try:
        return None if "/" in name else store.user_tree(store.namespace.userid(name))
    except DataError:
        return None


def _as_object(entry: Withdrawn) -> dict[str, object]:
    return {
        "id": entry.id,
        "mailbox": entry.mailbox,
        "why": entry.why,
        "when": round(entry.when, 3),
        "message_id": entry.message_id,
        "from": entry.sender,
        "to": entry.to,
        "subject": entry.subject,
        "flags": list(entry.flags),
        "octets": entry.size,
    }


def _line(entry: Withdrawn) -> str:
    when = datetime.fromtimestamp(entry.when).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    about = f"{entry.message_id or '(no Message-ID)'} from {entry.sender or '<>'}: {entry.subject or '(no subject)'}"
    return f"{entry.id} {when} {entry.why} {entry.mailbox} {entry.size} {about}"
