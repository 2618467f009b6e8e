"""Taking many messages out of an open folder: withdrawn, so that they can be brought back, or for good.

    1  link each into the area of withdrawn messages (see `withdrawn`), and write its entry
    2  sync them all
    3  take each out of its folder

Stop before 3, and the messages are in their folder and perhaps withdrawn as well; stop in it, and each is in one of the
two at least. One that a run before has put away and not taken out is known by its inode, and put away once. One that a
reader renames in between is found again, and goes only if it still is to go: he may just have flagged it.

Why one sync for many: a sync of each file and its entry would make a hundred thousand messages take minutes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sievemda.store.files import sync_file_system, unique_name
from sievemda.store.opened import Entry, OpenFolder
from sievemda.store.staging import write_staged
from sievemda.store.withdrawn import Withdrawn, drop, open_area, read_entry, write_entry

BATCH = 500  # messages that are taken out together at most
_WHY = "expire"
_NEEDS_COPY = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP)
_FOR_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

Still = Callable[[Entry], bool]


@dataclass(slots=True)
class Removed:
    """What was taken out, and what stopped it."""

    messages: int = 0
    octets: int = 0
    error: OSError | None = None


def remove(folder: OpenFolder, victims: Sequence[Entry], still: Still, *, name: str, keep: bool) -> Removed:
    """Take messages out; `still` says whether one is to go that was renamed, `name` is the folder's for people.

    To `keep` them means that they can be brought back. What stands in the way of one does not keep the others, but for
    a disk that is full or cannot be written to.
    """
    done = Removed()
    if not keep:
        for victim in victims:
            try:
                _take(folder, victim, still, done)
            except OSError as error:
                if _stops(done, error):
                    break
        return done
    try:
        directory = open_area(folder.mailbox)
    except OSError as error:
        done.error = error
        return done
    try:
        _withdraw(folder, victims, still, done, name, directory)
    finally:
        os.close(directory)
    return done


def _withdraw(
    folder: OpenFolder, victims: Sequence[Entry], still: Still, done: Removed, name: str, directory: int
) -> None:
    kept: list[tuple[Entry, str]] = []
    earlier = _Earlier(directory, name)
    for victim in victims:
        try:
            found = _put(folder, victim, still, name, earlier)
        except OSError as error:
            if _stops(done, error):
                break
        else:
            kept += [found] if found else []
    if kept:
        _take_all(folder, kept, still, done, directory)


def _take_all(folder: OpenFolder, kept: list[tuple[Entry, str]], still: Still, done: Removed, directory: int) -> None:
    """Take out of the folder what has been put away; what stays in it is not put away."""
    left = dict.fromkeys(identity for _, identity in kept)
    try:
        sync_file_system(directory)
        for entry, identity in kept:
            if _take(folder, entry, still, done):
                del left[identity]
    except OSError as error:
        done.error = error
    for identity in left:
        drop(directory, identity)


def _stops(done: Removed, error: OSError) -> bool:
    """Note what went wrong; whether it will go wrong with all others, too."""
    done.error = done.error or error
    return error.errno in _FOR_ALL


class _Earlier:
    """What a run that was killed has put away of a mailbox, by inode: it is in the folder, too."""

    def __init__(self, directory: int, name: str) -> None:
        self.directory = directory
        self._name = name

    def find(self, entry: Entry) -> str:
        """The identifier of a message that has been put away already; empty when it has not."""
        if entry.status.st_nlink < 2:
            return ""
        known = entry.folder.put_away
        if known is None:  # once, before this run has put away anything that has two names
            with os.scandir(self.directory) as found:
                known = entry.folder.put_away = {each.inode(): each.name for each in found}
        identity = known.pop(entry.status.st_ino, "")
        about = read_entry(self.directory, identity) if identity else None
        return identity if about is not None and (about.mailbox, about.why) == (self._name, _WHY) else ""


def _put(folder: OpenFolder, victim: Entry, still: Still, name: str, earlier: _Earlier) -> tuple[Entry, str] | None:
    """The message as it is called now, and what it is as a withdrawn one; None when it is not to go any more."""
    entry: Entry | None = victim
    while entry is not None:
        try:
            if identity := earlier.find(entry):
                return entry, identity
            about = _about(entry, name)
            _link(folder, entry, earlier.directory, about.id)
        except FileNotFoundError:
            entry = folder.again(entry)
            if entry is not None and not _is_still(still, entry):
                return None
        else:
            write_entry(folder.mailbox, earlier.directory, about)
            return entry, about.id
    return None


def _link(folder: OpenFolder, entry: Entry, directory: int, identity: str) -> None:
    try:
        os.link(entry.name, identity, src_dir_fd=entry.fd, dst_dir_fd=directory, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NEEDS_COPY:
            raise
        unfinished = unique_name()
        write_staged(unfinished, entry.blocks(), folder.mailbox.store.message_mode, dir_fd=directory)
        came = entry.status.st_mtime_ns
        os.utime(unfinished, ns=(came, came), dir_fd=directory)
        os.rename(unfinished, identity, src_dir_fd=directory, dst_dir_fd=directory)


def _about(entry: Entry, name: str) -> Withdrawn:
    header = entry.header
    texts = {field: next(iter(header.values(field)), "") for field in ("message-id", "return-path", "to", "subject")}
    flags: tuple[str, ...] = ()
    with suppress(OSError):  # damaged keywords keep no message
        flags = entry.flags
    return Withdrawn.now(
        name,
        _WHY,
        message_id=texts["message-id"],
        sender=texts["return-path"].strip("<> "),
        to=texts["to"],
        subject=texts["subject"],
        flags=flags,
        size=entry.size,
    )


def _take(folder: OpenFolder, entry: Entry, still: Still, done: Removed) -> bool:
    """Whether the message is out of its folder, by this."""
    found: Entry | None = entry
    while found is not None:
        try:
            size = found.size
            os.unlink(found.name, dir_fd=found.fd)
        except FileNotFoundError:
            found = folder.again(found)
            if found is not None and not _is_still(still, found):
                return False
        else:
            done.messages += 1
            done.octets += size
            return True
    return False


def _is_still(still: Still, entry: Entry) -> bool:
    try:
        return still(entry)
    except FileNotFoundError:  # renamed once more: the next run finds it
        return False
