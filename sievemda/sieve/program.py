"""A compiled script: nodes, what it required, and what it was warned about. Immutable, usable by many threads."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.sieve.node import Command
from sievemda.sieve.problems import Problem


@dataclass(frozen=True, slots=True)
class Program:
    commands: tuple[Command, ...]
    requires: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()  # warnings
    captures: bool = False  # matching leaves match variables behind
