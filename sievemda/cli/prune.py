"""`sievemda prune`: clear away what is over, as `serve` does on its schedule; or show the delivery memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store, print_json
from sievemda.config import Settings
from sievemda.errors import NotFound, UsageError

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.pruning import Pruned

_TOLD = {
    "delivered": "records of deliveries that keep duplicates away",
    "redirect": "records of redirected messages",
    "vacation": "records of vacation replies",
    "duplicate": "records of the duplicate test",
    "notify": "records of notifications",
    "report": "records of reports",
    "journal": "entries of the journal",
    "versions": "versions of scripts",
    "deleted": "deleted mailboxes",
    "withdrawn": "discarded and expired messages",
    "leftovers": "originals of what was moved",
    "stage": "unfinished messages in staging",
    "accounts": "accounts that were never finished",
    "outbox": "unfinished messages in the outbox",
}


@click.command(epilog="Example: sievemda prune -E 3 --dry-run")
@click.option("-E", "older", metavar="AGE", help="Forget deliveries older than this (3, 12h), whatever memory_days is.")
@click.option(
    "--dump", is_flag=False, flag_value="-", metavar="[FILE]", help="Show the delivery memory; as ctl_deliver."
)
@click.option("-f", "database", metavar="DB", help="With --dump: this database instead of the configured one.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with the number of each kind.")
@click.pass_obj
def prune(
    settings: Settings, older: str | None, dump: str | None, database: str | None, dry_run: bool, as_json: bool
) -> int:
    """Remove what is over for good, and say how much of each kind.

    That is what the delivery memory, the journal and the versions of scripts have kept for as long as memory_days,
    journal_days and sieve_versions_days say, what was deleted, discarded or expired longer ago than delete_days and
    discard_days say, and what crashes have left. `serve` does the same, as prune_schedule says. Deliveries go on
    meanwhile.
    """
    if dump is not None:
        if older or dry_run or as_json:
            raise UsageError("--dump only shows: leave -E, --dry-run and --json away")
        _dump(Path(database) if database else settings.memory_path, dump)
        return 0
    if database:
        raise UsageError("-f goes with --dump")
    age = None if older is None else _age(older)
    store, failures = open_store(settings), Failures()
    done = _pruned(settings, store, age, dry=dry_run)
    for error in done.failures:
        failures.tell(error)
    failures.note_if_away(store)
    if as_json:
        print_json({"dry_run": dry_run, "removed": done.counts, "failures": failures.number})
    else:
        for kind, number in done.counts.items():
            if number:
                print(f"{number} {_TOLD[kind]}{' would be removed' if dry_run else ''}")
        if not any(done.counts.values()) and not failures.number:
            print("nothing to remove")
    return failures.code


def _age(text: str) -> float:
    from sievemda.policy.age import parse_age

    try:
        return parse_age(text)
    except ValueError as error:
        raise UsageError(f"-E: {error}") from error


def _pruned(settings: Settings, store: MailStore, older: float | None, *, dry: bool) -> Pruned:
    from sievemda.state.journal import Journal
    from sievemda.state.memory import Memory
    from sievemda.upkeep.pruning import Pruning

    memory = Memory(settings.memory_path, only_read=dry) if settings.memory_path.exists() else None
    journal = Journal(settings.journal_path, only_read=dry) if settings.journal_path.exists() else None
    return Pruning(settings, store, memory, journal).run(older=older, dry=dry)


def _dump(path: Path, target: str) -> None:
    """The form of Cyrus' `ctl_deliver -d`. Nothing has UIDs here."""
    from sievemda.state.memory import Memory

    if not path.exists():
        if path.is_symlink() or not path.parent.exists():
            raise NotFound(f"there is no delivery memory at {path}")
        rows: Iterator[tuple[str, str, int]] = iter(())
    else:
        if not path.is_file():
            raise UsageError(f"{path} is no file: -f is a delivery memory")
        rows = Memory(path, only_read=True).dump()
    number = 0
    with _opened(target) as out:
        out.write(f"it is NOW: {int(time.time())}\n")
        for identity, place, instant in rows:
            number += 1
            out.write(f"id: {_shown(identity):<40}\tto: {_shown(place):<20}\tat: {instant}\tuid: 0\n")
        out.write(f"got {number} entries\n")


def _shown(text: str) -> str:
    """What cannot be printed becomes the hexadecimal digits of its octets, all of it."""
    printable = text.isascii() and text.isprintable()
    return text if printable else text.encode("utf-8", "surrogateescape").hex().upper()


@contextmanager
def _opened(target: str) -> Iterator[TextIO]:
    if target == "-":
        yield sys.stdout
        return
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        yield file
