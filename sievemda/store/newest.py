"""The newest messages of some folders, beside readers and deliveries, without changing anything.

The time of arrival is that of the file, which is what an IMAP server shows as INTERNALDATE. All names are looked
through, and only as many are held as are wanted: memory does not grow with the mailbox. A message that a reader renames
in its folder is found again by the unique part of its name; one that has gone is gone.

Why no lock: nothing is taken out, and who takes something out must not wait for who looks on.
"""

from __future__ import annotations

import errno
import heapq
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sievemda.store.messages import locate, unique_part
from sievemda.store.opened import open_message
from sievemda.store.pinned import open_pinned

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_log = logging.getLogger(__name__)
_PARTS = ("new", "cur")
_DRAFT = "D"  # the letter of the flag \Draft in the name of a file
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OFTEN = 500  # files between two questions whether to go on


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """One message as it lay there; compared by its time of arrival, in seconds since 1970."""

    arrived: float
    name: str
    mailbox: Mailbox = field(compare=False)
    part: str = field(compare=False)

    def read(self, most: int) -> bytes:
        """The whole message. FileNotFoundError when it has gone; EFBIG when it has more than so many octets."""
        try:
            return self._read(self.part, self.name, most)
        except FileNotFoundError:
            file = locate(self.mailbox, unique_part(self.name))
            if file is None:
                raise
            return self._read(file.parent.name, file.name, most)

    def _read(self, part: str, name: str, most: int) -> bytes:
        directory = _open(self.mailbox, part)
        try:
            fd = open_message(name, directory)
        finally:
            os.close(directory)
        with os.fdopen(fd, "rb") as file:
            if os.fstat(fd).st_size > most or len(data := file.read(most + 1)) > most:
                raise OSError(errno.EFBIG, f"it has more than {most} octets", name)
        return data


def newest(
    mailboxes: Iterable[Mailbox], most: int, since: float = 0.0, go_on: Callable[[], bool] = lambda: True
) -> list[Found]:
    """The newest first, drafts left out; none that came before `since`. A folder that cannot be read has none.

    As soon as `go_on` says no, it is what was found so far.
    """
    best: list[Found] = []
    for number, found in enumerate(_all(mailboxes)):
        if found.arrived < since:
            pass
        elif len(best) < most:
            heapq.heappush(best, found)
        elif best[0] < found:
            heapq.heapreplace(best, found)
        if number % _OFTEN == 0 and not go_on():
            break
    seen = {(found.mailbox.path, unique_part(found.name)): found for found in best}  # it may leave `new` meanwhile
    return sorted(seen.values(), reverse=True)


def _open(mailbox: Mailbox, part: str) -> int:
    folder = open_pinned(str(mailbox.path))
    try:
        return os.open(part, _DIRECTORY, dir_fd=folder)
    finally:
        os.close(folder)


def _all(mailboxes: Iterable[Mailbox]) -> Iterator[Found]:
    for mailbox in mailboxes:
        for part in _PARTS:
            try:
                yield from _listed(mailbox, part)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    _log.warning("%s: cannot be read: %s", mailbox.path / part, error.strerror)


def _listed(mailbox: Mailbox, part: str) -> Iterator[Found]:
    directory = _open(mailbox, part)
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name[0] == "." or _DRAFT in entry.name.partition(":2,")[2]:
                    continue
                with suppress(FileNotFoundError):  # read, moved or removed meanwhile
                    if entry.is_file(follow_symlinks=False):
                        arrived = entry.stat(follow_symlinks=False).st_mtime
                        yield Found(arrived, entry.name, mailbox, part)
    finally:
        os.close(directory)
