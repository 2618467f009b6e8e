"""The scripts of a dry run: those in a row, and those that they include, compiled and with their texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.cli.sieve_input import read
from sievemda.cli.sieve_world import Shelf
from sievemda.sieve.check import check_script
from sievemda.sieve.compile import ProgramCache
from sievemda.sieve.library import label
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.run import Origin
from sievemda.sieve.sequence import Stage
from sievemda.sieve.story import Source, read_source

if TYPE_CHECKING:
    from sievemda.cli.terminal import Screen
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.problems import Problem
    from sievemda.sieve.program import Program


class Row:
    """The scripts before, the user's own, and those after. `wrong` is what makes one of them invalid.

    `sources` are their texts by label, the user's own has an empty one; scripts that they include follow as a run asks
    for them. Raises `Unreadable`.
    """

    def __init__(
        self,
        script: str,
        before: tuple[str, ...],
        after: tuple[str, ...],
        include: tuple[str, ...],
        limits: Limits,
        available: frozenset[str] | None,
    ) -> None:
        own_folder = () if script == "-" else (str(Path(script).absolute().parent),)
        self.script = script
        self.limits = limits
        self.stages: list[Stage] = []
        self.warnings: list[Problem] = []
        self.wrong: list[Problem] = []
        self.sources: dict[str, Source] = {}
        self._texts: dict[str, bytes] = {}
        self._shelf = Shelf(tuple(map(Path, include or own_folder)))
        self._available = available
        self._programs = ProgramCache(limits, available)
        self._included: dict[tuple[str, str], Program | ScriptError | None] = {}
        for file in (*before, script, *after):
            self._add(file, "" if file == script else file)

    def _add(self, file: str, called: str) -> None:
        text = self._texts[called] = read(file)
        try:
            program = self._programs.get(text)
        except ScriptError:
            found = check_script(text, self.limits, self._available)
            self.wrong += (replace(problem, script=called) for problem in found)
            return
        name = Path(file).stem
        path = self._shelf.path("personal", name)
        included_as = ("personal", name) if path and path.absolute() == Path(file).absolute() else None
        self.stages.append(Stage(lambda: program, Origin(called, included_as)))
        self.warnings += (replace(problem, script=called) for problem in program.problems)
        self.sources[called] = read_source(text, self.limits)

    def lines(self, problems: Iterable[Problem], where: Screen) -> Iterator[str]:
        """Problems for people, those of a compiled script with the place that is meant."""
        from sievemda.cli.sieve_caret import explained

        for problem in problems:
            text = self._texts.get(problem.script, b"")
            yield from explained(problem.script or self.script, text, [replace(problem, script="")], where)

    def load_included(self, location: str, name: str) -> Program | None:
        """A script to include, read and compiled once. Raises `ScriptError`."""
        key = location, name
        if key not in self._included:
            try:
                self._included[key] = self._shelf.loader(self._programs.get, self._has_read)(location, name)
            except ScriptError as e:
                self._included[key] = e
        found = self._included[key]
        if isinstance(found, ScriptError):
            raise found
        return found

    def _has_read(self, location: str, name: str, text: bytes) -> None:
        self.sources.setdefault(label(location, name), read_source(text, self.limits))
