"""Sets of numbers, kept as ranges: UIDs of messages and numbers of articles, of which there are many in a row."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

MAX_NUMBER = 2**63 - 1  # UIDs have 32 bits (RFC 3501 §2.3.1.1), article numbers have had more
_RANGE = re.compile(r"([0-9]{1,19})(?::([0-9]{1,19}))?")


class Numbers:
    """A set of numbers that grows."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._last: list[int] = []

    @classmethod
    def parse(cls, text: str) -> Numbers:
        """`1:500,502` as IMAP writes it (RFC 3501 §9, sequence-set, without `*`). ValueError."""
        numbers = cls()
        for part in text.split(",") if text else ():
            match = _RANGE.fullmatch(part)
            if match is None:
                raise ValueError(f"{part[:40]!r} is no number and no range")
            first, last = int(match[1]), int(match[2] or match[1])
            numbers.add(min(first, last), max(first, last))
        return numbers

    def __str__(self) -> str:
        pairs = zip(self._first, self._last, strict=True)
        return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in pairs)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._first, number) - 1
        return at >= 0 and number <= self._last[at]

    def __bool__(self) -> bool:
        return bool(self._first)

    def __len__(self) -> int:
        return sum(self._last) - sum(self._first) + len(self._first)

    def ranges(self) -> Iterator[tuple[int, int]]:
        yield from zip(self._first, self._last, strict=True)

    def add(self, first: int, last: int | None = None) -> None:
        """One number, or all of a range."""
        last = first if last is None else last
        start = bisect_right(self._first, first)
        if start and self._last[start - 1] >= first - 1:
            start -= 1
            first, last = self._first[start], max(last, self._last[start])
        end = start
        while end < len(self._first) and self._first[end] <= last + 1:
            last = max(last, self._last[end])
            end += 1
        self._first[start:end] = [first]
        self._last[start:end] = [last]
