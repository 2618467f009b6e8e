"""What is to awaken, and when: a durable spool of notes beside the messages, which lie in their mailbox.

One file per snoozed message, named `DUE.UNIQUE` so that a sorted listing is the queue; its content is one JSON object.
The note is written before the message is: the message's file gets the name that the note has. So after a crash there
may be a note without a message, which comes to nothing when it is due, and never a message that nobody awakens.

Why files and not SQL: a note that is lost leaves the message asleep for ever, and a commit of the embedded database
may be lost when the machine dies; a synced file is not.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from sievemda.config import Settings
from sievemda.logs import words
from sievemda.store.files import read_control_file, sync_directory, write_atomically

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One snoozed message, and what becomes of it. The fields from `to` on are those of `effects.Snooze`."""

    due: int  # seconds since 1970
    user: str
    mailbox: str  # identifier of the mailbox where it waits
    unique: str  # of the message's file
    message_id: str = ""
    to: str = "INBOX"
    mailbox_id: str = ""
    special_use: str = ""
    create: bool = False
    add_flags: tuple[str, ...] = ()
    remove_flags: tuple[str, ...] = ()


class Snoozes:
    """Used by deliveries, which put notes in, and by the one who keeps watch."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.data / "spool" / "snooze"
        self._mode = settings.store.message_mode
        self._seen = 0  # when the directory was changed last, as far as we know
        self._next = 0.0  # when the first note is due, as far as we know

    def put(self, note: Note) -> Path:
        """Take a note, durably; raises OSError."""
        if not self._root.is_dir():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self._root.parent)
        path = self._root / f"{note.due:012d}.{note.unique}"
        write_atomically(path, json.dumps(asdict(note)).encode(), self._mode)
        return path

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def put_off(self, path: Path, due: int) -> None:
        """Look at it again then."""
        path.rename(path.with_name(f"{due:012d}.{path.name.partition('.')[2]}"))

    def user_renamed(self, old: str, new: str) -> None:
        """The mailbox where the messages wait belongs to somebody of another name now."""
        names = os.listdir(self._root) if self._root.is_dir() else []  # noqa: PTH208 - only names
        for path in (self._root / name for name in names if name[:1].isdigit()):
            with self.taken(path) as note:
                if note is not None and note.user == old:
                    write_atomically(path, json.dumps(asdict(replace(note, user=new))).encode(), self._mode)

    def of_user(self, user: str) -> Iterator[Note]:
        """What is to awaken in the mailboxes of a user."""
        names = sorted(os.listdir(self._root)) if self._root.is_dir() else []  # noqa: PTH208 - only names
        for path in (self._root / name for name in names if name[:1].isdigit()):
            with self.taken(path) as note:
                if note is not None and note.user == user:
                    yield note

    def waiting(self) -> int:
        """How many notes there are. OSError."""
        try:
            return sum(name[:1].isdigit() for name in os.listdir(self._root))  # noqa: PTH208 - only names
        except FileNotFoundError:
            return 0

    def due(self, now: float) -> list[Path]:
        """What is due by now, the oldest first. The directory is listed only when that can have changed."""
        try:
            changed = self._root.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed == self._seen and now < self._next:
            return []
        names = sorted(name for name in os.listdir(self._root) if name[:1].isdigit())  # noqa: PTH208 - only names
        found = [name for name in names if _due(name) <= now]
        self._seen = changed
        self._next = now if found else min((_due(name) for name in names), default=float("inf"))
        return [self._root / name for name in found]

    @contextmanager
    def taken(self, path: Path) -> Iterator[Note | None]:
        """The note, while nobody else has it; None when somebody has, or it is gone or damaged."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            yield None
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield self._read(path)  # by its name: who had the lock before us may have removed it
        finally:
            os.close(fd)

    def _read(self, path: Path) -> Note | None:
        """A damaged note is put aside for somebody to look at, and the message stays where it is."""
        content = read_control_file(path)
        if content is None:
            return None
        try:
            return _parse(content)
        except (ValueError, TypeError, AttributeError, KeyError):
            log.error("damaged note put aside %s", words(file=path))  # noqa: TRY400 - its content says nothing
            path.rename(path.with_name(f"damaged.{path.name}"))
            return None


def _due(name: str) -> int:
    number = name.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def _parse(content: bytes) -> Note:
    """ValueError, TypeError or AttributeError when it is no note."""
    found: dict[str, Any] = json.loads(content)
    known = {each.name: found[each.name] for each in fields(Note) if each.name in found}
    known |= {name: tuple(known.get(name, ())) for name in ("add_flags", "remove_flags")}
    return Note(**known)
