"""`sievemda readership`: who shares what with whom since when, who is subscribed, and who has read it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.mailbox_list import iso
from sievemda.cli.progress import shown
from sievemda.cli.selection import Selection, selecting
from sievemda.config import Settings
from sievemda.errors import SievemdaError

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.store.readership import Granted, Readership

_DAY = 86400


@click.command(epilog="Example: sievemda readership 'user/*' --days 30")
@selecting("[PATTERN]...")
@click.option("--days", metavar="N", type=click.IntRange(min=0), help="Count only who has read within N days.")
@click.option("--prune", is_flag=True, help="Take rights away from users and groups that do not exist.")
@click.option("--dry-run", is_flag=True, help="With --prune: only say from whom.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def readership(
    settings: Settings, selection: Selection, days: int | None, prune: bool, dry_run: bool, as_json: bool
) -> int:
    """Show shared mailboxes, and those that are open to others than their owner.

    `since` is when somebody got his first rights; `by` in front means that it was then or earlier. Reading is told by
    what IMAP servers keep in each user's home of what he has seen.
    """
    from sievemda.store.readership import readership as look

    store, failures = open_store(settings), Failures()
    mailboxes = (mailbox for _, mailbox in shown(selection.find(store, failures), "mailboxes"))
    found = look(store, mailboxes)
    if prune:
        _prune(store, found, failures, dry_run=dry_run)
        return failures.code
    after = 0.0 if days is None else time.time() - days * _DAY
    for shared in found:
        shared.readers = {user: when for user, when in shared.readers.items() if when >= after}
    if as_json:
        print_json_array(_as_json(store, shared) for shared in found)
    else:
        for shared in found:
            _print(store, shared)
    return failures.code


def _prune(store: MailStore, found: list[Readership], failures: Failures, *, dry_run: bool) -> None:
    from sievemda.store.readership import prune

    for shared in found:
        name = store.namespace.format_admin(shared.mailbox.name)
        try:
            dead = [grant.identifier for grant in shared.grants if grant.dead] if dry_run else prune(shared)
        except (SievemdaError, OSError) as error:
            failures.tell(error, name)
        else:
            for identifier in dead:
                print(f"{name}: {identifier} {'would lose' if dry_run else 'has lost'} all rights")


def _print(store: MailStore, shared: Readership) -> None:
    readers = shared.readers
    last = f", last on {iso(max(readers.values()))}" if readers else ""
    name = store.namespace.format_admin(shared.mailbox.name)
    print(f"{name}: {len(shared.subscribers)} subscribed, read by {len(readers)}{last}")
    for grant in shared.grants:
        gone = ", who does not exist" if grant.dead else ""
        print(f"  {grant.identifier} {_rights(grant)} since {'' if grant.recorded else 'by '}{iso(grant.since)}{gone}")
    for user in sorted({*shared.subscribers, *readers}):
        words = ["subscribed"] if user in shared.subscribers else []
        words += [f"read last on {iso(readers[user])}"] if user in readers else []
        print(f"  - {user}: {', '.join(words)}")


def _as_json(store: MailStore, shared: Readership) -> dict[str, Any]:
    return {
        "name": store.namespace.format_admin(shared.mailbox.name),
        "owner": shared.mailbox.name.owner,
        "grants": [
            {
                "identifier": grant.identifier,
                "rights": _rights(grant),
                "since": iso(grant.since),
                "since_is": "recorded" if grant.recorded else "at the latest",
                "exists": not grant.dead,
            }
            for grant in shared.grants
        ],
        "subscribed": shared.subscribers,
        "readers": [{"user": user, "last_read": iso(when)} for user, when in sorted(shared.readers.items())],
    }


def _rights(grant: Granted) -> str:
    from sievemda.policy.acl import format_rights

    return format_rights(grant.rights)
