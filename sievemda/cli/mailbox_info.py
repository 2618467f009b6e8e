"""`sievemda mailbox info`: what is known of a mailbox, of its owner when it is an INBOX, and of its messages."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json, print_json_array
from sievemda.cli.mailbox_list import iso
from sievemda.cli.selection import Selection, selecting
from sievemda.cli.terminal import clean
from sievemda.config import Settings
from sievemda.errors import DataError, StoreTrouble, TemporaryTrouble, UsageError

if TYPE_CHECKING:
    from sievemda.store.census import Use
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.message_list import Stored
    from sievemda.store.quota import QuotaRoot

log = logging.getLogger(__name__)

_FIELDS = {"message_id": "Message-ID", "date": "Date", "from": "From", "subject": "Subject"}


@click.command(epilog="Example: sievemda mailbox info user/alice --messages --unseen --since 2026-11-01")
@selecting("NAME...")
@click.option("--messages", is_flag=True, help="Its messages: UID, arrival, size, flags, Message-ID, subject.")
@click.option("--unseen", is_flag=True, help="Only messages without \\Seen.")
@click.option("--flag", "flags", metavar="FLAG", multiple=True, help="Only messages with that flag or keyword.")
@click.option(
    "--since", metavar="DATE", default="", help="Only messages that came then or later: 2026-11-30, or with a time."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object; an array for several, and for messages.")
@click.pass_obj
def info(
    settings: Settings,
    selection: Selection,
    messages: bool,
    unseen: bool,
    flags: tuple[str, ...],
    since: str,
    as_json: bool,
) -> int:
    """Show where a mailbox lies, what is in it, who may do what, and when it was used; of an INBOX, also its user."""
    wanted = _Wanted(unseen, frozenset(flag.lower() for flag in flags), instant(since) if since else 0.0)
    if not messages and (unseen or flags or since):
        raise UsageError("--unseen, --flag and --since choose among --messages")
    store, failures = open_store(settings), Failures()
    found = (mailbox for _, mailbox in selection.required().find(store, failures))
    if messages:
        _print_messages(store, found, wanted, as_json=as_json)
    elif as_json and selection.one is None:
        print_json_array(_details(store, mailbox) for mailbox in found)
    else:
        for number, mailbox in enumerate(found):
            if as_json:
                print_json(_details(store, mailbox))
            else:
                print(end="\n" if number else "")
                print_details(_details(store, mailbox))
    return failures.code


# -- mailboxes -------------------------------------------------------------------------------------------------------


def print_details(details: dict[str, Any], above: str = "") -> None:
    for key, value in details.items():
        title = f"{above}{key.replace('_', ' ')}"
        if key == "user":
            print_details(value, "user ")
        elif isinstance(value, dict):
            print(f"{title}: {', '.join(f'{part} {clean(str(of))}' for part, of in value.items()) or '-'}")
        elif isinstance(value, list):
            print(f"{title}: {', '.join(map(clean, value)) or '-'}")
        else:
            print(f"{title}: {'-' if value in ('', None) else value}")


def _details(store: MailStore, found: Mailbox) -> dict[str, Any]:
    from sievemda.policy.acl import format_rights
    from sievemda.store.census import census, last_read, last_use

    counted = census(found.path)
    details: dict[str, Any] = {
        "name": store.namespace.format_admin(found.name),
        "partition": found.partition,
        "special_use": found.special_use,
        "id": found.id,
        "path": str(found.path),
        "messages": counted.messages,
        "octets": counted.octets,
        "new": counted.new,
        "unseen": counted.unseen,
        "acl": {name: format_rights(rights) for name, rights in found.acl().entries},
        "quota_root": _root_name(store, found.quota_root()),
        "newest_message": iso(counted.arrived) if counted.arrived else None,
        "last_read": _use(last_read(found.path)),
        "last_use": _use(last_use(found.path)),
        "metadata": dict(sorted(store.annotations.of(found, found.name.owner).items())),
    }
    if found.name.is_inbox:
        details["user"] = user_details(store, found)
    return details


def _use(use: Use | None) -> dict[str, str] | None:
    return {"when": iso(use.when), "by": use.evidence} if use else None


def _root_name(store: MailStore, root: QuotaRoot | None) -> str | None:
    return store.namespace.format_admin(root.name) if root else None


def user_details(store: MailStore, inbox: Mailbox) -> dict[str, Any]:
    """What is known of the user who has that INBOX, over all his folders."""
    from sievemda.state.credentials import credentials_of
    from sievemda.store.census import census, last_read, last_use, later
    from sievemda.store.scripts import ScriptStore

    userid = inbox.name.owner or ""
    folders = [mailbox.path for mailbox in store.mailboxes_of(userid)]
    counted = [census(folder) for folder in folders]
    home = store.home(userid)
    scripts = ScriptStore(home)
    newest = max(one.arrived for one in counted)
    return {
        "userid": userid,
        "home": str(home),
        "mailboxes": len(folders),
        "messages": sum(one.messages for one in counted),
        "octets": sum(one.octets for one in counted),
        "quota": _quota(inbox),
        "scripts": [script.name for script in scripts.list()],
        "active_script": ", ".join(scripts.state().active) or None,
        "subscriptions": _subscriptions(store, userid),
        "password_changed": _changed(credentials_of(store.settings).changed(userid)),
        "mechanisms": _mechanisms(store, userid),
        "newest_message": iso(newest) if newest else None,
        "last_read": _use(later(*(last_read(folder) for folder in folders))),
        "last_use": _use(later(*(last_use(folder) for folder in folders))),
    }


def _changed(when: int | None) -> str | None:
    return None if when is None else iso(when)


def _mechanisms(store: MailStore, userid: str) -> list[str] | None:
    """By which the user can log in, as far as that can be told without his password; None when it cannot be now."""
    from sievemda.auth.chain import users_of

    try:
        return sorted(users_of(store.settings).mechanisms_of(userid))
    except TemporaryTrouble:
        return None


def _quota(inbox: Mailbox) -> dict[str, str]:
    """Usage and limit of each resource that is limited."""
    from sievemda.policy.quota import PRINTED

    root = inbox.quota_root()
    if root is None:
        return {}
    limits, usage = root.limits(), root.usage()
    return {
        resource: f"{usage.printed(resource)}/{limits.printed(resource)}"
        for resource in PRINTED
        if limits.of(resource) is not None
    }


def _subscriptions(store: MailStore, userid: str) -> list[str] | None:
    """None when the file is damaged, which is told: who asks about a user wants to see the rest all the more."""
    from sievemda.store.subscribed import subscribed

    try:
        return [store.namespace.format_admin(name) if name else shown for name, shown in subscribed(store, userid)]
    except StoreTrouble as error:
        log.warning("%s", error)
        return None


# -- messages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    unseen: bool
    flags: frozenset[str]
    since: float

    def takes(self, message: Stored) -> bool:
        has = {flag.lower() for flag in message.flags}
        return self.flags <= has and message.arrived >= self.since and not (self.unseen and message.seen)


def instant(text: str) -> float:
    """Seconds since 1970 of a date, or of a date and time; in local time unless it says otherwise."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{text[:80]!r} is not a date: write 2026-11-30 or 2026-11-30T18:00") from error
    return when.timestamp() if 1970 < when.year < 9999 else (when.year - 1970) * 31556952.0


def _print_messages(store: MailStore, found: Iterable[Mailbox], wanted: _Wanted, *, as_json: bool) -> None:
    rows = _messages(store, found, wanted)
    if as_json:
        print_json_array(rows)
        return
    print(f"{'uid':>8} {'arrived':20} {'octets':>10} flags, Message-ID, subject")
    for row in rows:
        flags = " ".join(row["flags"]) or "-"
        words = [clean(text) for text in (row["message_id"], row["subject"]) if text]
        print(f"{row['uid'] or '-':>8} {row['arrived']:20} {row['size']:10} {' '.join([f'({flags})', *words])}")


def _messages(store: MailStore, found: Iterable[Mailbox], wanted: _Wanted) -> Iterator[dict[str, Any]]:
    from sievemda.store.message_list import stored

    for mailbox in found:
        name = store.namespace.format_admin(mailbox.name)
        for message in filter(wanted.takes, stored(mailbox)):
            try:
                fields = message.fields(*_FIELDS.values())
            except OSError:  # a reader has moved it meanwhile, or it cannot be read: what the name says is shown
                fields = dict.fromkeys(_FIELDS.values(), "")
            yield {
                "mailbox": name,
                "uid": message.uid,
                "file": str(message.file),
                "size": message.size,
                "flags": list(message.flags),
                "seen": message.seen,
                "new": message.new,
                "arrived": iso(message.arrived),
                **{key: text(fields[field]) for key, field in _FIELDS.items()},
            }


def text(value: str) -> str:
    """What a message says, as text that every program can read."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
