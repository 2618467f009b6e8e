"""The versions of one keeper as they travel, into an archive or to another host, and how they join what is kept there.

A version is the same as another when everything about it is but its number, so what comes twice is there once. Numbers
stay as they were. Where that cannot be, since the history there was begun anew (its file was lost), all are put into
the order of their times and numbered again: `undo` goes by that order.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sievemda.state.versions import Version

Texts = Callable[[str], bytes | None]  # the text of a digest; None when it is not known


@dataclass(frozen=True, slots=True)
class Past:
    """What was done to somebody's scripts, and what they were when it was last looked: digests by name, the active."""

    versions: tuple[Version, ...] = ()
    active: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def digests(self) -> tuple[str, ...]:
        """Of all texts that belong to it, each once."""
        found = [digest for version in self.versions for digest in (version.before, version.digest)]
        return tuple(dict.fromkeys(digest for digest in (*found, *self.scripts.values()) if digest))


def joined(kept: Sequence[Version], given: Sequence[Version]) -> list[Version] | None:
    """Both, each in the order of its numbers, as one; None when nothing is new."""
    there: dict[Version, deque[int]] = defaultdict(deque)
    for version in kept:
        there[_but_for_numbers(version)].append(version.number)
    known: dict[int, int] = {}
    new = []
    for version in given:
        same = there.get(_but_for_numbers(version))
        if same:
            known[version.number] = same.popleft()
        else:
            new.append(version)
    if not new:
        return None
    fitting = [replace(version, undoes=known.get(version.undoes, version.undoes)) for version in new]
    together = sorted([*kept, *fitting], key=lambda version: version.number)
    if all(one.number < other.number and one.instant <= other.instant for one, other in pairwise(together)):
        return together
    return _numbered(kept, new, known)


def _but_for_numbers(version: Version) -> Version:
    return replace(version, number=0, undoes=0, status="done")


def _numbered(kept: Sequence[Version], new: Sequence[Version], known: Mapping[int, int]) -> list[Version]:
    """In the order of their times, with new numbers."""
    ours, theirs = ([(version, mine) for version in versions] for versions, mine in ((kept, True), (new, False)))
    order = list(heapq.merge(theirs, ours, key=lambda pair: pair[0].instant))
    first = min(version.number for version, _ in order)
    numbers = {(mine, version.number): number for number, (version, mine) in enumerate(order, first)}

    def undone(number: int, mine: bool) -> int:
        if not mine and number in known:
            mine, number = True, known[number]
        return numbers.get((mine, number), 0)

    return [
        replace(version, number=number, undoes=undone(version.undoes, mine))
        for number, (version, mine) in enumerate(order, first)
    ]
