"""Weights of conditions that decide by a sum, as conditions that must hold together. procmailsc(5), maildropfilter(7).

Only what counts once for each condition (`w^0`) can be said without counting: the sum then is above its bound for
certain sets of conditions, and the smallest of them are what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from sievemda.upkeep.conversion.report import Impossible
from sievemda.upkeep.conversion.script import TRUE, Test, all_of, any_of, negated

_MOST = 10  # conditions whose sets are looked through
_SETS = 64


@dataclass(frozen=True, slots=True)
class Weighed:
    test: Test
    weight: float
    again: bool = False  # it may count more than once


def above(weighed: Sequence[Weighed], start: float = 0.0) -> Test:
    """Whether the sum is more than nothing. Raises `Impossible`."""
    if start <= 0 and all(one.weight > 0 for one in weighed) and (start == 0):
        return any_of(one.test for one in weighed)
    if any(one.again for one in weighed):
        raise Impossible("how often a pattern is found cannot be counted")
    sure = [one for one in weighed if one.test == TRUE]
    start += sum(one.weight for one in sure)
    literals = [one for one in weighed if one.test != TRUE and one.weight]
    if len(literals) > _MOST:
        raise Impossible(f"a score of more than {_MOST} conditions")
    # A negative weight is what the absence of its condition brings.
    start += sum(one.weight for one in literals if one.weight < 0)
    plain = [(one.test if one.weight > 0 else negated(one.test), abs(one.weight)) for one in literals]
    return any_of(all_of(plain[at][0] for at in chosen) for chosen in _smallest([w for _, w in plain], start))


def _smallest(weights: list[float], start: float) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for size in range(len(weights) + 1):
        for chosen in combinations(range(len(weights)), size):
            if any(set(smaller) <= set(chosen) for smaller in found):
                continue
            if start + sum(weights[at] for at in chosen) > 0:
                found.append(chosen)
                if len(found) > _SETS:
                    raise Impossible("a score that too many sets of conditions reach")
    return found
