"""`sievemda quota report`: limits and usage in the forms that administrators know.

cyrus   the `quota` command of Cyrus: a line for each resource of a root
oracle  `imquotacheck` of Oracle's server: a line for each root below its domain
json    `quota -J` of Cyrus: one object; what is used and the limits in octets
csv     a line for each root, sizes in octets

Why a report does not count by itself: with a million messages that takes long, and what `maildirsize` says is right as
long as no folder has changed since it was counted; where one has, that root is counted.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store
from sievemda.cli.progress import shown
from sievemda.cli.quota import HEADER, table
from sievemda.cli.quota_choice import Choice, choosing
from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.policy.quota import KIB, PRINTED, Limits, Usage

if TYPE_CHECKING:
    from sievemda.store.quota import QuotaRoot

FORMATS = ("cyrus", "oracle", "json", "csv")
_RULE = "-" * 78


@dataclass(frozen=True, slots=True)
class Row:
    name: str  # as administrators write it
    user: str  # his id without the domain where the root is all that a user has, else the name
    domain: str  # "" is the default one
    limits: Limits
    usage: Usage


def row_of(name: str, root: QuotaRoot, limits: Limits, usage: Usage) -> Row:
    from sievemda.store.roots import domain_of

    user = (root.name.owner or "").partition("@")[0] if root.name.is_inbox else name
    return Row(name, user, domain_of(root.name), limits, usage)


@click.command(epilog="Example: sievemda quota report user/a --format oracle")
@choosing
@click.option("--format", "form", type=click.Choice(FORMATS), default="cyrus", show_default=True)
@click.option("-J", "--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--count", is_flag=True, help="Count all messages afresh, believing no file.")
@click.pass_obj
def report(settings: Settings, /, choice: Choice, form: str, as_json: bool, count: bool) -> int:
    """Report limits and usage of the quota roots whose names begin with PREFIX, of all without one."""
    store, failures = open_store(settings), Failures()

    def rows() -> Iterator[Row]:
        for name, root in shown(choice.roots(store), "quota roots"):
            try:
                usage = root.usage(fresh=True) if count else root.known()
                yield row_of(name, root, root.limits(), usage)
            except (OSError, SievemdaError) as error:
                failures.tell(error, name)

    write(rows(), "json" if as_json else form)
    return failures.code


def write(rows: Iterable[Row], form: str, **more: Any) -> None:
    """To standard output, row by row. `more` goes into the JSON object, asked for when the rows are through.

    Nothing is written before there is a row, or none: what is wrong with the arguments comes first.
    """
    remaining = iter(rows)
    rows = chain([*islice(remaining, 1)], remaining)
    if form == "json":
        _write_json(rows, more)
    elif form == "csv":
        _write_csv(rows)
    elif form == "oracle":
        _write_oracle(rows)
    else:
        print(HEADER)
        for row in rows:
            print(table(row.name, row.limits, row.usage))


def _write_json(rows: Iterable[Row], more: dict[str, Any]) -> None:
    """A limit that is none is left out, as Cyrus does."""
    begin = "{"
    for row in rows:
        resources = json.dumps(_resources(row), indent=2).replace("\n", "\n  ")
        print(f"{begin}\n  {json.dumps(row.name)}: {resources}", end="")
        begin = ","
    for key, value in more.items():
        print(f"{begin}\n  {json.dumps(key)}: {json.dumps(value)}", end="")
        begin = ","
    print("{}" if begin == "{" else "\n}")


def _resources(row: Row) -> dict[str, dict[str, int]]:
    found = {}
    for resource in PRINTED:
        limit = row.limits.of(resource)
        found[resource] = {"used": row.usage.of(resource)} | ({} if limit is None else {"limit": limit})
    return found


def _write_csv(rows: Iterable[Row]) -> None:
    """No limit is an empty field."""
    lines = csv.writer(sys.stdout, lineterminator="\n")
    names = [resource.lower().replace("-", "_") for resource in PRINTED]
    lines.writerow(["root", *(f"{name}_{what}" for name in names for what in ("used", "limit", "percent"))])
    for row in rows:
        values: list[object] = [row.name]
        for resource in PRINTED:
            used, limit = row.usage.of(resource), row.limits.of(resource)
            values += [used, "" if limit is None else limit, used * 100 // limit if limit else ""]
        lines.writerow(values)


def _write_oracle(rows: Iterable[Row]) -> None:
    """By domain, a table of disk quota in KiB and of messages, with the percentage of each."""
    domain = None
    for row in sorted(rows, key=lambda found: found.domain):
        if row.domain != domain:
            domain = row.domain
            print(f"{_RULE}\nDomain: {domain or '(default)'}\n{_RULE}")
            print(f"{'diskquota':>10} {'size(K)':>12} {'%use':>5}  {'msgquota':>10} {'msgs':>12} {'%use':>5}  user")
        disk = _of_oracle(row.limits.storage, row.usage.storage, KIB)
        messages = _of_oracle(row.limits.messages, row.usage.messages, 1)
        print(f"{disk}  {messages}  {row.user}")


def _of_oracle(limit: int | None, used: int, unit: int) -> str:
    percent = f"{used * 100 // limit}%" if limit else ""
    quota = "no quota" if limit is None else str(limit // unit)
    return f"{quota:>10} {used // unit:>12} {percent:>5}"
