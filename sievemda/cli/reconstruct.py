"""`sievemda reconstruct`: find what is wrong in the store and mend it, as Cyrus' command of that name.

What is found goes to standard output, one line each, with the sum at the end, and the name of each mailbox when it is
through: of a store that is well there is nothing else. What could not be done goes to standard error.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import ExitStack, closing
from itertools import repeat
from typing import TYPE_CHECKING

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.main import tell
from sievemda.config import Settings

if TYPE_CHECKING:
    from sievemda.upkeep.reconstruct.findings import Finding, Work

_AREAS = ("folders", "messages", "rights", "subscriptions", "quotas", "scripts")
_SHOWN = 20  # findings of one kind in one mailbox that are printed, unless all are asked for


def line_of(finding: Finding) -> str:
    """A finding for people, on one line."""
    where = f"{finding.mailbox}: " if finding.mailbox else ""
    how = {
        "mended": f"; {finding.done}",
        "would mend": f"; would be mended: {finding.done}",
        "left": f"; not mended: {finding.done}",
        "failed": f"; cannot be mended: {finding.done}",
    }.get(finding.state, "")
    return one_line(f"{where}{finding.path}: {finding.what}{how}")


class _Lines:
    """Findings for people."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._seen: Counter[tuple[str, str]] = Counter()

    def finding(self, finding: Finding) -> None:
        key = (finding.mailbox, finding.kind)
        self._seen[key] += 1
        if self._seen[key] > _SHOWN and not self._verbose:
            return
        line = line_of(finding)
        if finding.state == "failed":
            tell(lambda: print(f"sievemda: {line}", file=sys.stderr))
        else:
            print(line)

    def done(self, mailbox: str) -> None:
        for (name, kind), number in self._seen.items():
            if number > _SHOWN and not self._verbose and name == mailbox:
                print(one_line(f"{name}: {number - _SHOWN} more of that kind ({kind})"))
        self._seen.clear()
        if not self._quiet:
            print(one_line(mailbox))

    def end(self, work: Work) -> None:
        counts = work.counts
        words = (("mended", "mended"), ("would mend", "to mend"), ("left", "left to you"), ("failed", "failed"))
        told = [f"{counts[state]} {word}" for state, word in words if counts.get(state)]
        if told:
            print(f"{work.mailboxes} mailboxes, {work.messages} messages: {', '.join(told)}")


class _Document:
    """One JSON object, written as it comes."""

    def __init__(self) -> None:
        self._separator = '{"findings": ['

    def finding(self, finding: Finding) -> None:
        found = {
            "mailbox": finding.mailbox or None,
            "kind": finding.kind,
            "path": str(finding.path),
            "what": finding.what,
            "state": finding.state,
            "done": finding.done,
        }
        sys.stdout.write(f"{self._separator}{json.dumps(found)}")
        self._separator = ",\n "

    def done(self, mailbox: str) -> None:
        pass

    def end(self, work: Work) -> None:
        start = self._separator if self._separator.startswith("{") else ""
        totals = {"mailboxes": work.mailboxes, "messages": work.messages, "counts": work.counts}
        sys.stdout.write(f"{start}],\n {json.dumps(totals)[1:]}\n")


@click.command(epilog="Example: sievemda reconstruct -r user/alice --dry-run")
@click.argument("words", metavar="[MAILBOX]...", nargs=-1)
@click.option("-r", "recursive", is_flag=True, help="The mailboxes below those named, too.")
@click.option("-f", "force", is_flag=True, help="Make mailboxes of all folders that are none, be they ever so odd.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what is wrong and change nothing.")
@click.option("-p", "--partition", metavar="PARTITION", default="", help="Only mailboxes on that partition.")
@click.option("-u", "--users", is_flag=True, help="The arguments are user ids, each with all that he has.")
@click.option("-x", "--drop-indexes", is_flag=True, help="Remove the indexes that Dovecot keeps, to be built anew.")
@click.option("-q", "--quiet", is_flag=True, help="Print what is wrong, and no names of mailboxes.")
@click.option("-v", "--verbose", is_flag=True, help=f"Print more than {_SHOWN} findings of a kind in one mailbox.")
@click.option("-m", "only", flag_value="folders", multiple=True, help="Only the folders (--only folders).")
@click.option("-s", "only", flag_value="subscriptions", multiple=True, help="Only subscriptions.")
@click.option("-l", "only", flag_value="rights", multiple=True, help="Only rights (ACLs).")
@click.option("--only", "areas", type=click.Choice(_AREAS), multiple=True, help="Only this; may be repeated.")
@click.option("-a", "everything", is_flag=True, help="Everything, which is what is done anyway.")
@click.option("--check-sizes", is_flag=True, help="Read every message, to compare W= in its name.")
@click.option("--rehash", is_flag=True, help="First move homes to where hashimapspool and fulldirhash put them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: findings, and how many of each state.")
@click.pass_obj
def reconstruct(
    settings: Settings,
    /,
    words: tuple[str, ...],
    only: tuple[str, ...],
    areas: tuple[str, ...],
    **how: bool | str,
) -> int:
    """Find what is wrong in mailboxes (MAILBOX is a name or a pattern; all without one), and mend it.

    Deliveries and IMAP servers may go on meanwhile. Whatever is taken out of the way is kept in lost. beside the
    Maildir. Exit code 0: all is well, or will be or was mended; 65: something is left to you, it is told what;
    67: there is no such mailbox; 74: a file or disk failed; 75: something was locked or away, try again.
    """
    chosen = frozenset() if how["everything"] else frozenset({*only, *areas})
    return _run(settings, words, chosen, how)


def _run(settings: Settings, words: tuple[str, ...], only: frozenset[str], how: dict[str, bool | str]) -> int:
    from sievemda.cli.mailbox import open_store
    from sievemda.cli.progress import shown
    from sievemda.errors import UsageError
    from sievemda.upkeep.reconstruct.findings import Options, Work
    from sievemda.upkeep.reconstruct.rehash import rehash
    from sievemda.upkeep.reconstruct.run import reconstruct as go
    from sievemda.upkeep.reconstruct.scope import Scope

    if not words and (how["users"] or how["recursive"]):
        raise UsageError("-r and -u want to know of what: name mailboxes or users")
    options = Options(
        bool(how["dry_run"]), bool(how["force"]), bool(how["check_sizes"]), bool(how["drop_indexes"]), only
    )
    out = _Document() if how["as_json"] else _Lines(quiet=bool(how["quiet"]), verbose=bool(how["verbose"]))
    if how["rehash"]:
        rehash(settings, options, out.finding)
        if options.dry_run:
            return 0
    store = open_store(settings)
    partition = str(how["partition"])
    if partition:
        store.layout.partition(partition)
    users = words if how["users"] else ()
    names = () if how["users"] else words
    scope = Scope(store.namespace, names, users, partition, bool(how["recursive"]))
    with ExitStack() as ending:
        count = ending.enter_context(closing(shown(repeat(None), "mailboxes")))
        silent = how["quiet"] or how["as_json"]  # no names tell how far it has come

        def done(mailbox: str) -> None:
            if silent:
                next(count)
            out.done(mailbox)

        work = Work(store, options, out.finding, done)
        ending.callback(out.end, work)
        go(work, scope, waiting=_say_waiting)
    return work.code


def _say_waiting() -> None:
    tell(lambda: print("sievemda: another reconstruct is at work; waiting for it", file=sys.stderr))
