"""Run test files: each in a world of its own, from top to bottom, once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sievemda.sieve.base.control import Chain
from sievemda.sieve.compile import compile_script
from sievemda.sieve.node import Command
from sievemda.sieve.problems import RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Stop
from sievemda.sieve.testing.bench import Bench
from sievemda.sieve.testing.cases import Case
from sievemda.sieve.testing.settings import Settings
from sievemda.sieve.testing.site import NAME
from sievemda.sieve.testing.words import TestCommand
from sievemda.sieve.vocabulary import registry


@dataclass(slots=True)
class FileResult:
    path: Path
    cases: list[Case] = field(default_factory=list)
    error: str | None = None  # did not compile, or aborted
    problems: tuple[str, ...] = ()
    duration: float = 0.0

    @property
    def status(self) -> str:
        if self.error is not None:
            return "error"
        return "passed" if all(case.status == "passed" for case in self.cases) else "failed"


def run_file(path: Path, *, only: re.Pattern[str] | None = None, fail_fast: bool = False) -> FileResult:
    """Run one test file. `only`: tests whose name it does not match are left out. Raises OSError."""
    result = FileResult(path)
    started = time.perf_counter()
    settings = Settings(path.absolute().parent)
    try:
        program = compile_script(
            path.read_bytes(), settings.site.limits, registry().public | {NAME}, settings.site.library
        )
    except ScriptError as e:
        result.error = "does not compile"
        result.problems = tuple(f"{path}:{problem}" for problem in e.problems)
        return result
    if nested := tuple(_nested(program.commands)):
        result.error = "does not compile"
        result.problems = tuple(f"{path}:{c.line}:{c.column}: error: a test inside a block" for c in nested)
        return result
    commands = tuple(_chosen(program.commands, only))
    bench = Bench(path, settings)
    bench.cases = result.cases = _cases(commands)
    try:
        _run(replace(program, commands=commands), bench, fail_fast=fail_fast)
    except RunError as e:
        result.error = f"aborted: {e.text}"
    result.duration = time.perf_counter() - started
    return result


def _chosen(commands: Sequence[Command], only: re.Pattern[str] | None) -> Iterator[Command]:
    for command in commands:
        if only is None or not isinstance(command, TestCommand) or only.search(command.name.source):
            yield command


def _cases(commands: Sequence[Command]) -> list[Case]:
    found = [c for c in commands if isinstance(c, TestCommand)]
    return [Case(index, test.name.source, test.line) for index, test in enumerate(found, 1)]


def _run(program: Program, bench: Bench, *, fail_fast: bool) -> None:
    run = bench.play(program)
    try:
        for command in program.commands:
            run.block((command,))
            if fail_fast and bench.started and bench.cases[bench.started - 1].status == "failed":
                return
    except Stop:
        return


def _nested(commands: Sequence[Command], *, top: bool = True) -> Iterator[Command]:
    """`test` commands that stand inside a block, where none may."""
    for command in commands:
        if isinstance(command, TestCommand):
            if not top:
                yield command
            yield from _nested(command.block.commands, top=False)
        elif isinstance(command, Chain):
            for _, inner, _ in command.links:
                yield from _nested(inner, top=False)
