"""Taking many messages out of an open folder: so that they can be brought back (see `gathered`), or for good.

One that a reader renames in between is found again, and goes only if it still is to go: he may just have flagged it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sievemda.store.gathered import Gathering
from sievemda.store.maildir import show_removal
from sievemda.store.opened import Entry, OpenFolder

BATCH = 500  # messages that are taken out together at most
_WHY = "expire"
_FOR_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

Still = Callable[[Entry], bool]


@dataclass(slots=True)
class Removed:
    """What was taken out, and what stopped it."""

    messages: int = 0
    octets: int = 0
    error: OSError | None = None

    def add(self, octets: int) -> None:
        self.messages += 1
        self.octets += octets


def remove(folder: OpenFolder, victims: Sequence[Entry], still: Still, *, name: str, keep: bool) -> Removed:
    """Take messages out; `still` says whether one is to go that was renamed, `name` is the folder's for people.

    To `keep` them means that they can be brought back. What stands in the way of one does not keep the others, but for
    a disk that is full or cannot be written to.
    """
    done = Removed()
    try:
        gathering = _gathering(folder, name) if keep else None
    except OSError as error:
        done.error = error
        return done
    take = _unlink if gathering is None else gathering.take
    for victim in victims:
        try:
            _take(folder, victim, still, take, done)
        except OSError as error:
            done.error = done.error or error
            if error.errno in _FOR_ALL:
                break
    if gathering is not None:
        try:
            for entry in gathering.leave():
                done.add(entry.size)
        except OSError as error:
            done.error = done.error or error
    if "cur" in folder.parts and any(victim.part == "new" for victim in victims):
        show_removal(folder.parts["cur"])
    return done


def _gathering(folder: OpenFolder, name: str) -> Gathering:
    """What the folder's messages go to: the same for all, as long as the letters of their names mean the same."""
    if folder.gathering is not None and folder.gathering.keywords != folder.mailbox.store.keywords.known(
        folder.mailbox.path
    ):
        folder.gathering.close()
        folder.gathering = None
    if folder.gathering is None:
        folder.gathering = Gathering(folder, name, _WHY)
    return folder.gathering


def _unlink(entry: Entry) -> bool:
    os.unlink(entry.name, dir_fd=entry.fd)
    return True


def _take(folder: OpenFolder, entry: Entry, still: Still, take: Callable[[Entry], bool], done: Removed) -> None:
    found: Entry | None = entry
    while found is not None:
        try:
            size = found.size
            if take(found):
                done.add(size)
        except FileNotFoundError:
            found = folder.again(found)
            if found is not None and not _is_still(still, found):
                return
        else:
            return


def _is_still(still: Still, entry: Entry) -> bool:
    try:
        return still(entry)
    except FileNotFoundError:  # renamed once more: the next run finds it
        return False
