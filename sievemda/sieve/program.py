"""A compiled script: nodes, what it required, and what it was warned about. Immutable, usable by many threads."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.sieve.node import Command, Inclusion
from sievemda.sieve.problems import Problem
from sievemda.sieve.vocabulary import BASE, Vocabulary


@dataclass(frozen=True, slots=True)
class Program:
    commands: tuple[Command, ...]
    vocabulary: Vocabulary
    problems: tuple[Problem, ...] = ()  # warnings
    shared: frozenset[str] = frozenset()  # names of variables that it says are global: RFC 6609 §3.4.1
    includes: tuple[Inclusion, ...] = ()  # in the order in which they stand in the script

    @property
    def requires(self) -> frozenset[str]:
        """The capabilities that the script required, and those that come with them."""
        return self.vocabulary.capabilities - {BASE}
