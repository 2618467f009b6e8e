"""`sievemda mailbox metadata`: annotations of mailboxes and of the server. RFC 5464."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.store.annotations import Entries
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore


@click.command(epilog="Example: sievemda mailbox metadata user/alice/Lists /shared/imapsieve/script on-lists")
@click.argument("words", metavar="[NAME] [ENTRY [VALUE]]", nargs=-1)
@click.option("--server", is_flag=True, help="Annotations of the server; there is no NAME then.")
@click.option("--user", "user", metavar="USER", default="", help="Whose /private entries; else those of the owner.")
@click.option("--delete", "remove", is_flag=True, help="Remove ENTRY.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def metadata(settings: Settings, words: tuple[str, ...], server: bool, user: str, remove: bool, as_json: bool) -> None:
    """Show the annotations of a mailbox, one `ENTRY VALUE` a line; show one; set one; remove one.

    Values with line ends and the like are shown as JSON strings in the list. What a user sets over Dovecot is shown,
    and what is set here Dovecot shows, when it keeps annotations in Maildir/dovecot-attributes.
    """
    from sievemda.store.mailstore import MailStore

    store = MailStore(settings)
    name, rest = ("", words) if server else (words[0] if words else "", words[1:])
    if len(rest) > 2 or (remove and len(rest) != 1) or not (name or server):
        raise UsageError("give NAME (or --server), then at most ENTRY and VALUE; --delete wants ENTRY alone")
    subject = _Subject(store, name, user, server=server)
    if remove or len(rest) == 2:
        subject.set(rest[0], None if remove else rest[1])
    elif rest:
        _show_one(subject.entries(), rest[0], as_json=as_json)
    else:
        _show_all(subject.entries(), as_json=as_json)


class _Subject:
    """The mailbox, or the server, as one user sees it. NotFound, DataError."""

    def __init__(self, store: MailStore, name: str, user: str, *, server: bool) -> None:
        self._annotations = store.annotations
        self._server = server
        self._user: str | None = store.namespace.userid(user) if user else None
        self._mailbox: Mailbox | None = None
        if server and self._user:
            self._mailbox = _existing(store, f"user/{user}")
        elif not server:
            self._mailbox = _existing(store, name)
            self._user = self._user or self._mailbox.name.owner

    def entries(self) -> Entries:
        if self._server or self._mailbox is None:
            return self._annotations.of_server(self._mailbox, self._user)
        return self._annotations.of(self._mailbox, self._user)

    def set(self, entry: str, value: str | None) -> None:
        from sievemda.mail.annotation import PRIVATE, canonical, fault

        if wrong := fault(entry):
            raise DataError(f"{entry!r} is not the name of an annotation: {wrong}")
        if canonical(entry).startswith(PRIVATE) and self._user is None:
            raise UsageError("a /private entry is one of a user: say --user")
        if self._server or self._mailbox is None:
            self._annotations.set_server(self._mailbox, self._user, entry, value)
        else:
            self._annotations.set(self._mailbox, self._user, entry, value)


def _existing(store: MailStore, name: str) -> Mailbox:
    found = store.find(store.namespace.parse_admin(name))
    if found is None:
        raise NotFound(f"no mailbox {name}")
    return found


def _show_one(entries: Entries, entry: str, *, as_json: bool) -> None:
    from sievemda.mail.annotation import canonical

    value = entries.get(canonical(entry))
    if value is None:
        raise NotFound(f"no annotation {entry}")
    click.echo(json.dumps({canonical(entry): value}) if as_json else value)


def _show_all(entries: Entries, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(dict(sorted(entries.items()))))
        return
    for entry, value in sorted(entries.items()):
        click.echo(f"{entry} {value if value.isprintable() and value else json.dumps(value)}")
