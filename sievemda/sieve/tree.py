"""What a script says, before anybody asks whether it makes sense: RFC 5228 §8.2 as values.

Names are in lower case already, strings have their escapes undone and CRLF as line ends (RFC 5228 §2.4.2).
Octets of the script that are not UTF-8 are kept as lone surrogates (`surrogateescape`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Str:
    value: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Strings:
    items: tuple[Str, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Num:
    value: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    line: int
    column: int


Argument = Str | Strings | Num | Tag


@dataclass(frozen=True, slots=True)
class Call:
    """One command or test: which of the two is known only when its name is looked up."""

    name: str
    arguments: tuple[Argument, ...]
    tests: tuple[Call, ...]
    listed: bool  # the tests stood in parentheses
    block: tuple[Call, ...] | None
    line: int
    column: int


def walk(calls: tuple[Call, ...]) -> Iterator[tuple[Call, int, int]]:
    """Every command and test with the number of blocks and of tests it lies in; not recursive, in no promised order."""
    waiting = [(call, 0, 0) for call in calls]
    while waiting:
        call, blocks, tests = waiting.pop()
        yield call, blocks, tests
        waiting.extend((test, blocks, tests + 1) for test in call.tests)
        waiting.extend((command, blocks + 1, 0) for command in call.block or ())
