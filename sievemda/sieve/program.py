"""A compiled script: nodes, what it required, and what it was warned about. Immutable but for the plans that runs make
of its blocks, which are worked out from nothing else; usable by many threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass, field

from sievemda.sieve.node import Command, Inclusion
from sievemda.sieve.problems import Problem
from sievemda.sieve.skipping import Plan
from sievemda.sieve.vocabulary import BASE, Vocabulary


@dataclass(frozen=True, slots=True)
class Program:
    commands: tuple[Command, ...]
    vocabulary: Vocabulary
    problems: tuple[Problem, ...] = ()  # warnings
    shared: frozenset[str] = frozenset()  # names of variables that it says are global: RFC 6609 §3.4.1
    includes: tuple[Inclusion, ...] = ()  # in the order in which they stand in the script
    plans: dict[int, tuple[object, Plan | None]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def plan(self, items: Sized, make: Callable[[], Plan | None]) -> Plan | None:
        """The plan for a block or the branches of an `if`, made when first asked for; two threads may both make it."""
        known = self.plans.get(id(items))  # which stays one thing's, because that is kept beside the plan
        if known is None:
            known = self.plans[id(items)] = items, make()
        return known[1]

    @property
    def requires(self) -> frozenset[str]:
        """The capabilities that the script required, and those that come with them."""
        return self.vocabulary.capabilities - {BASE}
