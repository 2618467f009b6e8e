"""What an archive knows of each folder, for the incremental one that builds on it.

Why the lists are kept in a file without a name: of a large site they are a gigabyte, and one is asked for at a time.

Why only messages that are in an archive count, and not the list alone: what could not be read then, or stands behind
damage, is put into the next one.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Self

from sievemda.errors import DataError
from sievemda.upkeep.backup import entries
from sievemda.upkeep.backup.container import Damage
from sievemda.upkeep.backup.entries import Head, Line
from sievemda.upkeep.backup.histories import marks
from sievemda.upkeep.backup.reading import Event, History, Listing, Message, read_archive


class Base:
    """The lists of an archive, or of the index beside one; a context manager. DataError: it is none."""

    def __init__(self, stream: BinaryIO, name: str, spool: Path | None = None) -> None:
        self.head = Head("")
        self.damaged = False
        self._file = tempfile.TemporaryFile(dir=spool)  # noqa: SIM115 - closed with the base
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._marks: dict[str, list[tuple[int, int]]] = {}  # by the places of trees
        self._lines: dict[str, Line] = {}
        self._at = ("", "")
        self._last = ""
        try:
            for event in read_archive(stream, name=name, contents=False):
                self._take(event)
            self._keep()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _take(self, event: Event) -> None:
        if isinstance(event, Head):
            self.head = event
        elif isinstance(event, Damage):
            self.damaged = True
        elif isinstance(event, History):
            start = self._file.seek(0, 2)
            length = self._file.write(" ".join(marks(event.past)).encode())
            self._marks.setdefault(event.tree.place, []).append((start, length))
        elif isinstance(event, Listing):
            self._keep()
            if event.tree.place < self._last:
                return  # a user who was renamed meanwhile: who reads archives side by side would miss him
            self._last = event.tree.place
            self._at = event.tree.place, event.folder.key
            with suppress(DataError):  # what is not in the list is put into the archive once more
                self._lines.update((line.unique, line) for line in event.lines())
        elif isinstance(event, Message) and (event.tree.place, event.folder.key) == self._at:
            line = self._lines.get(event.unique)
            if line is not None:
                self._lines[event.unique] = replace(line, size=event.size, here=False)

    def _keep(self) -> None:
        if self._at[0]:
            start = self._file.seek(0, 2)
            for line in self._lines.values():
                if not line.here:
                    self._file.write(entries.encode_line(line))
            self._places[self._at] = start, self._file.tell() - start
        self._lines, self._at = {}, ("", "")

    def sizes(self, tree: str, key: str) -> dict[str, int]:
        """The messages of a folder that an archive has, by the unique parts of their names."""
        start, length = self._places.get((tree, key), (0, 0))
        self._file.seek(start)
        lines = map(entries.read_line, self._file.read(length).splitlines())
        return {line.unique: line.size for line in lines}

    def carried(self, tree: str) -> frozenset[str]:
        """The marks of a user's versions that an archive has, and the digests of their texts; see `histories`."""
        found: set[str] = set()
        for start, length in self._marks.get(tree, ()):
            self._file.seek(start)
            found.update(self._file.read(length).decode().split())
        return frozenset(found)
