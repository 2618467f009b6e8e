r"""Writing each message into a file of its own: `000001.eml`, in a directory for each folder.

The number is the UID. The time of the file is that of arrival. What a message file cannot say stands in a file `flags`
beside them: a line for each message that a reader has seen or knows of, its name, a tab, and its flags and keywords,
separated by blanks (`000001.eml<TAB>\Seen \Flagged work`). A message without a line is new. `import` reads it.

All of a directory is written and synced aside, in a hidden directory in it, and then renamed; `flags` last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists
from sievemda.given import read_given
from sievemda.store.files import open_directory, sync_file_system, unique_name
from sievemda.store.names import INBOX
from sievemda.upkeep.exporting.snapshot import opened, snapshot
from sievemda.upkeep.importing.file_names import encoded

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.upkeep.exporting.choice import Chosen

FLAGS = "flags"
_FOLDER_MODE = 0o700


def read_flags(directory: Path) -> dict[str, tuple[str, ...]] | None:
    """What the file says, by the names of messages; None when there is none. OSError."""
    try:
        content = read_given(directory / FLAGS)
    except FileNotFoundError:
        return None
    found = {}
    for line in content.decode("utf-8", "replace").split("\n"):
        name, tab, flags = line.partition("\t")
        if tab:
            found[name] = tuple(flags.split())
    return found


@dataclass(frozen=True, slots=True)
class AsEml:
    """One directory for each mailbox."""

    target: Path

    def place(self, chosen: Chosen, *, single: bool) -> tuple[Path, bool]:
        if single:
            return self.target, False
        parts = [encoded(part) for part in chosen.folder or (INBOX,)]
        path = self.target.joinpath(*(encoded(part) for part in chosen.base), *parts)
        return path, parts != list(chosen.folder or (INBOX,))

    def write(self, chosen: Chosen, place: Path, tick: Callable[[int], None]) -> tuple[int, int]:
        if place.is_dir() and any(not entry.is_dir() for entry in place.iterdir()):
            raise AlreadyExists(f"{place} has files in it already: name a directory that is not there")
        if os.path.lexists(place) and not place.is_dir():
            raise AlreadyExists(f"{place} is there already, and is no directory")
        place.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        aside = place / f".{unique_name()}.part"
        aside.mkdir(mode=_FOLDER_MODE)
        directory = open_directory(place)
        try:
            told = _write(chosen.mailbox, aside, tick)
            sync_file_system(directory)
            for name in sorted(os.listdir(aside), key=lambda name: name == FLAGS):  # noqa: PTH208 - names are wanted
                (aside / name).rename(place / name)
            os.fsync(directory)
        finally:
            os.close(directory)
            shutil.rmtree(aside, ignore_errors=True)
        return told


def _write(mailbox: Mailbox, directory: Path, tick: Callable[[int], None]) -> tuple[int, int]:
    written = gone = 0
    with (directory / FLAGS).open("w", encoding="utf-8") as flags:
        for row in snapshot(mailbox).rows:
            message = opened(mailbox, row)
            if message is None:
                gone += 1
                continue
            stream, carried = message
            name = f"{row.uid:06}.eml"
            size = 0
            with stream, (directory / name).open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                for piece in carried.content():
                    file.write(piece)
                    size += len(piece)
            when = int((carried.arrived or 0) * 10**9)
            os.utime(directory / name, ns=(when, when))
            if not carried.new:
                flags.write(f"{name}\t{' '.join(carried.flags)}\n")
            written += 1
            tick(size)
    return written, gone
