"""The disks: which of them takes a new mailbox, and whether they are there (semantics, section 5).

A partition is chosen where nobody names one and no mailbox above says it: `defaultpartition`, else by
`partition_select_mode`. Free space is what an ordinary program may still write. Of several that are equally fit the
first one in the configuration is chosen.

A disk that is not mounted must not look like one without users: their mail would be refused for good, and new folders
would be made on the disk below. So a partition that has been used leaves its name under `state/partitions`, and has
its directory `stage.` in it; with the one and without the other it is away, and whoever needs it is told to come again.
The same holds for the directory in which the homes of users lie (see mail_home), which is there when anything is in it.
Where these names are on the disk that is away, as when the whole data directory is a mount point, it is away all the
same to a process that has seen it, and to those that it has forked: `serve` has, from its beginning. To one that begins
then it is a new site.

Why usage is looked at anew for every choice unless `partition_select_usage_reinit` says otherwise: it costs one system
call for a new account. Cyrus looks once in the life of a process, and ours live for months.
"""

from __future__ import annotations

import logging
import os
import random
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError, TemporaryTrouble
from sievemda.store.files import is_directory, read_control_file, sync_directory, write_atomically

if TYPE_CHECKING:
    from sievemda.config import Settings

STAGE = "stage."
HOMES = ".homes"  # no partition can have that name
_SMOOTH = 0.5  # what freespace-percent-weighted-delta leaves to the fullest, in percent
_log = logging.getLogger(__name__)
_seen: set[tuple[str, str]] = set()  # names and places, in the life of this process; nothing is taken out of it


@dataclass(frozen=True, slots=True)
class Space:
    """What is free on a partition: octets, and in percent of what can be used."""

    free: int
    percent: float

    @classmethod
    def at(cls, path: Path) -> Space:
        """OSError when it cannot be found out. A directory that is still to be made has the space of the one above."""
        while not path.is_dir() and path != path.parent:
            path = path.parent
        found = os.statvfs(path)
        usable = found.f_blocks - found.f_bfree + found.f_bavail
        return cls(found.f_bavail * found.f_frsize, 100 * found.f_bavail / usable if usable else 0.0)


class Partitions:
    """Thread-safe: what is remembered is a hint, and may be found out twice."""

    def __init__(self, settings: Settings) -> None:
        self.paths = {name: Path(path).absolute() for name, path in settings.partitions.items()}
        self._options = settings.store
        self._selectable = settings.selectable_partitions
        self._marks = settings.data.absolute() / "state" / "partitions"
        self._mode = settings.store.message_mode
        self._marked: set[str] = set()
        for name, root in self.paths.items():
            self.look(name, root)
        self._spaces: dict[str, Space] = {}
        self._choices = 0

    @property
    def default(self) -> str:
        """The one that is looked at first, and that takes new mailboxes unless one is to be chosen."""
        return self._options.defaultpartition or next(iter(self._selectable), "default")

    def path(self, name: str) -> Path:
        """DataError for a name that none has."""
        if name not in self.paths:
            raise DataError(f"no partition {name!r} (there are {', '.join(sorted(self.paths))})")
        return self.paths[name]

    # -- choosing --------------------------------------------------------------------------------------------------

    def choose(self) -> str:
        """The partition for a mailbox that has none above it. TemporaryTrouble when none can be used."""
        if self._options.defaultpartition:
            return self._options.defaultpartition
        there = [name for name in self._selectable if not self._is_away(name, self.paths[name])]
        if self._options.partition_select_mode == "random":
            spaces = {name: Space(0, 0.0) for name in there}
        else:
            spaces = self._within_limit(self._looked_at(there))
        if not spaces:
            raise TemporaryTrouble("no partition can take a new mailbox now")
        return self._pick(spaces)

    def _pick(self, spaces: dict[str, Space]) -> str:
        names = list(spaces)
        match self._options.partition_select_mode:
            case "freespace-most":
                return max(names, key=lambda name: spaces[name].free)
            case "freespace-percent-most":
                return max(names, key=lambda name: spaces[name].percent)
            case "freespace-percent-weighted":
                weights = [spaces[name].percent for name in names]
            case "freespace-percent-weighted-delta":
                least = min(space.percent for space in spaces.values())
                weights = [spaces[name].percent - least + _SMOOTH for name in names]
            case _:
                weights = [1.0] * len(names)
        return random.choices(names, weights if any(weights) else None)[0]  # noqa: S311 - no secret

    def _looked_at(self, names: list[str]) -> dict[str, Space]:
        if self._choices and self._choices >= self._options.partition_select_usage_reinit:
            self._choices, self._spaces = 0, {}
        self._choices += 1
        known = self._spaces
        for name in names:
            if name not in known:
                try:
                    known[name] = Space.at(self.paths[name])
                except OSError as error:
                    _log.error("partition %s is not chosen: %s", name, error)
        return {name: known[name] for name in names if name in known}

    def _within_limit(self, spaces: dict[str, Space]) -> dict[str, Space]:
        limit = self._options.partition_select_soft_usage_limit
        roomy = {name: space for name, space in spaces.items() if 100 - space.percent <= limit}
        return roomy or spaces if limit else spaces

    # -- being there -----------------------------------------------------------------------------------------------

    def check_all(self, homes: Path | None = None) -> None:
        """TemporaryTrouble when what is not found may lie on a disk that is away."""
        for name, root in self.paths.items():
            self.check(name, root)
        if homes is not None:
            self.check(HOMES, homes)

    def check(self, name: str, root: Path) -> None:
        if self._is_away(name, root):
            raise TemporaryTrouble(
                f"partition {name} is away: mount it, or make {root / STAGE} if it is to begin anew"
                if name != HOMES
                else f"{root} is empty: mount the homes of the users, or make one"
            )

    def opened(self, name: str) -> None:
        """Note that a partition is in use from now on, its directory `stage.` having been made."""
        self._mark(name, self.paths[name])
        _seen.add((name, str(self.paths[name])))

    def look(self, name: str, root: Path) -> None:
        """Note whether it is there, for when it is not. Nothing is made for that."""
        with suppress(OSError):  # who needs it will hear of it
            if _is_seen(name, root):
                _seen.add((name, str(root)))

    def _is_away(self, name: str, root: Path) -> bool:
        """Used once, and not to be seen now. OSError when that cannot be told."""
        if _is_seen(name, root):
            self._mark(name, root)
            _seen.add((name, str(root)))
            return False
        return (name, str(root)) in _seen or self._remembered(name) == str(root)

    def _remembered(self, name: str) -> str | None:
        content = read_control_file(self._marks / name)
        return None if content is None else os.fsdecode(content).rstrip("\n")

    def _mark(self, name: str, root: Path) -> None:
        if name in self._marked:
            return
        with suppress(OSError):  # a program that may only read marks nothing
            if self._remembered(name) != str(root):
                if not self._marks.is_dir():
                    self._marks.mkdir(parents=True, exist_ok=True)
                    sync_directory(self._marks.parent)
                write_atomically(self._marks / name, os.fsencode(f"{root}\n"), self._mode)
        self._marked.add(name)


def _is_seen(name: str, root: Path) -> bool:
    if name != HOMES:
        return is_directory(root / STAGE)
    try:
        with os.scandir(root) as found:
            return next(found, None) is not None
    except FileNotFoundError:
        return False
