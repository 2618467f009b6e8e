"""Quota: limits, usage, and when a limit refuses (semantics, section 7; RFC 2087).

The rule is `used + delta > limit`. A delivery asks with a delta of nothing, so that anything is taken while the usage
has not passed the limit, whatever its size; `lmtp_strict_quota` asks with the message itself. A limit of 0 is a real
limit; None is none at all.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sievemda.errors import DataError, TemporaryTrouble

KIB = 1024

# Resource names as administrators write them (RFC 9208), and those of Cyrus before version 3.
RESOURCES = {
    "STORAGE": "storage",
    "MESSAGE": "messages",
    "MAILBOX": "mailboxes",
    "ANNOTATION-STORAGE": "annotation",
    "X-NUM-FOLDERS": "mailboxes",
    "X-ANNOTATION-STORAGE": "annotation",
}
PRINTED = ("STORAGE", "MESSAGE", "ANNOTATION-STORAGE", "MAILBOX")
_IN_KIB = ("storage", "annotation")
MAX_LIMIT = 2**62  # octets


class OverQuota(TemporaryTrouble):
    """There is no room; `exit_code` is 75 as for Cyrus' tools."""


@dataclass(frozen=True, slots=True)
class Usage:
    storage: int = 0  # octets as stored, what S= says
    messages: int = 0
    mailboxes: int = 0
    annotation: int = 0  # octets

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(mine + its for mine, its in zip(_values(self), _values(other), strict=True)))

    def of(self, resource: str) -> int:
        """Octets, or a number."""
        value: int = getattr(self, RESOURCES[resource])
        return value

    def printed(self, resource: str) -> int:
        """In the unit of the resource: KiB rounded down, or a number."""
        return self.of(resource) // KIB if RESOURCES[resource] in _IN_KIB else self.of(resource)


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit. Sizes are in octets."""

    storage: int | None = None
    messages: int | None = None
    mailboxes: int | None = None
    annotation: int | None = None

    @classmethod
    def parse(cls, words: list[str] | tuple[str, ...]) -> Limits:
        """`STORAGE 10000 MESSAGE 50`: sizes in KiB, -1 for no limit; DataError names what is wrong."""
        if len(words) % 2:
            raise DataError(f"{words[-1]!r}: a resource and its limit come in pairs")
        found: dict[str, int | None] = {}
        for resource, number in zip(words[::2], words[1::2], strict=True):
            field = RESOURCES.get(resource.upper())
            if field is None:
                raise DataError(f"{resource[:80]!r} is not a resource (known are {', '.join(PRINTED)})")
            if field in found:
                raise DataError(f"{resource!r} is given twice")
            found[field] = _limit(number, KIB if field in _IN_KIB else 1)
        return cls(**found)

    def of(self, resource: str) -> int | None:
        """Octets, or a number."""
        value: int | None = getattr(self, RESOURCES[resource])
        return value

    def printed(self, resource: str) -> int | None:
        """In the unit of the resource: KiB rounded down, or a number."""
        value = self.of(resource)
        return value if value is None or RESOURCES[resource] not in _IN_KIB else value // KIB


def _limit(number: str, unit: int) -> int | None:
    if number == "-1":
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 20) or int(number) * unit > MAX_LIMIT:
        raise DataError(f"{number[:80]!r} is not a number that can be a limit")
    return int(number) * unit


def _values(of: Usage | Limits) -> tuple[int, ...]:
    return tuple(getattr(of, field.name) for field in dataclasses.fields(of))


def exceeded(limits: Limits, usage: Usage, delta: Usage | None = None) -> str:
    """The first resource whose limit refuses `delta` more (None: nothing more), "" when all have room."""
    total = usage + delta if delta else usage
    for resource in PRINTED:
        field = RESOURCES[resource]
        limit = getattr(limits, field)
        if limit is not None and getattr(total, field) > limit:
            return resource
    return ""
