"""`sievemda mailbox load`: makes of a list what is missing here, after all of it has been looked at."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.main import tell
from sievemda.cli.progress import shown
from sievemda.cli.terminal import is_terminal
from sievemda.config import Settings
from sievemda.errors import UsageError
from sievemda.given import open_given

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.listing.checking import Plan
    from sievemda.upkeep.listing.entries import Entry
    from sievemda.upkeep.listing.loading import Done
    from sievemda.upkeep.listing.reading import Unread


@click.command(epilog="Example: sievemda mailbox load mailboxes.json")
@click.argument("file", metavar="[FILE]", default="-")
@click.option("--replace", is_flag=True, help="Change what differs from FILE, too; nothing is deleted.")
@click.option("--partial", is_flag=True, help="Load what can be, though something in FILE is wrong.")
@click.option("--partition", "partitions", metavar="OLD=NEW", multiple=True, help="What OLD is here; * is any other.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be made and changed, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array: what has become of each mailbox that is named.")
@click.pass_obj
def load(
    settings: Settings,
    /,
    file: str,
    replace: bool,
    partial: bool,
    partitions: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Make what is missing of the mailboxes that FILE (- is standard input) lists, with ACL, id, quota and the rest.

    FILE is of `mailbox dump`, or of Cyrus: `ctl_mboxlist -d` in JSON or in lines, `quota -J`, a dumped quota data base.
    All of it is looked at first: when something is wrong, nothing is made. What is there and differs is told and stays.
    Exit code 65: something in FILE is wrong.
    """
    from sievemda.upkeep.listing.loading import How
    from sievemda.upkeep.listing.loading import load as load_plan

    store, failures = open_store(settings), Failures()
    with closing(plan_of(store, file, mapping(partitions), failures)) as plan:
        if failures.code and not partial:
            tell(lambda: print(f"sievemda: {_refusal(failures.number)}", file=sys.stderr))
            return failures.code
        counts: Counter[str] = Counter()
        done = shown(load_plan(store, plan, How(replace=replace, dry_run=dry_run)), "mailboxes", plan.number)
        rows = _rows(done, failures, counts)
        if as_json:
            print_json_array(rows)
        else:
            _print(rows, dry_run=dry_run)
        if is_terminal(sys.stderr) and not as_json:
            summary = ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))
            tell(lambda: print(f"mailboxes: {summary or 'none'}", file=sys.stderr))
    return failures.code


def _refusal(number: int) -> str:
    what = "one thing is" if number == 1 else f"{number} things are"
    return f"{what} wrong in the list, so nothing of it is loaded (--partial loads the rest)"


def mapping(given: tuple[str, ...]) -> dict[str, str]:
    """`OLD=NEW` as given with --partition; UsageError."""
    pairs = [text.partition("=") for text in given]
    if wrong := next((old + equals + new for old, equals, new in pairs if not (old and new)), None):
        raise UsageError(f"--partition {wrong[:80]}: write OLD=NEW")
    return {old: new for old, _, new in pairs}


def plan_of(store: MailStore, file: str, partitions: Mapping[str, str], failures: Failures) -> Plan:
    """The file, looked at; what is wrong in it is told. OSError."""
    from sievemda.upkeep.listing.checking import checked
    from sievemda.upkeep.listing.reading import read

    opened: Any = nullcontext(sys.stdin.buffer) if file == "-" else open_given(file)
    with opened as source:
        found = read(source, "standard input" if file == "-" else file, store.namespace)
        return checked(store, _told(shown(found, "entries")), partitions, failures.tell)


def _told(found: Iterable[Entry | Unread]) -> Iterator[Entry | Unread]:
    """What is on purpose left out is told all the same when it was somebody's mailbox."""
    for entry in found:
        if (what := getattr(entry, "what", "broken")) != "broken" and not getattr(entry, "silent", True):
            line = one_line(f"{entry.where}: left out: {getattr(entry, 'why', what)}")
            tell(lambda line=line: print(f"sievemda: {line}", file=sys.stderr))  # type: ignore[misc]
        yield entry


def _rows(done: Iterable[Done], failures: Failures, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for one in done:
        if one.error:
            failures.tell(one.error, one.name)
        if one.left:
            line = one_line(f"{one.name}: {', '.join(one.left)} not as in the list (--replace changes that)")
            tell(lambda line=line: print(f"sievemda: {line}", file=sys.stderr))  # type: ignore[misc]
        status = _status(one)
        counts[status] += 1
        if status != "as in the list":
            yield {
                "name": one.name,
                "status": status,
                "changed": list(one.changed),
                "differing": list(one.left),
                "error": str(one.error) if one.error else None,
            }


def _status(done: Done) -> str:
    if done.error:
        return "failed"
    if done.made:
        return "made"
    if done.changed:
        return "changed"
    return "different" if done.left else "as in the list"


def _print(rows: Iterable[dict[str, Any]], *, dry_run: bool) -> None:
    for row in rows:
        if not dry_run:
            continue
        if row["status"] == "made":
            print(one_line(f"make {row['name']}"))
        elif row["changed"]:
            print(one_line(f"change {row['name']}: {', '.join(row['changed'])}"))
