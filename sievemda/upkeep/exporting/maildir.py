"""Writing Maildir++: messages with their flags in the names, dates of arrival as times of the files, keywords.

What a message is called in its own folder it is called there. One of that name is not written again, so that a command
that was interrupted is repeated, and what has come meanwhile is added. A message appears when it is whole: the target
is a Maildir that others may read at the time.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sievemda.errors import AlreadyExists, TemporaryTrouble
from sievemda.mail.carried import Carried
from sievemda.store import subscriptions
from sievemda.store.files import locked_within, open_directory, sync_directory, sync_file_system, unique_name
from sievemda.store.keywords import Keywords
from sievemda.store.maildir import is_folder, make_parts
from sievemda.store.messages import unique_part
from sievemda.store.spelling import to_disk
from sievemda.upkeep.exporting.snapshot import Row, opened, snapshot

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.upkeep.exporting.choice import Chosen

_BATCH = 1000  # messages that are synced together
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_PATIENCE = 600.0  # seconds that one who writes a Maildir waits for another
_UNFINISHED = "export."  # what files in `tmp` begin with


@dataclass(frozen=True, slots=True)
class AsMaildir:
    """One Maildir for a mailbox, or a tree for a user."""

    target: Path

    def place(self, chosen: Chosen, *, single: bool) -> tuple[Path, bool]:
        root = self.target if single else self.target.joinpath(*chosen.base)
        return (root / to_disk(chosen.folder) if chosen.folder and not single else root), False

    def check(self, chosen: Chosen, place: Path) -> None:
        if place.exists() and not is_folder(place) and not (place == self._root(place, chosen) and _is_tree(place)):
            raise AlreadyExists(f"{place} is there already, and is no Maildir")

    def write(self, chosen: Chosen, place: Path, tick: Callable[[int], None]) -> tuple[int, int]:
        self.check(chosen, place)
        place.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        make_parts(place, _FOLDER_MODE)
        if place != self._root(place, chosen):
            (place / "maildirfolder").touch(_FILE_MODE)
            make_parts(place.parent, _FOLDER_MODE)
            self._subscribe(chosen, place)
        return _Writer(chosen.mailbox, place).write(tick)

    def _root(self, place: Path, chosen: Chosen) -> Path:
        return place.parent if chosen.folder and place.name == to_disk(chosen.folder) else place

    def _subscribe(self, chosen: Chosen, place: Path) -> None:
        """Those that the owner has subscribed to are subscribed there."""
        line = subscriptions.line_of(chosen.mailbox.name.path)
        with suppress(OSError):
            if line in subscriptions.subscribed(chosen.mailbox.tree.root):
                subscriptions.subscribe(place.parent, [chosen.folder], _FILE_MODE)


def _is_tree(place: Path) -> bool:
    """Whether a directory has nothing but folders in it, or nothing at all."""
    return place.is_dir() and all(entry.name.startswith(".") for entry in place.iterdir())


class _Writer:
    def __init__(self, mailbox: Mailbox, place: Path) -> None:
        self._mailbox = mailbox
        self._place = place
        self._keywords = Keywords(_FILE_MODE)
        self._pending: list[tuple[Path, Path]] = []

    def write(self, tick: Callable[[int], None]) -> tuple[int, int]:
        """TemporaryTrouble when somebody else is at it for long."""
        held = open_directory(self._place / "tmp")
        try:
            if not locked_within(held, fcntl.LOCK_EX, _PATIENCE):
                raise TemporaryTrouble(f"somebody else is putting messages into {self._place}: try again later")
            self._remove_unfinished()
            return self._write(tick)
        finally:
            os.close(held)

    def _remove_unfinished(self) -> None:
        """What those have left who were killed."""
        for path in (self._place / "tmp").glob(f"{_UNFINISHED}*"):
            path.unlink(missing_ok=True)

    def _write(self, tick: Callable[[int], None]) -> tuple[int, int]:
        there = self._there()
        count = gone = 0
        try:
            for row in snapshot(self._mailbox).rows:
                if unique_part(row.name) in there:
                    count += 1
                    continue
                message = opened(self._mailbox, row)
                if message is None:
                    gone += 1
                    continue
                tick(self._copy(row, *message))
                count += 1
            self._flush()
        finally:
            for temporary, _ in self._pending:
                temporary.unlink(missing_ok=True)
        return count, gone

    def _there(self) -> set[str]:
        found = set()
        for part in ("new", "cur"):
            found |= {unique_part(entry.name) for entry in os.scandir(self._place / part)}
        return found

    def _copy(self, row: Row, stream: BinaryIO, carried: Carried) -> int:
        letters = self._keywords.letters(self._place, carried.flags) if carried.flags else ""
        part = "new" if carried.new else "cur"
        base = row.name.partition(":")[0]
        temporary = self._place / "tmp" / f"{_UNFINISHED}{unique_name()}"
        size = 0
        with stream, temporary.open("xb") as file:
            os.fchmod(file.fileno(), _FILE_MODE)
            name = base if part == "new" else f"{base}:2,{letters}"
            self._pending.append((temporary, self._place / part / name))
            for piece in carried.content():
                file.write(piece)
                size += len(piece)
        when = int((carried.arrived or 0) * 10**9)
        os.utime(temporary, ns=(when, when))
        if len(self._pending) >= _BATCH:
            self._flush()
        return size

    def _flush(self) -> None:
        if not self._pending:
            return
        fd = os.open(self._place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_file_system(fd)
        finally:
            os.close(fd)
        while self._pending:
            temporary, file = self._pending[-1]
            temporary.rename(file)
            self._pending.pop()
        for part in ("cur", "new"):
            sync_directory(self._place / part)
