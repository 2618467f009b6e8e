"""What is in a folder at this moment, though readers are at work in it, and each of these messages opened once.

A message is known by the unique part of its name. Readers rename it: from `new` to `cur`, and with every flag. While a
directory is read, what is renamed in it may be missed. So it is read again until nothing has changed in between, and
what was found in any round counts.

Why directories are held open: the owner of a folder may put a link in its place; what lies where that leads is not his.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sievemda.store.maildir import SYSTEM_FLAGS, is_at, size_of
from sievemda.store.messages import unique_part
from sievemda.store.pinned import open_pinned

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_PARTS = ("new", "cur")  # in the order in which a message goes through them
_ROUNDS = 12  # looks at a folder in which something always changes
_TICK = 0.02  # seconds in which a directory may change twice and have the same time
_SEARCHES = 40  # how often messages are looked for that somebody renames all the time
_NAMES = {letter: "\\" + flag[1:].capitalize() for flag, letter in SYSTEM_FLAGS.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """A message where it was last seen."""

    unique: str
    part: str
    name: str


class Scan:
    """A folder and the messages in it when it was looked at; a context manager. OSError: it cannot be read."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.found: dict[str, Found] = {}
        self._fds: dict[str, int] = {}
        self._flags: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        try:
            folder = open_pinned(str(self.mailbox.path))
            try:
                for part in _PARTS:
                    with suppress(FileNotFoundError):
                        self._fds[part] = os.open(
                            part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder
                        )
            finally:
                os.close(folder)
            self.found = self._settled()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}

    def has_left(self) -> bool:
        """Whether its directories are not in their place any more."""
        return any(not is_at(fd, f"{self.mailbox.path}/{part}") for part, fd in self._fds.items())

    def flags(self, found: Found) -> tuple[str, ...]:
        """System flags, then keywords."""
        letters = found.name.partition(":2,")[2]
        if letters not in self._flags:
            system = tuple(_NAMES[letter] for letter in letters if letter in _NAMES)
            self._flags[letters] = system + self.mailbox.store.keywords.names(self.mailbox.path, letters)
        return self._flags[letters]

    def size(self, found: Found) -> int | None:
        """Octets, from its name if that has them; None when it is gone."""
        return size_of(found.name, f"/proc/self/fd/{self._fds[found.part]}/{found.name}")

    def arrived(self, found: Found) -> float | None:
        """Seconds since 1970; None when it is gone from where it was."""
        with suppress(FileNotFoundError):
            return os.stat(found.name, dir_fd=self._fds[found.part], follow_symlinks=False).st_mtime
        now = self._listed().get(found.unique)
        with suppress(FileNotFoundError):
            if now is not None:
                return os.stat(now.name, dir_fd=self._fds[now.part], follow_symlinks=False).st_mtime
        return None

    def opened(self, wanted: list[Found]) -> Iterator[tuple[Found, int | OSError | None]]:
        """Each with a descriptor, which whoever takes it closes; with an error; or with None: somebody has removed it.

        What was renamed in the meantime comes later, as it is called then.
        """
        for _ in range(_SEARCHES):
            missed = []
            for found in wanted:
                try:
                    fd = self._open(found)
                except FileNotFoundError:
                    missed.append(found)
                except OSError as error:
                    yield found, error
                else:
                    yield found, fd
            if not missed:
                return
            now = self._settled()
            yield from ((found, None) for found in missed if found.unique not in now)
            wanted = [now[found.unique] for found in missed if found.unique in now]
        yield from ((found, OSError(f"{found.name} is renamed all the time")) for found in wanted)

    def _open(self, found: Found) -> int:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(found.name, flags, dir_fd=self._fds[found.part])

    def _settled(self) -> dict[str, Found]:
        self._flags = {}
        found: dict[str, Found] = {}
        for _ in range(_ROUNDS):
            started, before = time.time(), self._stamps()
            found |= self._listed()
            if before == self._stamps() and all(abs(started - stamp) > _TICK for stamp in before):
                break
            time.sleep(_TICK)
        return found

    def _stamps(self) -> list[float]:
        return [os.fstat(fd).st_mtime for fd in self._fds.values()]

    def _listed(self) -> dict[str, Found]:
        found = {}
        for part, fd in self._fds.items():
            with os.scandir(fd) as entries:
                for entry in entries:
                    if entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                        unique = unique_part(entry.name)
                        found[unique] = Found(unique, part, entry.name)
        return found


def is_message(fd: int) -> os.stat_result | None:
    """What an open file is; None when it is no regular one."""
    found = os.fstat(fd)
    return found if stat.S_ISREG(found.st_mode) else None
