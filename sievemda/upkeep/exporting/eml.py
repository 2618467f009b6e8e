r"""Writing each message into a file of its own: `000001.eml`, in a directory for each folder.

The number is the UID. The time of the file is that of arrival. What a message file cannot say stands in a file `flags`
beside them: a line for each message that a reader has seen or knows of, its name, a tab, and its flags and keywords,
separated by blanks (`000001.eml<TAB>\Seen \Flagged work`). A message without a line is new. `import` reads it.

All of a directory is written and synced aside, in a hidden directory in it, and then renamed. A message that is there
already is not written again, so that a command that was interrupted is repeated, and what has come meanwhile is added.

Why `flags` comes first: of a directory that is not whole it is seen which messages are missing.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists
from sievemda.given import read_given
from sievemda.store.files import open_directory, sync_file_system
from sievemda.store.names import INBOX
from sievemda.upkeep.exporting.aside import directory_in
from sievemda.upkeep.exporting.snapshot import opened, snapshot
from sievemda.upkeep.importing.file_names import encoded

if TYPE_CHECKING:
    from sievemda.mail.carried import Carried
    from sievemda.store.mailbox import Mailbox
    from sievemda.upkeep.exporting.choice import Chosen

FLAGS = "flags"
_OURS = re.compile(rf"{FLAGS}|[0-9]{{6,}}\.eml")
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

    def check(self, chosen: Chosen, place: Path) -> None:  # noqa: ARG002
        if os.path.lexists(place) and not place.is_dir():
            raise AlreadyExists(f"{place} is there already, and is no directory")
        if place.is_dir() and any(not (entry.is_dir() or _OURS.fullmatch(entry.name)) for entry in place.iterdir()):
            raise AlreadyExists(f"{place} has files in it already: name a directory that is not there")

    def write(self, chosen: Chosen, place: Path, tick: Callable[[int], None]) -> tuple[int, int]:
        self.check(chosen, place)
        place.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        with directory_in(place, _FOLDER_MODE) as aside:
            told = _write(chosen.mailbox, place, aside, tick)
            directory = open_directory(place)
            try:
                sync_file_system(directory)
                for name in sorted(os.listdir(aside), key=lambda name: name != FLAGS):  # noqa: PTH208 - names are wanted
                    (aside / name).rename(place / name)
                os.fsync(directory)
            finally:
                os.close(directory)
        return told


def _write(mailbox: Mailbox, place: Path, aside: Path, tick: Callable[[int], None]) -> tuple[int, int]:
    written = gone = 0
    before = read_flags(place) or {}
    there = {entry.name for entry in os.scandir(place)}
    with (aside / FLAGS).open("w", encoding="utf-8") as flags:
        for row in snapshot(mailbox).rows:
            message = opened(mailbox, row)
            if message is None:
                gone += 1
                continue
            stream, carried = message
            name = f"{row.uid:06}.eml"
            with stream:
                tick(_check(carried, place / name) if name in there else _copy(carried, aside / name))
            if not carried.new:
                flags.write(f"{name}\t{' '.join(carried.flags)}\n")
            before.pop(name, None)
            written += 1
        for name, known in before.items():
            if name in there:  # it has been removed from the mailbox since
                flags.write(f"{name}\t{' '.join(known)}\n")
    return written, gone


def _copy(carried: Carried, file: Path) -> int:
    size = 0
    with file.open("xb") as target:
        os.fchmod(target.fileno(), 0o600)
        for piece in carried.content():
            target.write(piece)
            size += len(piece)
    when = int((carried.arrived or 0) * 10**9)
    os.utime(file, ns=(when, when))
    return size


def _check(carried: Carried, file: Path) -> int:
    """AlreadyExists when what is there is another message."""
    size = 0
    if stat.S_ISREG(file.lstat().st_mode):
        with file.open("rb") as there:
            for piece in carried.content():
                if there.read(len(piece)) != piece:
                    break
                size += len(piece)
            else:
                if not there.read(1):
                    return size
    raise AlreadyExists(f"{file} is another message: name a directory that is not there")
