"""relational: the match types `:count` and `:value`. RFC 5231."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from sievemda.sieve.matching import EACH, Matching, MatchType
from sievemda.sieve.run import Run
from sievemda.sieve.vocabulary import Extension

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}


class Value(MatchType):
    """:value, RFC 5231 §4.1: the value stands on the left side; true when it is for any pair."""

    name = "value"
    operand = tuple(_RELATIONS)
    order = True

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        relation, rank = _RELATIONS[how.operand], how.comparator.rank
        wanted = [rank(key) for key in keys]
        for value in values:
            run.spend_matching((how.comparator.cost * len(value) + EACH) * len(wanted))
            left = rank(value)
            if any(relation(left, right) for right in wanted):
                return True
        return False


class Count(Value):
    """:count, RFC 5231 §4.2: how many there are, in decimal, takes the place of the values."""

    name = "count"

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        run.counted(count)
        return super().any(run, how, (str(count),), keys, 1)


EXTENSIONS = (Extension("relational", "RFC 5231", match_types=(Count(), Value())),)
