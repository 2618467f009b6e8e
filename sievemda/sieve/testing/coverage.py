"""Which rules of the scripts under test were reached by a test: each branch of an if, there and in what they include.

A script counts from when it was compiled, so one that never ran has no rule that was reached. One that several files
test counts once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sievemda.sieve.compile import compile_script
from sievemda.sieve.library import label
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Inclusion
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.rules import Rule, rules
from sievemda.sieve.run import Entered
from sievemda.sieve.testing.site import Library


@dataclass(slots=True)
class Covered:
    """The rules of one script, and how many runs entered each of them."""

    path: str
    rules: tuple[Rule, ...]
    counts: dict[tuple[int, int], int] = field(default_factory=dict)

    def count(self, rule: Rule) -> int:
        return self.counts.get((rule.line, rule.column), 0)

    @property
    def missed(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if not self.count(rule))

    @property
    def reached(self) -> int:
        return len(self.rules) - len(self.missed)

    @property
    def percent(self) -> float:
        return 100 * self.reached / len(self.rules) if self.rules else 100.0


class Coverage:
    """Of all scripts under test of one call."""

    def __init__(self) -> None:
        self._scripts: dict[str, Covered] = {}
        self._programs: dict[int, tuple[Program, dict[str, str]]] = {}  # paths by what a run calls the scripts

    @property
    def scripts(self) -> list[Covered]:
        return [self._scripts[path] for path in sorted(self._scripts)]

    def compiled(self, path: Path, text: bytes, program: Program, library: Library, limits: Limits) -> None:
        """A script under test has been compiled; what it includes counts too."""
        names = {"": self._note(_shown(path), text, limits)}
        waiting = list(program.includes)
        while waiting:
            inclusion = waiting.pop()
            called = label(inclusion.location, inclusion.name)
            if called not in names and (found := library.text(inclusion)) is not None:
                file = library.path(inclusion.location, inclusion.name)
                names[called] = self._note(_shown(file) if file else called, found, limits)
                waiting += _inclusions(found, limits)
        self._programs[id(program)] = program, names

    def _note(self, path: str, text: bytes, limits: Limits) -> str:
        found = rules(text, limits)
        known = self._scripts.get(path)
        if known is None or known.rules != found:
            self._scripts[path] = Covered(path, found)
        return path

    def ran(self, program: Program, entered: Iterable[Entered]) -> None:
        """A run of that program entered these rules."""
        _, names = self._programs.get(id(program), (program, {}))
        for each in entered:
            if (path := names.get(each.script)) is not None:
                counts = self._scripts[path].counts
                counts[each.line, each.column] = counts.get((each.line, each.column), 0) + 1

    # -- telling of it -----------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """For people."""
        yield "coverage:"
        for script in self.scripts:
            yield f"  {script.path}: {script.reached} of {len(script.rules)} rules ({script.percent:.0f} %)"
            for rule in script.missed:
                yield f"    not reached: line {rule.line}: {rule.called}"

    def to_json(self) -> dict[str, Any]:
        reached = sum(script.reached for script in self.scripts)
        count = sum(len(script.rules) for script in self.scripts)
        return {
            "rules": count,
            "reached": reached,
            "percent": round(100 * reached / count, 1) if count else 100.0,
            "scripts": [
                {
                    "path": script.path,
                    "rules": len(script.rules),
                    "reached": script.reached,
                    "percent": round(script.percent, 1),
                    "lines": [
                        {
                            "line": rule.line,
                            "column": rule.column,
                            "name": rule.name,
                            "title": rule.title,
                            "runs": script.count(rule),
                        }
                        for rule in script.rules
                    ],
                }
                for script in self.scripts
            ],
        }

    def lcov(self) -> str:
        """The tracefile format of lcov: the line of each rule, and each rule as a branch."""
        lines: list[str] = []
        for script in self.scripts:
            runs: dict[int, int] = {}
            for rule in script.rules:
                runs[rule.line] = max(runs.get(rule.line, 0), script.count(rule))
            lines += ["TN:", f"SF:{script.path}"]
            lines += [f"BRDA:{rule.line},0,{at},{script.count(rule)}" for at, rule in enumerate(script.rules)]
            lines += [f"BRF:{len(script.rules)}", f"BRH:{script.reached}"]
            lines += [f"DA:{line},{count}" for line, count in sorted(runs.items())]
            lines += [f"LF:{len(runs)}", f"LH:{sum(count > 0 for count in runs.values())}", "end_of_record"]
        return "".join(f"{line}\n" for line in lines)


def _shown(path: Path) -> str:
    """As people name it: from where they stand, when it is below."""
    whole = os.path.normpath(path.absolute())
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - as text, with its slash
    return whole.removeprefix(here)


def _inclusions(text: bytes, limits: Limits) -> list[Inclusion]:
    """What a script includes that is included itself."""
    try:
        return list(compile_script(text, limits).includes)
    except ScriptError:
        return []
