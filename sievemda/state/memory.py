"""The delivery memory: what has been done and must not be done twice.

One table for all kinds of records (semantics, section 4):

    kind       id                          place               date    what was done
    delivered  Message-ID                  mailbox id          Date    a copy was stored there
    redirect   Message-ID-target address   .recipient.sieve.   Date    it was sent on
    vacation   key of the reply            user id             -       a reply was sent; not again before `expires`
    duplicate  handle:value                .user.sieve.        -       the `duplicate` test saw it (RFC 7352)

Asking (`seen`) raises TemporaryTrouble when the memory cannot be read: whoever asks has not delivered yet and can have
the MTA come again. `hold` keeps others from delivering the same thing between asking and remembering.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from sievemda.state import statements
from sievemda.state.holds import Hold, Holds
from sievemda.state.sqlite import Database

MAX_TEXT = 500  # characters of an id or a date; a longer one is cut and made unique by its digest

Kind = Literal["delivered", "redirect", "vacation", "duplicate", "notify", "report"]


@dataclass(frozen=True, slots=True)
class Key:
    kind: Kind
    id: str
    place: str
    date: str = ""

    def __str__(self) -> str:
        return f"{self.kind}\0{self.id}\0{self.place}\0{self.date}"


@dataclass(frozen=True, slots=True)
class Record:
    key: Key
    expires: int  # seconds since 1970; from then on it counts as not seen


class Memory:
    """Shared by all threads of a process, and by processes. Every method but `hold` raises TemporaryTrouble."""

    def __init__(self, path: Path, *, only_read: bool = False) -> None:
        """`only_read`: for who counts and shows; nothing beside the file is made."""
        self._database = Database(path, statements.MEMORY_SCHEMA, only_read=only_read)
        self._holds = Holds(path.with_name(path.name + ".lock"))

    def hold(self, *keys: Key) -> Hold:
        """A context in which nobody else delivers these; raises Busy (TemporaryTrouble) or OSError."""
        return self._holds.hold(*map(str, keys))

    def seen(self, key: Key, now: float) -> bool:
        """Whether this has been done, and not too long ago."""
        return bool(self._database.read(statements.SEEN, _row(key) | {"now": int(now)}))

    def remember(self, records: Iterable[Record], now: float) -> None:
        """Mark all of them as done, or none."""
        rows = [_row(r.key) | {"now": int(now), "expires": r.expires} for r in records]
        if rows:
            self._database.write(statements.REMEMBER, rows)

    def forget(self, key: Key) -> None:
        """As if it had not been done."""
        self._database.write(statements.FORGET, [_row(key)])

    def prune(self, now: float) -> int:
        """Drop what has expired; returns how many records."""
        return self._database.write_until_done(statements.PRUNE_MEMORY, {"now": int(now)})

    def expired(self, now: float) -> dict[str, int]:
        """How many records of each kind `prune` would drop."""
        return _counts(self._database.read(statements.COUNT_MEMORY, {"now": int(now)}))

    def prune_older(self, before: float, usual: float, now: float, *, dry: bool = False) -> dict[str, int]:
        """Drop copies and redirects of that instant and before, though they have not expired; how many of each kind.

        But for those of mailboxes that say themselves how long it is remembered: longer than `usual` seconds.
        """
        values = {"before": int(before), "usual": int(usual), "now": int(now)}
        found = _counts(self._database.read(statements.COUNT_OLDER, values))
        if found and not dry:
            self._database.write_until_done(statements.PRUNE_OLDER, values)
        return found

    def dump(self) -> Iterator[tuple[str, str, int]]:
        """Everything that is remembered, by kind and id: the id, the place, and when, in seconds since 1970."""
        columns = ("kind", "id", "place", "date")
        after: dict[str, object] = dict.fromkeys(columns, "")
        while rows := self._database.read(statements.PAGE_OF_MEMORY, after):
            for _kind, identity, place, _date, instant in rows:
                yield str(identity), str(place), int(str(instant))
            after = dict(zip(columns, rows[-1], strict=False))

    def close(self) -> None:
        self._database.close()
        self._holds.close()


def _counts(rows: list[tuple[object, ...]]) -> dict[str, int]:
    return {str(kind): int(str(count)) for kind, count in rows}


def _row(key: Key) -> dict[str, object]:
    return {"kind": key.kind, "id": _bounded(key.id), "place": _bounded(key.place), "date": _bounded(key.date)}


def _bounded(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    if len(text) <= MAX_TEXT:
        return octets.decode("utf-8", "backslashreplace")
    return octets.decode("utf-8", "backslashreplace")[: MAX_TEXT - 64] + sha256(octets).hexdigest()
