"""A folder that is open for looking at its messages and taking some of them out, beside readers and deliveries.

Everything is done by way of its open directories, so that a link that its owner puts in the place of one leads nowhere.
A reader may rename a message at any moment, from `new` to `cur` and with every flag; `OpenFolder.again` finds it by the
unique part of its name.

Why the names are looked through while messages are taken out: what they say of a hundred thousand messages need not be
held at once, and a file system shows each name that stays exactly once.

Why the lock is on `cur`: the kernel frees it with its holder, and no file is made for it. The lock of the quota is on
the folder, that of those who put many messages in on `tmp`. Neither deliveries nor readers take this one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sievemda.errors import TemporaryTrouble
from sievemda.mail.dates import Moment, read_date
from sievemda.mail.message import Message
from sievemda.store.files import Damaged, locked_within
from sievemda.store.maildir import size_of
from sievemda.store.messages import flags_of, unique_part
from sievemda.store.pinned import open_pinned
from sievemda.store.staging import BLOCK

if TYPE_CHECKING:
    from sievemda.store.gathered import Gathering
    from sievemda.store.mailbox import Mailbox

PATIENCE = 600.0  # seconds that one who takes messages out waits for another
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_FIRST = 8 * 1024  # octets of the first look for the end of a header
_HEAD = 256 * 1024  # octets in which a header must end; what lies beyond is not looked for
_CAME = re.compile(r"(\d{9,10})\.(?:M(\d{1,6})P)?")
_VSIZE = re.compile(r",W=(\d+)(?=[,:]|$)")
_SEARCHES = 20  # for messages that were renamed, in one folder


def open_message(name: str, directory: int) -> int:
    """A descriptor of a file in an open directory; Damaged when it is no regular one. OSError."""
    fd = os.open(name, _FILE, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Damaged(f"{name} is not a regular file")
    return fd


def read_header(fd: int) -> Message:
    """An open message without its body; it is closed by that. OSError."""
    with os.fdopen(fd, "rb", buffering=0) as file:
        data = file.read(_FIRST)
        while b"\n\n" not in data and len(data) < _HEAD and (more := file.read(_HEAD - len(data))):
            data += more
    return Message(data.replace(b"\r\n", b"\n") if b"\r" in data else data)


class Entry:
    """One message as it lies in an open folder. What needs a look at the file is looked at when it is asked for.

    OSError when it has gone; FileNotFoundError may mean that it was renamed.
    """

    def __init__(self, folder: OpenFolder, part: str, name: str) -> None:
        self.folder = folder
        self.part = part  # "cur" or "new"
        self.name = name

    @property
    def unique(self) -> str:
        return unique_part(self.name)

    @property
    def letters(self) -> str:
        """System flags and keywords, as the name has them."""
        return self.name.partition(":2,")[2]

    @cached_property
    def flags(self) -> tuple[str, ...]:
        return flags_of(self.folder.mailbox, Path(self.name))

    @cached_property
    def size(self) -> int:
        """Octets of the file, or of what IMAP shows of it."""
        if self.folder.as_shown:
            return self._shown_size()
        found = size_of(self.name, self.path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.name)
        return found

    def _shown_size(self) -> int:
        """With CRLF line ends: as its name says, else as it is (RFC 3501 §2.3.4)."""
        if said := _VSIZE.search(self.name):
            return int(said[1])
        size, last = 0, b""
        for block in self.blocks():
            size += len(block) + block.count(b"\n") - (last + block).count(b"\r\n")
            last = block[-1:] if block[-1:] == b"\r" else b""
        return size

    @cached_property
    def status(self) -> os.stat_result:
        return os.stat(self.name, dir_fd=self.fd, follow_symlinks=False)

    @property
    def arrived(self) -> float:
        """INTERNALDATE: when the message came to this server, in seconds since 1970."""
        return self.status.st_mtime

    @cached_property
    def saved(self) -> float:
        """When it came into this folder, in seconds since 1970: as its name says, else as its file does."""
        found = _CAME.match(self.name)
        when = int(found[1]) + int(found[2] or 0) / 1_000_000 if found else 0.0
        return when if found and when <= self.folder.now else self.status.st_ctime

    @cached_property
    def header(self) -> Message:
        """The message without its body."""
        return read_header(self.open())

    @cached_property
    def sent(self) -> float:
        """The Date field, in seconds since 1970; when the message came if it has none that is valid."""
        found = self._date()
        utc = found.at(0) if found else None
        return self.arrived if utc is None else utc.seconds

    @cached_property
    def sent_day(self) -> float:
        """The beginning of the day that Date has, in whatever zone; of that on which the message came if it has none.

        So does SENTSINCE of IMAP (RFC 3501 §6.4.4) see it, and Cyrus' ipurge.
        """
        try:
            found = self._date()
            day = datetime.fromtimestamp(self.arrived) if found is None else found.shown  # noqa: DTZ006
            return datetime(day.year, day.month, day.day).timestamp()  # noqa: DTZ001 - of this server
        except (ValueError, OverflowError):  # of no calendar
            return self.arrived

    def _date(self) -> Moment | None:
        return next((read_date(value) for value in self.header.values("date")[:1]), None)

    @property
    def fd(self) -> int:
        """The open directory it lies in."""
        return self.folder.parts[self.part]

    @property
    def path(self) -> str:
        """A path by way of the open directory."""
        return f"/proc/self/fd/{self.fd}/{self.name}"

    def open(self) -> int:
        """A descriptor of the file; Damaged when it is no regular one."""
        return open_message(self.name, self.fd)

    def blocks(self) -> Iterator[bytes]:
        """The content."""
        with os.fdopen(self.open(), "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                yield block


class OpenFolder:
    """A context manager. OSError when it cannot be opened; TemporaryTrouble when somebody else has it for long.

    `now`: what came into the folder after that is not shown. `as_shown`: sizes are those that IMAP shows.
    """

    def __init__(self, mailbox: Mailbox, now: float, patience: float = PATIENCE, *, as_shown: bool = False) -> None:
        self.mailbox = mailbox
        self.now = now
        self.as_shown = as_shown
        self.gathering: Gathering | None = None  # what it has begun to keep of it, see `removal`
        self.parts: dict[str, int] = {}
        self._patience = patience
        self._names: dict[str, tuple[str, str]] | None = None
        self._searches = 0

    def __enter__(self) -> Self:
        folder = open_pinned(str(self.mailbox.path))
        try:
            for part in ("cur", "new"):
                with suppress(FileNotFoundError):
                    self.parts[part] = os.open(part, _DIRECTORY, dir_fd=folder)
            lock = self.parts.get("cur")
            if lock is not None and not locked_within(lock, fcntl.LOCK_EX, self._patience):
                raise TemporaryTrouble(f"somebody else is taking messages out of {self.mailbox.path}")
        except BaseException:
            self._close()
            raise
        finally:
            os.close(folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self.gathering is not None:
            self.gathering.close()
            self.gathering = None
        for fd in self.parts.values():
            os.close(fd)
        self.parts.clear()

    def entries(self) -> Iterator[Entry]:
        """All messages that came before `now`, in no order. `new` first, since messages leave there for `cur`."""
        for part, name in self._listed():
            entry = Entry(self, part, name)
            try:
                if entry.saved <= self.now:
                    yield entry
            except FileNotFoundError:  # it has no time in its name, and was renamed or removed
                continue

    def _listed(self) -> Iterator[tuple[str, str]]:
        for part in ("new", "cur"):
            if part in self.parts:
                with os.scandir(self.parts[part]) as found:
                    for entry in found:
                        if entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                            yield part, entry.name

    def again(self, entry: Entry) -> Entry | None:
        """A message that is not where it was; None when it is not in the folder any more, or too busy to be found."""
        unique = entry.unique
        for _ in range(2):
            if self._names is None:
                if self._searches >= _SEARCHES:
                    return None
                self._searches += 1
                self._names = {unique_part(name): (part, name) for part, name in self._listed()}
            found = self._names.get(unique)
            if found is not None and found != (entry.part, entry.name):
                return Entry(self, *found)
            self._names = None
        return None
