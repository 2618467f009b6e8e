"""`sievemda relink`: equal messages become one file with several names."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.cli.progress import shown
from sievemda.cli.selection import Selection, selecting
from sievemda.config import Settings

if TYPE_CHECKING:
    from sievemda.upkeep.relinking.relink import Report


@click.command(epilog="Example: sievemda relink --dry-run 'user/*'")
@selecting("[PATTERN]...")
@click.option(
    "--since", metavar="DATE", default="", help="Only what arrived then or later: 2026-11-30, or with a time."
)
@click.option("--ignore-dates", is_flag=True, help="Link what arrived at other times, too: all copies get the oldest.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be gained and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; sizes in octets.")
@click.pass_obj
def relink(
    settings: Settings, /, selection: Selection, since: str, ignore_dates: bool, dry_run: bool, as_json: bool
) -> int:
    """Find equal messages on one file system and make them names of one file, as deliveries to many are.

    Deliveries and IMAP clients may go on meanwhile; names, flags, dates and quotas stay as they are. The list of what
    was found is kept in temporary files (TMPDIR): some 300 octets for a message.
    """
    from sievemda.cli.mailbox_info import instant
    from sievemda.upkeep.relinking.relink import How
    from sievemda.upkeep.relinking.relink import relink as relink_all

    store, failures = open_store(settings), Failures()
    how = How(dry_run=dry_run, dates=not ignore_dates, since=instant(since) if since else float("-inf"))
    folders = (mailbox.path for _, mailbox in selection.find(store, failures))
    report = relink_all(folders, how, failures.tell, shown)
    if not selection.only_names:
        failures.note_if_away(store)
    if as_json:
        print_json(_as_json(report, dry_run=dry_run))
    else:
        _print(report, dry_run=dry_run)
    return failures.code


def _as_json(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "before": asdict(report.before),
        "after": asdict(report.after),
        "linked": report.linked,
        "freed_files": report.freed,
        "freed_octets": report.octets,
        "changed": report.changed,
        "full": report.full,
        "seconds": round(report.seconds, 3),
    }


def _print(report: Report, *, dry_run: bool) -> None:
    before, after = asdict(report.before), asdict(report.after)
    print(f"{'':10} {'before':>16} {'after':>16}")
    for what, number in before.items():
        print(f"{what:10} {number:16} {after[what]:16}")
    rate = before["messages"] / max(report.seconds, 0.001)
    verb = "would be linked" if dry_run else "linked"
    print(f"{report.linked} {verb}, {report.freed} files and {report.octets} octets of the disk freed")
    if report.changed or report.full:
        print(f"{report.changed} left that somebody changed meanwhile, {report.full} files full of links")
    print(f"{report.seconds:.1f} s, {rate:.0f} messages a second")
