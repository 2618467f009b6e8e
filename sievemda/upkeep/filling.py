"""Putting many messages into one folder: quickly, durably, and none of them twice.

Messages are written into the folder's `tmp`, synced together, and then renamed into `cur` or `new`. What a crash leaves
is therefore whole messages in the folder, and files in `tmp` that nobody sees and that the next filling removes.

Why the folder itself says what has been put in: whoever was killed begins again from the start, and needs no notes
that could be wrong. A message whose octets the folder has already is skipped as often as the folder had it at the
beginning, so that two equal messages of the source stay two (see
`present`).

Why the lock is on `tmp`: the kernel frees it with the process that held it, no file is made for it, and it is not the
one of the quota, which is on the folder. Deliveries do not take it.

Why one sync of the file system for a batch: a thousand syncs of a file each wait for the disk.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sievemda.errors import SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.mail.carried import Carried, with_lf
from sievemda.policy.quota import Limits, OverQuota, Usage, exceeded
from sievemda.store.files import HOST, locked_within, sync_file_system
from sievemda.store.maildir import is_at, message_name
from sievemda.store.staging import BLOCK, open_part
from sievemda.upkeep.present import Present

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.names import MailboxName
    from sievemda.store.quota import QuotaRoot

PATIENCE = 600.0  # seconds that one who fills a folder waits for another
BATCH = 1000  # messages that are synced together at most
BATCH_OCTETS = 64 << 20  # the same
END_OF_TIME = 1 << 37  # seconds since 1970; no file system has more
_UNFINISHED = "filling."  # what files in `tmp` begin with
_FULL = (errno.ENOSPC, errno.EDQUOT)
_instances = itertools.count()
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Pending:
    """A message in `tmp`: where it goes, and how many octets it has."""

    part: str
    name: str
    size: int


class Filling:
    """One folder while it is filled: a context manager. What was added is durable when it ends, also by an error.

    TemporaryTrouble when somebody else is filling the folder, or it has gone from its place; OSError when it cannot be
    opened. `again`: what the folder has already is put in once more. `missed` is told of a folder that has moved away
    in the meantime (see `leftovers.missed`). `before` is told the names of the messages that are about to be put in
    place; when it raises OSError they are not.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        again: bool = False,
        ignore_quota: bool = False,
        patience: float = PATIENCE,
        missed: Callable[[MailboxName], None] | None = None,
        before: Callable[[list[str]], None] | None = None,
    ) -> None:
        self.mailbox = mailbox
        self.added = 0
        self.skipped = 0
        self.octets = 0  # of what was added
        self.lost: Counter[str] = Counter()  # keywords for which the folder has no room, or that can be none
        self._again = again
        self._patience = patience
        self._missed = missed
        self._before = before
        self._root: QuotaRoot | None = None if ignore_quota else mailbox.quota_root()
        self._counted = mailbox.quota_root()
        self._room: tuple[Limits, Usage] | None = None
        self._fds: dict[str, int] = {}
        self._pending: list[_Pending] = []
        self._pending_octets = 0
        self._letters: dict[tuple[str, ...], str] = {}
        self._began = time.time_ns() // 1000
        self._last = 0
        self._instance = next(_instances)

    def __enter__(self) -> Self:
        try:
            for part in ("tmp", "cur", "new"):
                self._fds[part] = open_part(self.mailbox, part)
            if not locked_within(self._fds["tmp"], fcntl.LOCK_EX, self._patience):
                raise TemporaryTrouble(f"somebody else is putting messages into {self.mailbox.path}: try again later")
            self._remove_unfinished()
            self._there = Present(() if self._again else (self._fds["cur"], self._fds["new"]))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.flush()
            else:
                with suppress(OSError, SievemdaError):  # the first error is the one to tell
                    self.flush()
        finally:
            self._discard()
            self._close()

    def add(self, carried: Carried, place: int | None = None) -> Path | None:
        """The file that the message has when the batch is in place; None: the folder has the message already.

        `place`: its number in the order that readers are to see, when messages come in another one.

        StoreTrouble when the disk is full or fails, OverQuota when there is no room for it: what came before it is in
        the folder then. OSError when the message itself cannot be read.
        """
        data, size, lines, digest = self._looked_at(carried)
        if self._there.take(size, digest):
            self.skipped += 1
            return None
        self._claim(size, carried)
        letters = self._letters_for(carried.flags)
        part, name = message_name(self._unique(place), size, size + lines, letters)
        if not letters and not carried.new:
            part, name = "cur", f"{name}:2,"
        self._write(name, with_lf(carried.content()) if data is None else (data,), carried, size)
        self._pending.append(_Pending(part, name, size))
        self._pending_octets += size
        if len(self._pending) >= BATCH or self._pending_octets >= BATCH_OCTETS:
            self.flush()
        return self.mailbox.path / part / name

    def flush(self) -> None:
        """Put what was added into its place, durably. StoreTrouble, TemporaryTrouble."""
        if not self._pending:
            return
        batch, self._pending, self._pending_octets, self._room = self._pending, [], 0, None
        try:
            if self._before:
                self._before([each.name for each in batch])
            sync_file_system(self._fds["tmp"])
            self._put(batch)
        except OSError as error:
            for each in batch:
                with suppress(OSError):
                    os.unlink(_UNFINISHED + each.name, dir_fd=self._fds["tmp"])
            raise self._trouble(error, "") from error
        self.added += len(batch)
        self.octets += sum(each.size for each in batch)
        if not is_at(self._fds["cur"], f"{self.mailbox.path}/cur"):
            if self._missed:
                self._missed(self.mailbox.name)
            raise TemporaryTrouble(f"{self.mailbox.path} was moved or deleted meanwhile: begin again")

    # -- looking -----------------------------------------------------------------------------------------------------

    def _looked_at(self, carried: Carried) -> tuple[bytes | None, int, int, bytes]:
        """The content if it is small, its size, its number of lines, and its digest if that matters."""
        kept: list[bytes] | None = []
        size = lines = 0
        digest = hashlib.sha256()
        for piece in with_lf(carried.content()):
            size += len(piece)
            lines += piece.count(b"\n")
            if self._there.counts:
                digest.update(piece)
            if kept is not None and size <= BLOCK:
                kept.append(piece)
            else:
                kept = None
        return (None if kept is None else b"".join(kept)), size, lines, digest.digest()

    def _letters_for(self, flags: tuple[str, ...]) -> str:
        if not flags:
            return ""
        if flags not in self._letters:
            wanted = tuple(flag for flag in flags if flag not in self.lost)
            keywords = self.mailbox.store.keywords
            letters = keywords.letters(self.mailbox.path, wanted, told=False) if wanted else ""
            file = self.mailbox.path / "cur" / f"x:2,{letters}"
            self._letters[flags] = letters
            self.lost.update(dict.fromkeys(keywords.lost(file, wanted), 0))
        if self.lost:
            self.lost.update(flag for flag in flags if flag in self.lost)
        return self._letters[flags]

    def _claim(self, size: int, carried: Carried) -> None:
        """See that the quota has room for one message more."""
        if self._root is None:
            return
        delta = Usage(self._pending_octets + size, len(self._pending) + 1)
        if self._room is None:
            self._root.would_accept()  # has it counted where it must be
            limits, usage = self._root.limits_and_usage()
            self._room = Limits(storage=limits.storage, messages=limits.messages), usage
        if not exceeded(*self._room, delta):
            return
        self.flush()
        if not self._root.would_accept(size, 1):
            raise OverQuota(
                f"{carried.where}: {self.mailbox.path} has no room for it by its quota;"
                f" {self.added} messages are in place: begin again when there is room, or with --ignore-quota"
            )

    # -- writing -----------------------------------------------------------------------------------------------------

    def _unique(self, place: int | None) -> str:
        """Unique like all names of messages, and in the order of adding or of places, which becomes that of UIDs."""
        if place is None:
            at = self._last = max(time.time_ns() // 1000, self._last + 1)
        else:
            at = self._began + place
        second, micro = divmod(at, 10**6)
        letter = "F" if place is None else "G"
        return f"{second}.M{micro:06}P{os.getpid()}{letter}{self._instance}.{HOST}"

    def _write(self, name: str, pieces: Iterable[bytes], carried: Carried, size: int) -> None:
        temporary, written = _UNFINISHED + name, 0
        mode = self.mailbox.store.message_mode
        try:
            fd = os.open(temporary, _WRITING, mode, dir_fd=self._fds["tmp"])
            try:
                with open(fd, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor
                    for piece in pieces:
                        written += _write_all(file.fileno(), piece)
                    if carried.arrived is not None and 0 <= carried.arrived < END_OF_TIME:
                        second, part = divmod(carried.arrived, 1)  # apart, lest digits get lost
                        when = int(second) * 10**9 + round(part * 10**9)
                        os.utime(file.fileno(), ns=(when, when))
                if written != size:
                    raise OSError(errno.EIO, "changed while it was read")
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=self._fds["tmp"])
                raise
        except OSError as error:
            self.flush()
            raise self._trouble(error, carried.where) from error

    def _put(self, batch: list[_Pending]) -> None:
        """Rename what is synced, and have the quota know of it; count it when that fails half-way, for some came."""
        octets = sum(each.size for each in batch)
        if self._counted is None:
            self._rename(batch)
            return
        try:
            with self._counted.recording(octets, len(batch)):
                self._rename(batch)
        except OSError:
            with suppress(OSError):
                self._counted.changed()
            raise

    def _rename(self, batch: list[_Pending]) -> None:
        for each in batch:
            os.rename(_UNFINISHED + each.name, each.name, src_dir_fd=self._fds["tmp"], dst_dir_fd=self._fds[each.part])
        for part in {each.part for each in batch}:
            os.fsync(self._fds[part])

    def _trouble(self, error: OSError, where: str) -> StoreTrouble:
        about = f"{where}: " if where else ""
        text = f"{about}{self.mailbox.path}: {error.strerror or error}"
        if error.errno in _FULL:
            return StoreTrouble(f"{text}; {self.added} messages are in place: make room and begin again for the others")
        return StoreTrouble(text)

    # -- leaving -----------------------------------------------------------------------------------------------------

    def _remove_unfinished(self) -> None:
        """What those have left who were killed: nobody else is at it now."""
        with os.scandir(self._fds["tmp"]) as found:
            names = [entry.name for entry in found if entry.name.startswith(_UNFINISHED)]
        for name in names:
            with suppress(OSError):
                os.unlink(name, dir_fd=self._fds["tmp"])

    def _discard(self) -> None:
        for each in self._pending:
            with suppress(OSError):
                os.unlink(_UNFINISHED + each.name, dir_fd=self._fds["tmp"])
        self._pending = []

    def _close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}


def _write_all(fd: int, piece: bytes) -> int:
    done = 0
    while done < len(piece):
        done += os.write(fd, memoryview(piece)[done:])
    return done
