"""`sievemda mailbox delete`: one mailbox, or all that match.

Why one after the other and not all or nothing: a deletion can be taken back, and one that fails is no reason to keep
the others. Each failure is told, and the exit code says that there was one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import existing, open_store
from sievemda.cli.selection import Found, Selection, selecting
from sievemda.config import Settings
from sievemda.errors import SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore


@click.command(epilog="Example: sievemda mailbox delete user/alice/Old --yes")
@selecting("NAME...")
@click.option("--recursive", "-r", is_flag=True, help="With all folders below.")
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(settings: Settings, selection: Selection, recursive: bool, dry_run: bool, yes: bool) -> int:
    """Delete mailboxes; an INBOX goes with all that the user has. `mailbox undelete` brings it back for some days.

    NAME may be a pattern: `*` stands for anything, `%` for anything within one level.
    """
    store, failures = open_store(settings), Failures()
    if selection.one is not None and not recursive:
        found = existing(store, selection.one)
        targets = [(store.namespace.format_admin(found.name), found)]
    else:
        targets = _targets(store, selection.required(), failures, recursive=recursive)
    if dry_run:
        sys.stdout.writelines(f"{name}\n" for name, _ in targets)
        return failures.code
    if targets and not yes:
        _ask(targets)
    for name, mailbox in targets:
        try:
            store.delete(mailbox.name)
        except (SievemdaError, OSError) as error:
            if selection.one is not None:
                raise
            failures.tell(error, name)
        else:
            if selection.one is None:
                print(f"{name} deleted")
    return failures.code


def _targets(store: MailStore, selection: Selection, failures: Failures, *, recursive: bool) -> list[Found]:
    """What to delete, in an order in which it can be: folders before what they lie in.

    What goes with the INBOX of its user anyway is left to that, so that bringing back the user brings back all.
    """
    found = dict(selection.find(store, failures))
    for mailbox in [*found.values()] if recursive else ():
        for other in store.mailboxes_of(mailbox.name.owner, mailbox.name.domain):
            if mailbox.name.covers(other.name):
                found[store.namespace.format_admin(other.name)] = other
    users = {mailbox.name.owner for mailbox in found.values() if mailbox.name.is_inbox}
    left = [pair for pair in found.items() if pair[1].name.is_inbox or pair[1].name.owner not in users]
    return sorted(left, key=lambda pair: (-len(pair[1].name.path), pair[0]))


def _ask(targets: list[Found]) -> None:
    users = sum(mailbox.name.is_inbox for _, mailbox in targets)
    if len(targets) > 1:
        what = f"{len(targets)} mailboxes" + (f", {users} of them with all that a user has" if users else "")
    else:
        what = targets[0][0] + (" with all folders and scripts of the user" if users else "")
    if not sys.stdin.isatty():
        raise UsageError(f"nobody to ask whether to delete {what}: say --yes")
    click.confirm(f"Delete {what}?", abort=True)
