"""`sievemda mailbox verify`: what contradicts, in the store itself or between it and a list of mailboxes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json_array
from sievemda.cli.mailbox_load import mapping
from sievemda.cli.progress import shown
from sievemda.config import Settings
from sievemda.given import open_given

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.listing.verifying import Contradiction


@click.command(epilog="Example: sievemda mailbox verify mailboxes.json")
@click.argument("file", metavar="[FILE]", default="")
@click.option("--partition", "partitions", metavar="OLD=NEW", multiple=True, help="What OLD is here; * is any other.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array: kind, name and text of each contradiction.")
@click.pass_obj
def verify(settings: Settings, /, file: str, partitions: tuple[str, ...], as_json: bool) -> int:
    """Say what the list in FILE (- is standard input) has that is not there, and what is there and not in it.

    Without FILE: what in the store belongs to no mailbox or cannot be read. Exit code 65 when there is anything.
    """
    store, failures = open_store(settings), Failures()
    rows = shown(_found(store, file, mapping(partitions), failures), "contradictions")
    number = 0

    def counted() -> Iterator[Contradiction]:
        nonlocal number
        for number, one in enumerate(rows, 1):  # noqa: B007 - it is what is counted
            yield one

    if as_json:
        print_json_array(asdict(one) for one in counted())
    else:
        for one in counted():
            sys.stdout.write(f"{one_line(one.text)}\n")
    return failures.code or (os.EX_DATAERR if number else 0)


def _found(store: MailStore, file: str, partitions: dict[str, str], failures: Failures) -> Iterator[Contradiction]:
    from sievemda.upkeep.listing.reading import read
    from sievemda.upkeep.listing.verifying import against, itself

    if not file:
        yield from itself(store, failures.tell)
        return
    opened: Any = nullcontext(sys.stdin.buffer) if file == "-" else open_given(file)
    with opened as source:
        found = read(source, "standard input" if file == "-" else file, store.namespace)
        yield from against(store, found, partitions, failures.tell)
