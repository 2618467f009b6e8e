"""`sievemda mailbox move`: to another partition, or with all that a user has to another host."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.progress import shown
from sievemda.cli.selection import Found, Selection, names_in, selecting
from sievemda.errors import DataError, NotFound, SievemdaError, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.moving.partition import Moving


@click.command(
    epilog="Example: sievemda mailbox move user/alice --partition default",
)
@selecting("[NAME]...")
@click.option("--user-file", metavar="FILE", default="", help="Users, one a line; - is standard input.")
@click.option("--partition", metavar="P", default="", help="To where; with --host: on that host.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would move, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each.")
@click.option("--host", metavar="HOST", default="", help="To another host, by ssh; whole users only.")
@click.option("--ssh", metavar="COMMAND", default="ssh", show_default=True, help="What runs a command on HOST.")
@click.option("--remote-command", metavar="COMMAND", default="sievemda", show_default=True, help="sievemda on HOST.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 86400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long HOST may neither say nor take anything; 0: without end.",
)
@click.option("--to", metavar="USER", default="", help="What the user is to be called on HOST.")
@click.option(
    "--then",
    type=click.Choice(("tempfail", "forward", "remove")),
    default="tempfail",
    show_default=True,
    help="Mail that comes here afterwards: put off until --finish, forwarded, or for an unknown user.",
)
@click.option("--forward-to", metavar="ADDRESS", default="", help="For --then forward.")
@click.option("--finish", is_flag=True, help="The user has arrived on the other host: here he is unknown from now on.")
@click.option("--abort", is_flag=True, help="Take an unfinished move to another host back.")
@click.pass_obj
def move(
    settings: Settings,
    /,
    selection: Selection,
    user_file: str,
    partition: str,
    dry_run: bool,
    as_json: bool,
    **far: Any,
) -> int:
    """Move mailboxes to another partition while mail arrives: a folder with those below, a user with all that he has.

    NAME may be a pattern. Nothing is lost or there twice; what is interrupted is finished by whoever comes next, as
    `serve` or this command again. IMAP sessions see the same messages, flags and UIDs afterwards. Exit code 67: there
    is no such mailbox; 69: the other host is not there; 74: a disk failed or is full; 75: try again.

    With --host a user goes to another host, where sievemda is run by ssh. Mail for him is put off (451) at the end of
    the move and afterwards, until the tables of the MTA are changed and --finish is said; what he had here can be
    brought back for some days with `mailbox undelete`. Messages, flags, folders, rights, quota, scripts,
    subscriptions, snoozed mail and the password go along; what deliveries remember (duplicates, vacation replies),
    the journal and outgoing mail stay.
    """
    if not (partition or far["host"] or far["finish"] or far["abort"]):
        raise UsageError("say where to: --partition P or --host HOST")
    if not (selection.given or user_file):
        raise UsageError("say which: NAME..., --regex, --from-file or --user-file")
    store, failures = open_store(settings), Failures()
    if far["host"] or far["finish"] or far["abort"]:
        from sievemda.cli.mailbox_move_far import Journey, go_all

        journey = Journey(**far, partition=partition)
        return go_all(
            settings,
            store,
            _userids(store, selection, user_file, failures),
            journey,
            failures,
            dry_run=dry_run,
            as_json=as_json,
        )
    store.layout.partition(partition)
    if not dry_run:
        store.recover()
    rows = _moved(store, _targets(store, selection, user_file, failures), partition, failures, dry_run=dry_run)
    if as_json:
        print_json_array(map(_row, rows))
    else:
        done = "would move" if dry_run else "moved"
        for moving in rows:
            what = f"is on {moving.to}" if moving.is_there else f"{done} from {moving.partition} to {moving.to}"
            sys.stdout.write(f"{moving.name} {what}\n")
    return failures.code


def _userids(store: MailStore, selection: Selection, user_file: str, failures: Failures) -> list[str]:
    """Whole users. One of whom nothing is to be seen here may be on his way."""
    from sievemda.store.departures import is_departing

    if selection.one is not None and not user_file:
        one = store.namespace.parse_admin(selection.one)
        if one.owner is not None and one.is_inbox and is_departing(store, one.owner):
            return [one.owner]
    found = []
    for name, mailbox in _targets(store, selection, user_file, failures):
        if mailbox.name.is_inbox:
            found.append(mailbox.name.owner or "")
        else:
            failures.tell(DataError("only whole users move to another host"), name)
    return found


def _targets(store: MailStore, selection: Selection, user_file: str, failures: Failures) -> list[Found]:
    from sievemda.upkeep.moving.partition import without_covered

    found = dict(selection.find(store, failures)) if selection.given else {}
    for text, where in names_in(user_file) if user_file else ():
        try:
            mailbox = store.find(store.namespace.parse_admin(store.namespace.join(("user", text))))
            if mailbox is None or not mailbox.name.is_inbox:
                raise NotFound(f"no user {text}")
        except (SievemdaError, OSError) as error:
            failures.tell(error, where)
        else:
            found[store.namespace.format_admin(mailbox.name)] = mailbox
    return [*without_covered(found.items())]


def _moved(
    store: MailStore, targets: list[Found], partition: str, failures: Failures, *, dry_run: bool
) -> Iterator[Moving]:
    from sievemda.upkeep.moving.partition import move, planned

    for name, mailbox in shown(targets, "mailboxes", len(targets)):
        try:
            moving = planned(store, mailbox, partition)
            if not dry_run:
                move(store, moving)
        except (SievemdaError, OSError) as error:
            failures.tell(error, name)
        else:
            yield moving


def _row(moving: Moving) -> dict[str, Any]:
    return {
        "name": moving.name,
        "from": moving.partition,
        "to": moving.to,
        "moved": not moving.is_there,
        "messages": moving.messages,
        "octets": moving.octets,
    }
