"""What `sievemda restore --list` says: the archives of a directory, or the mailboxes and messages of one archive."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.cli.backup_watch import Watch, sized
from sievemda.cli.complaints import one_line
from sievemda.cli.mailbox import print_json_array
from sievemda.errors import DataError, NotFound
from sievemda.given import open_given
from sievemda.upkeep.backup import archives
from sievemda.upkeep.backup.container import Damage
from sievemda.upkeep.backup.reading import Listing, Message, read_archive

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.choosing import Chosen
    from sievemda.upkeep.backup.entries import FolderEntry, TreeEntry


def listed(
    store: MailStore, source: str, chosen: Chosen, at: float | None, watch: Watch, *, verbose: bool, as_json: bool
) -> int:
    """Print it; the exit code."""
    path = Path(source)
    if source != "-" and path.is_dir():
        found = [archive for archive in archives.archives_in(path) if at is None or archive.head.created <= at]
        if not found:
            raise NotFound(f"no backup in {path}")
        rows = _archives(found)
        columns: tuple[str, ...] = ("created", "kind", "id", "base", "file", "of")
    else:
        rows = _Contents(store, source, chosen, watch, verbose=verbose).rows()
        columns = (
            ("mailbox", "date", "size", "flags", "message") if verbose else ("mailbox", "messages", "here", "size")
        )
    if as_json:
        print_json_array(rows)
    else:
        for row in rows:
            print(one_line("  ".join(str(row[column]) for column in columns if row[column] != "")))
    watch.done()
    return watch.failures.code


def _archives(found: list[archives.Archive]) -> Iterator[dict[str, Any]]:
    for archive in found:
        head = archive.head
        yield {
            "created": _time(head.created),
            "kind": head.kind,
            "id": head.id,
            "base": head.base,
            "file": archive.path.name,
            "of": " ".join(head.scope) or "everything",
        }


def _time(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


class _Contents:
    def __init__(self, store: MailStore, source: str, chosen: Chosen, watch: Watch, *, verbose: bool) -> None:
        self._store = store
        self._source = source
        self._chosen = chosen
        self._watch = watch
        self._verbose = verbose
        self._row: dict[str, Any] | None = None

    def rows(self) -> Iterator[dict[str, Any]]:
        """One for each mailbox, or for each message."""
        pipe = self._source == "-"
        name = "standard input" if pipe else self._source
        with nullcontext(sys.stdin.buffer) if pipe else open_given(self._source) as stream:
            for event in read_archive(stream, name=name, contents=False):
                if isinstance(event, Damage):
                    text = f"{name}, at octet {event.offset}: {event.text}"
                    self._watch.failed("", DataError(text))
                elif isinstance(event, Listing) and self._wanted(event.tree, event.folder):
                    yield from self._listing(event)
                elif isinstance(event, Message) and self._wanted(event.tree, event.folder):
                    yield from self._message(event)
        yield from self._last()

    def _wanted(self, tree: TreeEntry, folder: FolderEntry) -> bool:
        return self._chosen.has(tree.name(folder))

    def _name(self, event: Listing | Message) -> str:
        return self._store.namespace.format_admin(event.tree.name(event.folder))

    def _last(self) -> Iterator[dict[str, Any]]:
        row, self._row = self._row, None
        if row is not None:
            row["size"] = sized(row["octets"])
            yield row

    def _listing(self, event: Listing) -> Iterator[dict[str, Any]]:
        yield from self._last()
        lines = messages = octets = 0
        try:
            for line in event.lines():
                lines += 1
                octets += line.size
                messages += line.here
        except DataError as error:
            self._watch.failed(self._name(event), error)
        if not self._verbose:
            self._row = {"mailbox": self._name(event), "messages": lines, "here": messages, "octets": octets}

    def _message(self, event: Message) -> Iterator[dict[str, Any]]:
        if self._verbose:
            yield {
                "mailbox": self._name(event),
                "date": _time(event.arrived),
                "size": event.size,
                "flags": " ".join(event.flags),
                "new": event.new,
                "message": event.unique,
            }
