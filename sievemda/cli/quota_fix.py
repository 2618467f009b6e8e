"""`sievemda quota fix`: count every root, mend what `maildirsize` says, remove roots without mailboxes.

Which root counts for a mailbox cannot be wrong here, as it can for Cyrus: it is where the mailbox lies that decides it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store
from sievemda.cli.progress import shown
from sievemda.cli.quota_choice import Choice, choosing
from sievemda.cli.quota_report import FORMATS, Row, row_of, write
from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.policy.quota import Usage
from sievemda.store import rootlist
from sievemda.store.mailstore import MailStore
from sievemda.store.quota import QuotaRoot

_KEPT = ("STORAGE", "MESSAGE")  # what stands in a file and can be wrong there


@click.command(epilog="Example: sievemda quota fix -u alice bob")
@choosing
@click.option("-n", "--dry-run", is_flag=True, help="Say what is wrong and change nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Print repairs, and no report.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="cyrus", show_default=True)
@click.option("-J", "--json", "as_json", is_flag=True, help="The same as --format json; repairs stand in _repairs.")
@click.pass_obj
def fix(settings: Settings, /, choice: Choice, dry_run: bool, quiet: bool, form: str, as_json: bool) -> int:
    """Count the quota roots whose names begin with PREFIX, of all without one, and put right what was wrong.

    Repairs are told on standard error, sizes in octets; then the report follows. Deliveries may go on meanwhile.
    """
    store, failures = open_store(settings), Failures()
    repairs: list[str] = []
    form = "json" if as_json else form

    def tell(repair: str) -> None:
        repairs.append(repair)
        if form != "json":
            print(repair, file=sys.stderr)

    def rows() -> Iterator[Row]:
        for name, root in shown(choice.roots(store), "quota roots"):
            try:
                row, wrong = _fixed(store, name, root, dry_run=dry_run)
            except (OSError, SievemdaError) as error:
                failures.tell(error, name)
                continue
            for repair in wrong:
                tell(repair)
            if row is not None:
                yield row

    if quiet:
        for _ in rows():
            pass
    else:
        write(rows(), form, **({"_repairs": repairs} if form == "json" else {}))
    failures.note_if_away(store)
    return failures.code


def _fixed(store: MailStore, name: str, root: QuotaRoot, *, dry_run: bool) -> tuple[Row | None, list[str]]:
    """The root, if it is to stay, and what was wrong, in Cyrus' words."""
    if rootlist.is_idle(root):
        if root.is_domain:
            store.layout.check_there()
        if not dry_run:
            rootlist.remove(store, root)
        return None, [f"{name}: removed"]
    count, limits = root.count(write=not dry_run), root.limits()
    kept = () if limits.storage is None and limits.messages is None else _KEPT
    before, now = count.before or Usage(), count.usage
    wrong = [
        f"{name}: {resource} usage was {before.of(resource)}, now {now.of(resource)}"
        for resource in kept
        if before.of(resource) != now.of(resource)
    ]
    usage = replace(count.usage, annotation=root.annotations())
    return row_of(name, root, limits, usage), wrong
