"""The messages of a folder as they lie there: name, size, flags, dates, and the header fields that tell which it is.

The time of arrival is that of the file, which is what an IMAP server shows as INTERNALDATE. Only the beginning of a
file is read, and only of messages that are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.mail.message import Message
from sievemda.store.maildir import size_of
from sievemda.store.messages import flags_of
from sievemda.store.uidlist import uids

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_HEAD = 256 * 1024  # octets in which a header must end; what lies beyond is not looked for


@dataclass(frozen=True, slots=True)
class Stored:
    """One message in a folder."""

    file: Path
    uid: int | None  # Dovecot's, when it has given one
    size: int  # octets of the file
    flags: tuple[str, ...]  # system flags, then keywords
    new: bool  # no reader has looked at it
    arrived: float  # seconds since 1970

    @property
    def seen(self) -> bool:
        return "\\Seen" in self.flags

    def fields(self, *names: str) -> dict[str, str]:
        """The first header field of each name, decoded; empty where there is none. OSError when it is gone."""
        fd = os.open(self.file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            message = Message(file.read(_HEAD))
        return {name: next(iter(message.values(name)), "") for name in names}


def stored(mailbox: Mailbox) -> Iterator[Stored]:
    """All messages: by UID, and behind them those without one in the order in which they came."""
    known = uids(mailbox.path)
    names = []
    for part in ("cur", "new"):
        try:
            with os.scandir(mailbox.path / part) as found:
                names += [(part, entry.name) for entry in found if entry.name[0] != "."]
        except (FileNotFoundError, NotADirectoryError):
            continue
    numbered = [(known.get(name.partition(":")[0]), name, part) for part, name in names]
    for uid, name, part in sorted(numbered, key=lambda one: (one[0] is None, one[0] or 0, one[1])):
        file = mailbox.path / part / name
        size = size_of(name, str(file))
        try:
            arrived = file.lstat().st_mtime
        except FileNotFoundError:  # read, moved or removed meanwhile
            continue
        if size is not None:
            yield Stored(file, uid, size, flags_of(mailbox, file), part == "new", arrived)
