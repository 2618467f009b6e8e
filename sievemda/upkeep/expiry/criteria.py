"""What a message must be like to expire. All that is said of one rule must hold.

Tests of age and size are strict: what is exactly as old or as large stays. What says the name of a file is asked first,
then what its inode says, and what stands in the message last.

Why a message whose Date is not valid counts by the time when it came, and one from the future is not old at all: a
wrong clock of its sender is no reason to lose it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sievemda.sieve.ere import Case
from sievemda.sieve.glob import glob
from sievemda.sieve.patterns import pattern
from sievemda.sieve.text import octets
from sievemda.store.opened import Entry

DAY = 86_400
How = Literal["exists", "is", "contains", "matches", "regex"]


@dataclass(frozen=True, slots=True)
class Beyond:
    """The unique parts of messages that a folder has too many of: by its number of messages, by its octets."""

    count: Collection[str] = ()
    size: Collection[str] = ()


NOTHING = Beyond()


class Wanted(Protocol):
    """What a message must be like. OSError when it cannot be looked at."""

    @property
    def ranked(self) -> bool:
        """Whether it depends on the other messages of the folder."""
        ...

    def match(self, entry: Entry, now: float, beyond: Beyond) -> bool: ...

    def beyond(self, entries: Iterable[Entry]) -> Beyond: ...


@dataclass(frozen=True, slots=True)
class HeaderTest:
    """A field of the header, compared as Sieve compares by default: case of ASCII letters does not count."""

    field: str
    how: How
    values: tuple[str, ...] = ()
    negated: bool = False

    def match(self, entry: Entry) -> bool:
        found = entry.header.values(self.field)
        return (any(map(self._matches, found)) if self.how != "exists" else bool(found)) != self.negated

    def _matches(self, text: str) -> bool:
        match self.how:
            case "is":
                return text.lower() in map(str.lower, self.values)
            case "contains":
                return any(value.lower() in text.lower() for value in self.values)
            case "matches":
                return any(glob(value.upper()).match(text.upper()) is not None for value in self.values)
            case _:
                return any(pattern(value, Case.ASCII).search(octets(text)) is not None for value in self.values)


@dataclass(frozen=True, slots=True)
class Criteria:
    """Ages in seconds, sizes in octets. `letters` are system flags, by the letter that names of files have for them."""

    age: float | None = None  # since the Date of the message
    arrived: float | None = None  # since it came to this server
    saved: float | None = None  # since it came into this folder
    larger: int | None = None
    count: int | None = None  # so many of the newest stay
    folder_size: int | None = None  # so many octets of the newest stay
    grace: float = 0.0  # how long what is too large or too many may be in the folder all the same
    letters: tuple[tuple[str, bool], ...] = ()
    keywords: tuple[tuple[str, bool], ...] = ()  # in lower case
    headers: tuple[HeaderTest, ...] = field(default=())

    @property
    def ranked(self) -> bool:
        return self.count is not None or self.folder_size is not None

    def match(self, entry: Entry, now: float, beyond: Beyond) -> bool:
        return (
            all((letter in entry.letters) == wanted for letter, wanted in self.letters)
            and (self.larger is None or entry.size > self.larger)
            and (self.count is None or entry.unique in beyond.count)
            and (self.folder_size is None or entry.unique in beyond.size)
            and (not self._least or now - entry.saved > self._least)
            and (self.arrived is None or now - entry.arrived > self.arrived)
            and (not self.keywords or self._has_keywords(entry))
            and (self.age is None or now - entry.sent > self.age)
            and all(header.match(entry) for header in self.headers)
        )

    @property
    def _least(self) -> float:
        """How long it must have been in the folder."""
        return max(self.saved or 0.0, self.grace)

    def _has_keywords(self, entry: Entry) -> bool:
        found = {flag.lower() for flag in entry.flags}
        return all((keyword in found) == wanted for keyword, wanted in self.keywords)

    def beyond(self, entries: Iterable[Entry]) -> Beyond:
        """What a folder has too much of, by all of its messages: the oldest."""
        rows = sorted({entry.unique: (entry.arrived, entry.saved, entry.size) for entry in entries}.items(), key=_age)
        count = {unique for unique, _ in rows[self.count :]} if self.count is not None else ()
        size: set[str] = set()
        total = 0
        for unique, (_, _, octets_) in rows:
            total += octets_
            if self.folder_size is not None and total > self.folder_size:
                size.add(unique)
        return Beyond(count, size)


def _age(row: tuple[str, tuple[float, float, int]]) -> tuple[float, float, str]:
    """The newest first."""
    unique, (arrived, saved, _) = row
    return -arrived, -saved, unique


@dataclass(frozen=True, slots=True)
class Purge:
    """The tests of Cyrus' ipurge (semantics, section 11), which knows of Date the day and sizes as IMAP shows them."""

    days: int | None = None
    octets: int | None = None
    exact: bool = False  # just as old or large; of an age and a size only the age counts
    inverted: bool = False  # newer or smaller
    arrival: bool = False  # the time when it came in place of its Date
    spare_flagged: bool = False
    only_deleted: bool = False

    @property
    def ranked(self) -> bool:
        return False

    def beyond(self, entries: Iterable[Entry]) -> Beyond:  # noqa: ARG002 - it depends on no other message
        return NOTHING

    def match(self, entry: Entry, now: float, beyond: Beyond) -> bool:  # noqa: ARG002
        if (self.spare_flagged and "F" in entry.letters) or (self.only_deleted and "T" not in entry.letters):
            return False
        if self.days is not None and self._is_old(now - (entry.arrived if self.arrival else entry.sent_day), self.days):
            return True
        return self.octets is not None and not (self.exact and self.days is not None) and self._is_large(entry.size)

    def _is_old(self, age: float, days: int) -> bool:
        if self.exact:
            return (int(age / DAY) == days) != self.inverted
        return age < days * DAY if self.inverted else age > days * DAY

    def _is_large(self, size: int) -> bool:
        limit = self.octets or 0
        if self.exact:
            return (size == limit) != self.inverted
        return size < limit if self.inverted else size > limit
