"""`:matches` patterns in linear time, with what each wildcard took. RFC 5228 §2.7.1, RFC 5229 §3.2.

A pattern is cut at its stars into segments of fixed length. The first must stand at the start of the value, the last
at its end, the others as far left as they can, each behind the one before. That is exactly the match in which every
star, from left to right, takes as little as possible, and nothing is ever tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

Span = tuple[int, int]

_SHORT = 500
_TOKEN = re.compile(r"\\([\s\S])|([*?])|([^*?\\]+|\\)")


@dataclass(frozen=True, slots=True)
class Segment:
    """Literal characters and question marks; `pattern` finds it when there are question marks, else `literal` is it."""

    literal: str
    size: int
    wild: tuple[int, ...]  # offsets of the question marks
    pattern: re.Pattern[str] | None

    def at(self, value: str, start: int) -> bool:
        if not self.size:
            return True
        if self.pattern is not None:
            return self.pattern.match(value, start) is not None
        return value.startswith(self.literal, start)

    def find(self, value: str, start: int, end: int) -> int:
        if self.pattern is not None:
            found = self.pattern.search(value, start, end)
            return found.start() if found else -1
        return value.find(self.literal, start, end)

    @property
    def literals(self) -> Sequence[str]:
        """What stands between the question marks."""
        edges = (-1, *self.wild, self.size)
        return [self.literal[start + 1 : end] for start, end in pairwise(edges)]

    def spans(self, start: int) -> list[Span]:
        return [(start + offset, start + offset + 1) for offset in self.wild]


@dataclass(frozen=True, slots=True)
class Glob:
    segments: tuple[Segment, ...]  # one more than there are stars
    weight: int  # how often a character of the value is looked at, at most

    @property
    def needle(self) -> str:
        """The longest text that every match has in it."""
        return max((text for segment in self.segments for text in segment.literals), key=len)

    def match(self, value: str) -> list[Span] | None:
        """What each wildcard stands for, in order, or `None`."""
        first, *middle = self.segments
        if not middle:
            whole = len(value) == first.size and first.at(value, 0)
            return first.spans(0) if whole else None
        last = middle.pop()
        tail = len(value) - last.size
        if tail < first.size or not first.at(value, 0) or not last.at(value, tail):
            return None
        spans, position = first.spans(0) if first.wild else [], first.size
        for segment in middle:
            found = segment.find(value, position, tail)
            if found < 0:
                return None
            spans.append((position, found))
            if segment.wild:
                spans += segment.spans(found)
            position = found + segment.size
        spans.append((position, tail))
        return spans + last.spans(tail)


def glob(pattern: str) -> Glob:
    """The compiled pattern; short ones are remembered, because a script tries the same ones on every message."""
    return _remembered(pattern) if len(pattern) <= _SHORT else _compile(pattern)


def _compile(pattern: str) -> Glob:
    segments: list[Segment] = []
    literal = ""
    wild: list[int] = []
    for escaped, special, plain in _TOKEN.findall(pattern):
        if special == "*":
            segments.append(_segment(literal, wild))
            literal, wild = "", []
        elif special:
            wild.append(len(literal))
            literal += "?"
        else:
            literal += escaped or plain
    segments.append(_segment(literal, wild))
    return Glob(tuple(segments), max([1, *(segment.size for segment in segments if segment.wild)]))


_remembered = lru_cache(maxsize=2048)(_compile)


def _segment(literal: str, wild: list[int]) -> Segment:
    if not wild:
        return Segment(literal, len(literal), (), None)
    marks = set(wild)
    source = "".join("." if offset in marks else re.escape(char) for offset, char in enumerate(literal))
    return Segment(literal, len(literal), tuple(wild), re.compile(source, re.DOTALL))
