"""`sievemda mailbox list`: names, and on wish what they have beside; orphans; what nobody uses.

One mailbox after the other is looked at and printed, so that memory stays flat however many there are; only `--sort`
must have seen them all. Columns have fixed widths for that reason, and the name stands last.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.selection import Found, Selection, selecting
from sievemda.config import Settings
from sievemda.errors import UsageError

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

Row = dict[str, Any]
_DAY = 86400
_BLOCK = 500
_SORTS = ("name", "octets", "messages", "unseen", "used", "partition", "owner")
_LARGEST_FIRST = {"octets", "messages", "unseen"}


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int  # a negative one is flush left

    def shown(self, value: Any) -> str:
        text = "-" if value in ("", None) else str(value)
        return text.ljust(-self.width) if self.width < 0 else text.rjust(self.width)


_COLUMNS = {
    "octets": _Column("octets", 12),
    "messages": _Column("messages", 9),
    "new": _Column("new", 7),
    "unseen": _Column("unseen", 7),
    "partition": _Column("partition", -10),
    "owner": _Column("owner", -20),
    "special_use": _Column("special use", -12),
    "used": _Column("last use", -20),
    "evidence": _Column("by", -20),
}
_SIZES = ("octets", "messages", "new", "unseen")
_USE = ("used", "evidence")


@click.command("list", epilog="Example: sievemda mailbox list 'user/alice/*' --sizes --sort octets")
@selecting("[PATTERN]...")
@click.option("--sizes", is_flag=True, help="With octets, messages, those new to every reader, and unseen ones.")
@click.option("--long", "long_", is_flag=True, help="With sizes, partition, owner, special use and last use.")
@click.option("--owner", is_flag=True, help="With the owner.")
@click.option("--special-use", is_flag=True, help="Only mailboxes that have a special use, with it.")
@click.option("--partition", metavar="P", default="", help="Only what lies on that partition.")
@click.option("--subscribed", metavar="USER", default="", help="Only what USER is subscribed to.")
@click.option("--inactive", metavar="DAYS", type=click.IntRange(min=0), help="Only what nobody has used for DAYS days.")
@click.option("--sort", type=click.Choice(_SORTS), default="name", help="By name, or largest or longest unused first.")
@click.option("--orphans", is_flag=True, help="What lies below the partitions and is no mailbox, and why.")
@click.option("--deleted", is_flag=True, help="What was deleted and can be brought back, the latest last.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of objects.")
@click.pass_obj
def list_(
    settings: Settings,
    selection: Selection,
    sizes: bool,
    long_: bool,
    owner: bool,
    special_use: bool,
    partition: str,
    subscribed: str,
    inactive: int | None,
    sort: str,
    orphans: bool,
    deleted: bool,
    as_json: bool,
) -> int:
    """List mailboxes, one name a line: `*` stands for anything, `%` for anything within one level.

    Last use is the latest time of a delivery or of a reader's trace: of `new`, `cur` or a file of the IMAP server.
    """
    store, failures = open_store(settings), Failures()
    if orphans or deleted:
        if orphans and deleted:
            raise UsageError("--orphans and --deleted are two lists: say one of them")
        _other_list(store, selection, failures, orphans=orphans, as_json=as_json)
        return failures.code
    filters = _filters(store, partition, subscribed)
    found = (pair for pair in selection.find(store, failures, must_exist=False) if all(f(pair[1]) for f in filters))
    columns = _wanted(sizes=sizes, long_=long_, owner=owner, special_use=special_use, used=inactive is not None)
    if not (columns or as_json) and sort == "name":
        _print_names(found)
        return failures.code
    wish = _Wish(store, (*columns, sort), inactive, special_use=special_use, as_json=as_json)
    _print(_sorted(wish.rows(found), sort), columns, as_json=as_json)
    return failures.code


def _print_names(found: Iterator[Found]) -> None:
    """In blocks, which takes half the time of lines where every line is written at once."""
    while names := [name for name, _ in islice(found, _BLOCK)]:
        sys.stdout.write("\n".join(names) + "\n")


def _wanted(*, sizes: bool, long_: bool, owner: bool, special_use: bool, used: bool) -> tuple[str, ...]:
    wanted = {
        **dict.fromkeys(_SIZES, sizes or long_),
        "partition": long_,
        "owner": owner or long_,
        "special_use": special_use or long_,
        **dict.fromkeys(_USE, used or long_),
    }
    return tuple(column for column, is_wanted in wanted.items() if is_wanted)


def _filters(store: MailStore, partition: str, subscribed: str) -> list[Callable[[Mailbox], bool]]:
    found: list[Callable[[Mailbox], bool]] = []
    if partition:
        store.layout.partition(partition)
        found.append(lambda mailbox: mailbox.partition == partition)
    if subscribed:
        from sievemda.cli.subscriptions import subscriptions_of

        names = {name for name, _ in subscriptions_of(store, subscribed) if name is not None}
        found.append(lambda mailbox: mailbox.name in names)
    return found


@dataclass(frozen=True)
class _Wish:
    """What is to be known of each mailbox."""

    store: MailStore
    columns: tuple[str, ...]
    inactive: int | None
    special_use: bool
    as_json: bool

    def rows(self, found: Iterable[Found]) -> Iterator[Row]:
        from sievemda.store.census import last_use

        before = None if self.inactive is None else time.time() - self.inactive * _DAY
        for name, mailbox in found:
            use = last_use(mailbox.path) if "used" in self.columns else None
            if before is not None and use is not None and use.when > before:
                continue
            row = self._row(name, mailbox)
            if self.special_use and not row["special_use"]:
                continue
            if use is not None:
                row |= {"used": iso(use.when), "evidence": use.evidence}
            yield row

    def _row(self, name: str, mailbox: Mailbox) -> Row:
        from sievemda.store.record import special_use_of

        row: Row = {"name": name, "partition": mailbox.partition}
        if self.as_json or "special_use" in self.columns:
            row["special_use"] = special_use_of(mailbox.path)
        if "owner" in self.columns:
            row["owner"] = mailbox.name.owner
        if not set(_SIZES).isdisjoint(self.columns):
            from sievemda.store.census import census

            found = census(mailbox.path)
            row |= {"octets": found.octets, "messages": found.messages, "new": found.new, "unseen": found.unseen}
        return row


def iso(when: float) -> str:
    """An instant as people and programs read it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def _sorted(rows: Iterator[Row], sort: str) -> Iterable[Row]:
    if sort == "name":
        return rows
    if sort in _LARGEST_FIRST:
        return sorted(rows, key=lambda row: (-row[sort], row["name"]))
    return sorted(rows, key=lambda row: (str(row.get(sort) or ""), row["name"]))


def _print(rows: Iterable[Row], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json_array(rows)
        return
    shown = [(column, _COLUMNS[column]) for column in columns]
    if shown:
        print(*(column.shown(column.title) for _, column in shown), "name")
    for row in rows:
        cells = "".join(f"{column.shown(row.get(key))} " for key, column in shown)
        sys.stdout.write(f"{cells}{row['name']}\n")


def _other_list(store: MailStore, selection: Selection, failures: Failures, *, orphans: bool, as_json: bool) -> None:
    rows = _orphans(store, failures) if orphans else _deleted(store, selection)
    if as_json:
        print_json_array(rows)
        return
    for row in rows:
        line = f"{row['path']}: {row['why']}" if orphans else str(row["name"])
        sys.stdout.write(f"{one_line(line)}\n")  # a directory may have any name


def _deleted(store: MailStore, selection: Selection) -> Iterator[Row]:
    from sievemda.cli.selection import expression
    from sievemda.store.aside import entries
    from sievemda.store.patterns import Pattern

    wanted = [Pattern(store.namespace, word) for word in selection.words or ("*",)]
    matches = expression(selection.regex) if selection.regex else None
    for entry in entries(store):
        name = store.namespace.parse_admin(entry.name) if entry.mailbox else None
        if name and any(pattern.matches(name) for pattern in wanted) and (matches is None or matches(entry.name)):
            yield {"name": entry.name, "deleted": entry.deleted, "id": entry.id}


def _orphans(store: MailStore, failures: Failures) -> Iterator[Row]:
    from sievemda.store.orphans import orphans

    for orphan in orphans(store, lambda error: failures.tell(error, str(error.filename))):
        yield {"path": str(orphan.path), "kind": orphan.kind, "why": orphan.why}
