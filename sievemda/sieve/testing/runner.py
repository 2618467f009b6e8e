"""Run test files: each in a world of its own, from top to bottom, once."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sievemda.sieve.base.control import Chain
from sievemda.sieve.compile import compile_script
from sievemda.sieve.node import Block, Command
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import Problem, RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Run, Stop
from sievemda.sieve.testing.bench import Bench
from sievemda.sieve.testing.cases import FAILED, Case, Cases
from sievemda.sieve.testing.clock import TimedOut, alarm
from sievemda.sieve.testing.coverage import Coverage
from sievemda.sieve.testing.result import FileResult, Trouble
from sievemda.sieve.testing.settings import Settings
from sievemda.sieve.testing.site import ALIAS, LIMITS, everything, read_script
from sievemda.sieve.testing.words import TestCommand
from sievemda.sieve.testing.world import MakeWorld
from sievemda.sieve.tree import Str

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How test files are to be run.

    `only`: tests whose name it does not match are left out. `settings` are in force from the start. `timeout` is in
    seconds of the wall clock for each file, 0 for none. `say` gets what the file prints, `told` each entry of its
    error log.
    """

    only: re.Pattern[str] | None = None
    fail_fast: bool = False
    expect_failure: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    timeout: float = 60
    say: Tell = print
    told: Callable[[Problem], None] | None = None
    make_world: MakeWorld | None = None
    coverage: Coverage | None = None


def settings_of(order: Order, directory: Path) -> Settings:
    """The settings that a file in that directory begins with. Raises `ValueError`."""
    settings = Settings(directory)
    for name, value in order.settings:
        settings.set(name, value)
    settings.reload_all()
    return settings


def run_file(path: Path, order: Order = Order()) -> FileResult:
    """Run one test file. Whatever happens is told in the result."""
    return _File(path, order).run()


def list_file(path: Path, order: Order) -> FileResult:
    """The result of a file whose turn does not come any more: none of its tests is run."""
    file = _File(path, order)
    try:
        file.list(file.read())
    except OSError as e:
        file.result.fail("unreadable", f"cannot be read: {e.strerror or e}")
    return file.result


class _File:
    def __init__(self, path: Path, order: Order) -> None:
        self.path = path
        self.order = order
        self.result = FileResult(path, order.expect_failure)
        self._bench: Bench | None = None
        self._text = b""

    def run(self) -> FileResult:
        started = time.perf_counter()
        try:
            with alarm(self.order.timeout):
                self._run()
        except OSError as e:
            self._fail("unreadable", f"cannot be read: {e.strerror or e}")
        except RunError as e:
            where = f" in {e.script}" if e.script else ""
            self._fail("aborted", f"aborted: {e.text} (line {e.line}{where})", e.line)
        except TimedOut:
            self._fail("timed out", f"timed out after {self.order.timeout:g} seconds")
            self._list_after_all()
        except KeyboardInterrupt:
            self._fail("interrupted", "interrupted")
        except Exception as e:  # noqa: BLE001 - a fault of ours in one file must not take the others with it
            at = traceback.extract_tb(e.__traceback__)[-1]
            self._fail("internal", f"internal error: {type(e).__name__}: {e} ({Path(at.filename).name}:{at.lineno})")
        finally:
            self.result.duration = time.perf_counter() - started
            if self._bench is not None:
                self._bench.close()
        return self.result

    def _fail(self, trouble: Trouble, error: str, line: int = 0) -> None:
        """The file is an error, and the test under way has failed."""
        self.result.fail(trouble, error, line)
        cases = self._bench.cases if self._bench is not None else Cases()
        if cases.current is not None:
            self.result.in_test = True
            if cases.current.message is None:
                cases.current.fail("timed out" if trouble == "timed out" else error)

    # -- reading -----------------------------------------------------------------------------------------------

    def read(self) -> bytes:
        """Not more of it than can be compiled. Raises OSError."""
        return read_script(self.path)

    def list(self, text: bytes) -> None:
        """The tests of a file that is not run; none when it cannot be read as a script."""
        try:
            calls = parse(text, LIMITS)
        except ScriptError:
            return
        named = [(call, call.arguments[0] if call.arguments else None) for call in calls if call.name == "test"]
        found = [(name.value if isinstance(name, Str) else "", call.line) for call, name in named]
        self.result.cases = _cases([item for item in found if self._wanted(item[0])])

    def _list_after_all(self) -> None:
        """The tests of a file whose time was up before it had been compiled."""
        if self._bench is None and self._text:
            with suppress(TimedOut), alarm(self.order.timeout):
                self.list(self._text)

    def _wanted(self, name: str) -> bool:
        return self.order.only is None or self.order.only.search(name) is not None

    def _run(self) -> None:
        text = self._text = self.read()
        settings = settings_of(self.order, self.path.absolute().parent)
        try:
            program = self._compiled(text, settings)
        except ScriptError as e:
            if e.stage != "parse":
                self.list(text)
            self.result.problems = e.problems
            self._tell_of(e.problems, foreign=ALIAS.encode() in text)
            return
        commands = tuple(c for c in program.commands if not isinstance(c, TestCommand) or self._wanted(c.name.source))
        self._bench = bench = self._new_bench(settings)
        bench.cases = self.result.cases = _cases(
            [(command.name.source, command.line) for command in commands if isinstance(command, TestCommand)]
        )
        self._play(replace(program, commands=commands), bench)

    def _new_bench(self, settings: Settings) -> Bench:
        order = self.order
        bench = Bench(self.path, settings, order.make_world)
        bench.say = order.say
        if order.told is not None:
            bench.told = order.told
        if (coverage := order.coverage) is not None:
            bench.compiled = lambda script: coverage.compiled(
                script.path, script.text, script.program, bench.library, bench.limits
            )
            bench.ran = lambda script, entered: coverage.ran(script.program, entered)
        return bench

    def _compiled(self, text: bytes, settings: Settings) -> Program:
        """The program of the file, which may use everything there is."""
        limits = replace(settings.site.limits, script_size=LIMITS.script_size)
        program = compile_script(text, limits, everything(), settings.site.library)
        if nested := tuple(_nested(program.commands)):
            text_of = "the test command can be used only at the top level of a test file, not inside a block"
            raise ScriptError(tuple(Problem(c.line, c.column, text_of) for c in nested))
        return program

    def _tell_of(self, problems: Sequence[Problem], *, foreign: bool) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        error = f"does not compile: line {first.line}: {first.text}{more}"
        if foreign:
            error += f"; of the dialect of {ALIAS} only what Pigeonhole has too is supported"
        self.result.fail("invalid", error, first.line)

    # -- running -----------------------------------------------------------------------------------------------

    def _play(self, program: Program, bench: Bench) -> None:
        run = bench.play(program)
        stop_at_failure = self.order.fail_fast and not self.order.expect_failure
        try:
            for command in program.commands:
                if isinstance(command, TestCommand):
                    bench.cases.comes()
                self._step(bench, run, command)
                if stop_at_failure and bench.cases.started and bench.cases[bench.cases.started - 1].status == FAILED:
                    return
        except Stop:
            return

    def _step(self, bench: Bench, run: Run, command: Command) -> None:
        try:
            run.block((command,))
        except RunError as e:
            e.line = e.line or run.line
            raise
        finally:
            bench.tell_notes(run.notes, str(self.path))
            run.notes.clear()


def _cases(found: Sequence[tuple[str, int]]) -> Cases:
    return Cases([Case(index, name, line) for index, (name, line) in enumerate(found, 1)])


def _nested(commands: Sequence[Command], *, top: bool = True) -> Iterator[Command]:
    """`test` commands that stand inside a block, where none may."""
    for command in commands:
        if isinstance(command, TestCommand) and not top:
            yield command
        block = getattr(command, "block", None)
        if isinstance(block, Block):
            yield from _nested(block.commands, top=False)
        if isinstance(command, Chain):
            for link in command.links:
                yield from _nested(link[1], top=False)
