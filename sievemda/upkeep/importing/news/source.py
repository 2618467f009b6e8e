"""What a source of news can do: tell its groups, and give the articles of one by their numbers."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sievemda.errors import DataError, SievemdaError

MAX_GROUPS = 500_000
_NAME = re.compile(r"[^\s\x00-\x1f\x7f!*,?\[\\\]/]{1,500}")
_LINE = re.compile(r"(\S+)[ \t]+(-?[0-9]{1,19})[ \t]+(-?[0-9]{1,19})[ \t]+(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Article:
    """`content` gives its octets as often as it is called, in pieces."""

    number: int
    content: Callable[[], Iterator[bytes]]
    size: int
    arrived: float | None  # when the source got it, as far as it says so
    where: str


class Missing(SievemdaError):
    """There is no such article, or group, any longer."""

    exit_code = os.EX_UNAVAILABLE


class Source(Protocol):
    @property
    def key(self) -> str:
        """What tells it from others; a name of a group behind it tells the group."""

    def groups(self) -> list[str]:
        """The names of all groups. DataError, Unavailable, ..."""

    def numbers(self, group: str) -> list[int]:
        """The numbers of the articles that are there, sorted."""

    def article(self, group: str, number: int) -> AbstractContextManager[Article]:
        """One of them, as long as the context lasts. Missing, DataError for what is none."""

    def close(self) -> None:
        """It is not needed any longer."""


def parts_of(group: str) -> tuple[str, ...] | None:
    """The components of a group's name (RFC 5536 §3.1.4); None for what can be no name."""
    parts = tuple(group.split("."))
    return parts if _NAME.fullmatch(group) and all(parts) else None


def active(lines: Iterable[str], where: str) -> list[str]:
    """The groups of an `active` file or a LIST: `NAME HIGH LOW STATUS`. DataError.

    Groups whose articles are another's (`=`) or go nowhere (`j`, `x`) have none.
    """
    found = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            if line.strip() and not line.startswith("#"):
                raise DataError(f"{where}, line {number}: not NAME HIGH LOW STATUS")
            continue
        if match[4][0] not in "=jx" and parts_of(match[1]):
            found.append(match[1])
        if len(found) > MAX_GROUPS:
            raise DataError(f"{where}: more than {MAX_GROUPS} groups")
    return found


def wildmat(text: str) -> Callable[[str], bool]:
    """Whether a name of a group matches: `comp.*,!comp.os.*`, the last pattern that fits counts (RFC 3977 §4.2)."""
    patterns = [(part[:1] != "!", _compiled(part.removeprefix("!"))) for part in text.split(",") if part]

    def matches(group: str) -> bool:
        return next((wanted for wanted, pattern in reversed(patterns) if pattern.fullmatch(group)), False)

    return matches


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\*+|\?|[^*?]+", pattern)
    return re.compile("".join(".*" if part[0] == "*" else "." if part == "?" else re.escape(part) for part in parts))
