"""Quota roots on disk: `maildirsize` of Maildir++ (README.maildirquota), at the folder that is the root.

The first line holds the limits (`10240000S,50C`), each further line octets and messages that came or went. Programs
append a line per delivery; who finds the file missing, damaged, 5120 octets long or over its limit counts the messages
and writes it anew. Limits stand in the folder's record too: some the format cannot say (0, folders, annotations), and
other programs remove the file when they want it counted.

A folder is a root when it has one or the other. The nearest root at or above a folder is the one that counts, and takes
its whole subtree out of an outer root.

Why a lock where Maildir++ has none: a message that arrives while another process counts would be counted twice or not
at all. Deliveries hold a shared lock on the root's directory from the link to the line, a count holds it alone. IMAP
servers know nothing of it; against them the time stamps of the folders are compared as Maildir++ asks for.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sievemda.policy.quota import Limits, Usage, exceeded
from sievemda.store.files import write_atomically
from sievemda.store.layout import Tree
from sievemda.store.maildir import contents, is_folder, stamps
from sievemda.store.names import MailboxName
from sievemda.store.record import Records

FILE_NAME = "maildirsize"
MAX_SIZE = 5120  # octets of the file at which it is counted anew; README.maildirquota
_ATTEMPTS = 5
_LIMIT = re.compile(rb"\d{1,18}[A-Z]")
_FIELDS = ("storage", "messages", "mailboxes", "annotation")
_NO_LIMITS = Limits()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What the file says; None where it says nothing, or nothing that can be trusted."""

    limits: Limits | None = None
    usage: Usage | None = None
    counted: int = 0  # when the messages were counted, if nothing has come or gone since; nanoseconds since 1970

    def settled(self, stamps: list[int]) -> bool:
        """Whether it has been counted since the folders changed."""
        return self.counted > 0 and all(stamp < self.counted for stamp in stamps)


def _read(folder: Path) -> _Sizes:
    try:
        fd = os.open(f"{folder}/{FILE_NAME}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # a symbolic link is replaced by a file of ours
            raise
        return _Sizes()
    try:
        content = os.read(fd, MAX_SIZE)
        written = os.fstat(fd).st_mtime_ns
    finally:
        os.close(fd)
    first, *lines = content.split(b"\n")
    limits = _parse_limits(first)
    whole = lines and len(content) < MAX_SIZE and not lines[-1]
    return _Sizes(limits, _parse_usage(lines[:-1]) if whole else None, written if len(lines) == 2 else 0)


def _parse_limits(line: bytes) -> Limits | None:
    """None when no limit can be read from it. Zero says nothing: other programs write it for `no limit`."""
    found = {part[-1:]: int(part[:-1]) for part in line.split(b",") if _LIMIT.fullmatch(part)}
    if not any(found.get(letter) for letter in (b"S", b"C")):
        return None
    return Limits(storage=found.get(b"S") or None, messages=found.get(b"C") or None)


def _parse_usage(lines: list[bytes]) -> Usage | None:
    try:
        pairs = [(int(size), int(count)) for size, count in map(bytes.split, lines)]
    except ValueError:
        return None
    storage, messages = sum(size for size, _ in pairs), sum(count for _, count in pairs)
    return Usage(storage, messages) if pairs and storage >= 0 and messages >= 0 else None


def is_root(folder: Path, records: Records) -> bool:
    there = os.path.lexists(f"{folder}/{FILE_NAME}")
    return there or records.get(folder).limits is not None


@dataclass(frozen=True)
class QuotaRoot:
    """A folder that limits what lies at and below it."""

    name: MailboxName
    path: Path
    tree: Tree
    records: Records
    mode: int

    def limits(self) -> Limits:
        return self._with_record(_read(self.path))

    def _with_record(self, sizes: _Sizes) -> Limits:
        """The file's limits go first: whoever changed them there meant it. A limit of 0 it cannot say, and a file
        without a limit is what a program writes that finds none.
        """
        ours = self.records.get(self.path).limits or {}
        if sizes.limits is None:
            return Limits(**{field: ours.get(field) for field in _FIELDS})
        return Limits(
            storage=0 if sizes.limits.storage is None and ours.get("storage") == 0 else sizes.limits.storage,
            messages=0 if sizes.limits.messages is None and ours.get("messages") == 0 else sizes.limits.messages,
            mailboxes=ours.get("mailboxes"),
            annotation=ours.get("annotation"),
        )

    def usage(self, *, fresh: bool = False) -> Usage:
        """Octets and messages at and below the root; counted, folders too, when `fresh` or the file does not know."""
        sizes = _read(self.path)
        return self.recount() if fresh or sizes.usage is None else sizes.usage

    def would_accept(self, size: int = 0, messages: int = 0) -> bool:
        """Whether `size` octets in so many messages may come (nothing given: the soft rule of a delivery).

        What the file says is enough to accept. Before it refuses, the messages are counted: an IMAP server that keeps
        no quota may have removed some. They are not when they were counted last and no folder has changed since, lest
        mail to a full account cost the more the fuller it is.
        """
        sizes = _read(self.path)
        limits, delta = self._with_record(sizes), Usage(size, messages)
        limits = replace(limits, mailboxes=None)
        if sizes.usage is not None and not exceeded(limits, sizes.usage, delta):
            return True
        if limits == _NO_LIMITS:
            return True
        if sizes.settled(stamps(self.folders())):
            return False
        return not exceeded(limits, self.recount(), delta)

    def mailboxes(self) -> int:
        """The number of folders at and below the root."""
        return sum(1 for _ in self.folders())

    def folders(self) -> Iterator[Path]:
        """The folders whose nearest root this is."""
        found = {path for path in self.tree.folders() if path[: len(self.name.path)] == self.name.path}
        outer = len(self.name.path)
        inner = {path for path in found if len(path) > outer and is_root(self.tree.folder(path), self.records)}
        for path in found:
            if not any(path[:length] in inner for length in range(outer + 1, len(path) + 1)):
                folder = self.tree.folder(path)
                if is_folder(folder):
                    yield folder

    def recount(self) -> Usage:
        """Count the messages and write the file anew, so that no delivery of ours is missed or counted twice."""
        with self._locked(fcntl.LOCK_EX):
            return self._recount()

    def _recount(self) -> Usage:
        sizes = _read(self.path)
        limits = self._with_record(sizes)
        for _ in range(_ATTEMPTS):
            folders = list(self.folders())
            before = stamps(folders)
            total = count = 0
            for folder in folders:
                size, number = contents(folder)
                total, count = total + size, count + number
            if sizes.usage != Usage(total, count) or not sizes.settled(before):
                self._write(limits, f"{total} {count}\n")
                sizes = _read(self.path)
            if before == stamps(folders):
                break
        else:
            self._write(limits, "")  # somebody else is busy here: whoever asks next counts again
        return Usage(total, count, len(folders))

    def _write(self, limits: Limits, lines: str) -> None:
        """The file stands only where it limits something; what another program keeps without a limit is left to it."""
        if limits.storage is None and limits.messages is None:
            return
        parts = ((limits.storage, "S"), (limits.messages, "C"))
        first = ",".join(f"{limit}{letter}" for limit, letter in parts if limit is not None)
        write_atomically(self.path / FILE_NAME, f"{first}\n{lines}".encode(), self.mode)

    @contextmanager
    def recording(self, size: int) -> Iterator[None]:
        """Around the arrival of one message: add its line when it has arrived, counted or not counted as one."""
        with self._locked(fcntl.LOCK_SH):
            yield
            try:
                fd = os.open(f"{self.path}/{FILE_NAME}", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return
            except OSError as error:  # the message has arrived: nothing here may make that a failure
                self._not_added(error)
                return
            try:
                os.write(fd, b"%d 1\n" % size)
            except OSError as error:
                self._not_added(error)
            finally:
                os.close(fd)

    def _not_added(self, error: OSError) -> None:
        _log.error("%s: a delivery could not be added: %s", self.path / FILE_NAME, error)

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # a file system without locks: the time stamps must do
                fcntl.flock(fd, how)
            yield
        finally:
            os.close(fd)

    def set_limits(self, limits: Limits) -> None:
        """Replace all limits; the folder becomes a root when it is none. The usage is counted."""
        with self._locked(fcntl.LOCK_EX):
            kept = {field: value for field in _FIELDS if (value := getattr(limits, field)) is not None}
            self.records.change(self.path, limits=kept)
            if limits.storage is None and limits.messages is None:
                (self.path / FILE_NAME).unlink(missing_ok=True)
            self._write(limits, "")
            self._recount()
        self._recount_outer()

    def _recount_outer(self) -> None:
        """The root above has lost or got what is counted here."""
        above = self.name.parent
        outer = above and nearest_root(above, self.tree, self.records, self.mode)
        if outer:
            outer.recount()

    def remove(self) -> None:
        """The folder is no root any longer."""
        with self._locked(fcntl.LOCK_EX):
            self.records.change(self.path, limits=None)
            (self.path / FILE_NAME).unlink(missing_ok=True)
        self._recount_outer()


def nearest_root(name: MailboxName, tree: Tree, records: Records, mode: int) -> QuotaRoot | None:
    """The root that counts for a folder: itself, else the nearest above it that is one."""
    lowest = 0 if name.owner is not None else 1
    for length in range(len(name.path), lowest - 1, -1):
        path = name.path[:length]
        folder = tree.folder(path)
        if is_root(folder, records):
            return QuotaRoot(MailboxName(name.owner, path, name.domain), folder, tree, records, mode)
    return None
