"""What a test file works on: the current message and envelope, the script under test, its result, the error log.

A bench belongs to one test file and answers the facts of its scripts. It knows the world (mailboxes, what was sent) by
what `world` says of it.

The test file itself is a run (`play`), and what it shares with the scripts under test is in that run: the message with
its edits, and the list of actions. A script under test runs with the same list, and leaves the message as edited to the
file; its variables are its own. What has been carried out of the list is no longer in the list, but in front of it
(`executed`), where it contradicts nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from sievemda.sieve.actions import Actions
from sievemda.sieve.combining import cancels_keep
from sievemda.sieve.effects import Effect, Note, Store
from sievemda.sieve.problems import Problem, RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Carried, Entered, Run, implicit_keep
from sievemda.sieve.testing.cases import Cases, TestFailed
from sievemda.sieve.testing.clock import processor_time
from sievemda.sieve.testing.row import Row, Script, fills_inbox
from sievemda.sieve.testing.settings import Settings
from sievemda.sieve.testing.site import Site, read_regular
from sievemda.sieve.testing.subject import Subject
from sievemda.sieve.testing.surroundings import Surroundings
from sievemda.sieve.testing.world import Due, MakeWorld

_STAGES = {"parse": "parse failed", "bind": "validation failed", "generate": "code generation failed"}


class BenchRun(Run):
    """A run whose internal flags are those of the bench: what a script leaves there is there for the next one."""

    def __init__(self, bench: Bench, program: Program, carried: Carried) -> None:
        self._bench = bench
        kept = bench.flags_set
        super().__init__(program, bench.subject.message, bench.subject.envelope, bench, bench.limits, carried=carried)
        bench.flags_set = kept

    @property
    def flags(self) -> tuple[str, ...]:
        return self._bench.flags

    @flags.setter
    def flags(self, flags: tuple[str, ...]) -> None:
        self._bench.flags_set = flags


class Bench(Surroundings):
    """The state of one test file."""

    def __init__(self, path: Path, settings: Settings | None = None, make_world: MakeWorld | None = None) -> None:
        self.directory = path.absolute().parent
        super().__init__(settings or Settings(self.directory), Subject(self.log), make_world)
        self.cases = Cases()
        self.errors: list[str] = []
        self.say: Callable[[str], None] = print  # what the file wants people to see
        self.told: Callable[[Problem], None] = _nobody  # hears of each entry of the error log
        self.compiled: Callable[[Script], None] = _nobody  # hears of each script that has become one under test
        self.ran: Callable[[Script, Sequence[Entered]], None] = _nobody  # hears of each run of one, by what it entered
        self.script: Script | None = None
        self.saved: dict[str, Script] = {}
        self.flags_set: tuple[str, ...] | None = None  # the internal flags, once somebody has asked for them
        self._executed: tuple[Effect, ...] = ()
        self._runs: list[Run] = []  # the file's own, and that of the script under test

    # -- the run of the file -----------------------------------------------------------------------------------

    def play(self, program: Program) -> BenchRun:
        """The run of the test file itself."""
        file = BenchRun(self, program, Carried(self.subject.message))
        self._runs = [file]
        self.reset_result()
        return file

    @property
    def file(self) -> Run:
        return self._runs[0]

    def settle(self, site: Site) -> None:
        """Other settings are in force now: for the actions of the file itself, too."""
        for run in self._runs:
            run.limits = run.actions.limits = site.limits

    @property
    def flags(self) -> tuple[str, ...]:
        """The internal flags: they begin with those that the message has, when somebody first asks."""
        if self.flags_set is None:
            self.flags_set = self.subject.flags
        return self.flags_set

    @property
    def under_test(self) -> bool:
        """Whether it is a script under test that runs now, and not the file."""
        return len(self._runs) > 1

    def refuse_nesting(self) -> None:
        """Why scripts under test may not run others: one that runs itself would never end."""
        if self.under_test:
            raise RunError("a script under test can neither run scripts nor carry out a result")

    @contextmanager
    def trying(self, state: Run) -> Iterator[None]:
        """This is the run of the script under test."""
        self.restart_clock()
        self._runs.append(state)
        try:
            with processor_time(self.settings.site.processor_time):
                yield
        finally:
            self._runs.pop()

    def presented(self) -> None:
        """The message or the envelope is another one now: what was edited is forgotten."""
        for run in self._runs:
            if run.original is not self.subject.message or run.envelope is not self.subject.envelope:
                run.original, run.envelope = self.subject.message, self.subject.envelope
                _unedit(run)

    # -- the error log -----------------------------------------------------------------------------------------

    def log(self, text: str) -> None:
        self.report(Problem(0, 0, text))

    def report(self, problem: Problem, script: str = "") -> None:
        """An error in this script, unless it says itself which one it is in."""
        self.errors.append(problem.text)
        self.told(replace(problem, script=problem.script or script))

    # -- scripts under test ------------------------------------------------------------------------------------

    def compile(self, relative: str) -> bool:
        """Make it the script under test; what is wrong with it goes to the error log."""
        self.errors.clear()
        script = self.compiled_script(relative)
        self.script = script or self.script
        return script is not None

    def compiled_script(self, relative: str) -> Script | None:
        """The script; what is wrong with the script goes to the error log, with one line that sums up."""
        path = self.directory / relative
        try:
            text = read_regular(path, self.limits)
        except (OSError, ValueError):
            self.report(Problem(0, 0, f"script not found: {relative}", script=relative))
            return None
        try:
            script = Script(relative, path, text, self.program(text))
        except ScriptError as e:
            for problem in e.problems:
                if problem.severity == "error":
                    self.report(problem, relative)
            if not _unread(e):
                self.report(Problem(0, 0, _STAGES[e.stage]), relative)
            return None
        self.compiled(script)
        return script

    def run(self, *, append: bool) -> bool:
        """Run the script under test; whether it ended without a run-time error, and nowhere said that it failed."""
        self.refuse_nesting()
        self.errors.clear()
        script = self.script
        if script is None:
            sys.stderr.write("test_script_run: no script was compiled\n")
            return False
        if not append:
            self.reset_result()
        file = self.file
        carried = Carried(file.message, (), (), file.keep_target, file.unenclosed, file.protected)
        state = BenchRun(self, script.program, carried)
        state.actions = file.actions
        failed = self._follow(state, script)
        file.message, file.keep_target = state.message, state.keep_target
        file.unenclosed, file.protected = state.unenclosed, state.protected
        return not failed

    def _follow(self, state: BenchRun, script: Script) -> bool:
        """Whether it failed."""
        try:
            with self.trying(state):
                failure = state.follow()
        except TestFailed as e:
            self.say(f"the script under test failed: {e}")
            return True
        finally:
            self.ran(script, tuple(state.entered))
            self.hear_notes(state.notes, script.name)
        if failure is not None:
            self.report(failure, script.name)
        return failure is not None

    def run_row(self, relatives: Sequence[str]) -> bool:
        """Several scripts as in a delivery, with a result of their own; whether all that were reached did well."""
        self.refuse_nesting()
        self.errors.clear()
        return Row(self).run(relatives)

    def save(self, called: str) -> None:
        if self.script is None:
            raise RunError("test_binary_save: no script was compiled")
        self.saved[called] = self.script

    def load(self, called: str) -> None:
        if called not in self.saved:
            raise RunError(f"test_binary_load: nothing was saved as '{called}'")
        self.script = self.saved[called]

    # -- the result --------------------------------------------------------------------------------------------

    @property
    def result(self) -> tuple[Effect, ...]:
        """All actions that were decided, carried out or not, but for the implicit keep."""
        decided = (*self._executed, *self.file.actions.effects)
        return tuple(effect for effect in decided if not (isinstance(effect, Store) and effect.implicit))

    def reset_result(self) -> None:
        """An empty list; what was edited is forgotten, and so are the flags."""
        self._executed = ()
        self.flags_set = None
        for run in self._runs:
            _unedit(run)
            run.actions = Actions(self.limits, keep_is_inbox=True)

    def carry_out(self) -> bool:
        """What of the list has not been carried out, and the implicit keep when it is due; whether all went well."""
        self.refuse_nesting()
        self.errors.clear()
        file, actions = self.file, self.file.actions
        effects = tuple(actions.effects)
        keep = implicit_keep(file)
        if self.keep_is_due():
            effects += (keep,)
        done = self.perform(effects, keep)
        self._executed += effects
        file.actions = Actions(self.limits, keep_is_inbox=True, earlier=self._executed)
        return done

    def keep_is_due(self) -> bool:
        """Whether the implicit keep is: no entry has cancelled it, and none has satisfied it by filling the INBOX.

        Why the entries are asked, and not whether any action ever cancelled it: of two equal actions the first says
        whether it had `:copy`, as in Pigeonhole.
        """
        entries = (*self._executed, *self.file.actions.effects)
        return not any(cancels_keep(entry) or fills_inbox(entry) for entry in entries)

    def perform(self, effects: tuple[Effect, ...], fallback: Store) -> bool:
        """Carry these out, all or none; whether all went well."""
        subject = self.subject
        programs = self.settings.site.programs
        due = Due(subject.message, subject.envelope, effects, fallback, programs, self.frozen)
        trouble = self.world.carry_out(due)
        if trouble:
            self.log(trouble)
        return not trouble

    def fail(self, reason: str, line: int) -> NoReturn:
        """The test under way has failed, or the script under test says so."""
        if self.cases.current is None and not self.under_test:
            raise RunError(f"failed outside of any test: {reason}", line)
        raise TestFailed(reason, line)

    def hear_notes(self, notes: Sequence[Note], script: str = "") -> None:
        """What a script under test wrote to its log: errors that did not end it are errors like any."""
        self.tell_notes([note for note in notes if not note.error], script)
        for note in notes:
            if note.error:
                self.report(Problem(note.line, 0, note.text, script=note.script), script)

    def tell_notes(self, notes: Sequence[Note], script: str = "") -> None:
        """Show what a script wrote to its log."""
        for note in notes:
            self.say(f"{note.script or script}:{note.line}: {note.text}")


def _nobody(*_told: object) -> None:
    """Who hears it and says nothing."""


def _unread(error: ScriptError) -> bool:
    """Whether the script is too large to be looked at: that is one error, and nothing to sum up."""
    return [problem.code for problem in error.problems] == ["limit"]


def _unedit(run: Run) -> None:
    run.message = run.original
    run.keep_target = run.unenclosed = None
    run.protected = frozenset()


def bench_of(run: Run) -> Bench:
    assert isinstance(run.facts, Bench)
    return run.facts
