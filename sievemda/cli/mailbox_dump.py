"""`sievemda mailbox dump`: the list of mailboxes with all that belongs to them beside messages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from sievemda.cli.failures import Failures
from sievemda.cli.mailbox import open_store
from sievemda.cli.progress import shown
from sievemda.cli.selection import Selection, selecting
from sievemda.config import Settings
from sievemda.errors import SievemdaError, StoreTrouble

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.listing.dumping import Fields

_BLOCK = 1 << 16  # characters


@click.command(epilog="Example: sievemda mailbox dump -o mailboxes.json")
@selecting("[PATTERN]...")
@click.option("--json", "form", flag_value="json", default=True, help="Cyrus' JSON with keys of our own (the default).")
@click.option("--tab", "form", flag_value="tab", help="Cyrus' older lines: name, type, partition and ACL alone.")
@click.option("--partition", metavar="P", default="", help="Only what lies on that partition.")
@click.option("-o", "--output", metavar="FILE", default="", help="Write FILE, whole or not at all.")
@click.pass_obj
def dump(settings: Settings, /, selection: Selection, form: str, partition: str, output: str) -> int:
    """Print every mailbox with its partition, ACL, id, quota, special use, annotations; an INBOX with subscriptions.

    The form is that of Cyrus' `ctl_mboxlist -d`, which can read it; `mailbox load` makes of it what is missing.
    """
    from sievemda.upkeep.listing.dumping import in_json, in_lines

    store, failures = open_store(settings), Failures()
    if partition:
        store.layout.partition(partition)
    rows = _rows(store, selection, partition, failures)
    text = in_lines(rows) if form == "tab" else in_json(rows)
    if output and output != "-":
        _write(Path(output), text)
    else:
        _print(text, sys.stdout)
    return failures.code


def _rows(store: MailStore, selection: Selection, partition: str, failures: Failures) -> Iterator[Fields]:
    from sievemda.upkeep.listing.dumping import bare_roots, fields_of, root_fields

    for name, mailbox in shown(selection.find(store, failures), "mailboxes"):
        if partition and mailbox.partition != partition:
            continue
        try:
            yield fields_of(store, mailbox)
        except (SievemdaError, OSError) as error:
            failures.tell(error, name)
    if not selection.only_names:
        failures.note_if_away(store, partition)
    if not (selection.given or partition):
        for root in bare_roots(store):
            try:
                yield root_fields(root)
            except (SievemdaError, OSError) as error:
                failures.tell(error, store.namespace.format_admin(root.name))


def _print(text: Iterable[str], file: TextIO) -> None:
    """In blocks, which takes half the time of a write for every line."""
    held: list[str] = []
    size = 0
    for piece in text:
        held.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            file.write("".join(held))
            held, size = [], 0
    file.write("".join(held))


def _write(path: Path, text: Iterable[str]) -> None:
    """Readers see the old file or the new one; what is no file, as a device, is written to. OSError."""
    from sievemda.store.files import sync_directory, unique_name

    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8") as file:
            _print(text, file)
        return
    temporary = path.with_name(f".{unique_name()}.part")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            _print(text, file)
            file.flush()
            os.fsync(fd)
        temporary.rename(path)
    except OSError as error:
        raise StoreTrouble(f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(path.parent)
