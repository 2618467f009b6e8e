"""The last stage of compiling for the test language: included scripts are compiled with the one that includes them.

Each is compiled once, and counts once. What is wrong with it comes first, without a line that sums it up, then one
error at the command that includes it; so a fault two levels down is three errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sievemda.sieve.library import Library, label
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Inclusion
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.program import Program


class Generation:
    """One script and all that it includes; `problems` grows as it goes.

    `compiled` gets the text of a script and its location, and raises `ScriptError`.
    """

    def __init__(self, library: Library, limits: Limits, compiled: Callable[[bytes, str], Program]) -> None:
        self.problems: list[Problem] = []
        self._library = library
        self._limits = limits
        self._compiled = compiled
        self._open: list[tuple[str, str]] = []
        self._good: dict[tuple[str, str], bool] = {}

    def resolve(self, includes: Iterable[Inclusion]) -> None:
        for inclusion in includes:
            if fault := self._fault(inclusion):
                self.problems.append(Problem(inclusion.line, inclusion.column, fault, script=self._where))

    def _fault(self, inclusion: Inclusion) -> str:
        key = inclusion.location, inclusion.name
        if key in self._open:
            return "" if inclusion.once else f"circular include: {inclusion.name!r} is being included already"
        if key in self._good:
            return "" if self._good[key] else _invalid(inclusion)
        if len(self._open) >= self._limits.include_depth:
            return f"includes are nested too deeply: the limit is {self._limits.include_depth}"
        text = self._library.text(inclusion)
        if text is None:
            return ""  # it is optional, or has been reported
        if len(self._good) >= self._limits.includes:
            return f"too many included scripts: the limit is {self._limits.includes}"
        self._good[key] = self._resolve_one(key, text)
        return "" if self._good[key] else _invalid(inclusion)

    @property
    def _where(self) -> str:
        """The script that is being looked at, when it is an included one."""
        return label(*self._open[-1]) if self._open else ""

    def _resolve_one(self, key: tuple[str, str], text: bytes) -> bool:
        before = len(self.problems)
        self._open.append(key)
        try:
            self.resolve(self._compiled(text, key[0]).includes)
        except ScriptError as e:
            errors = (problem for problem in e.problems if problem.severity == "error")
            self.problems += [replace(problem, script=self._where) for problem in errors]
        finally:
            self._open.pop()
        return len(self.problems) == before


def _invalid(inclusion: Inclusion) -> str:
    return f"the included {inclusion.location} script {inclusion.name!r} is not valid"
