"""A compiled script: nodes, what it required, and what it was warned about. Immutable, usable by many threads."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.sieve.node import Command
from sievemda.sieve.problems import Problem
from sievemda.sieve.vocabulary import BASE, Vocabulary


@dataclass(frozen=True, slots=True)
class Program:
    commands: tuple[Command, ...]
    vocabulary: Vocabulary
    problems: tuple[Problem, ...] = ()  # warnings

    @property
    def requires(self) -> frozenset[str]:
        """The capabilities that the script required, and those that come with them."""
        return self.vocabulary.capabilities - {BASE}
