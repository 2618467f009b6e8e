"""A run that is watched: every command and test in the order in which control came to them, with what came of each.

Why a kind of `Run` and not more in every trace: what a user wants to know of one run (why a test was false, what a
variable held, what the budget came to) would cost each delivery more than the tests themselves. A watched run decides
and spends what any other does; it only tries all tests one by one, where another may look them up (see `skipping`).

Words are made as soon as a test has been tried, because its strings then still are what they were. What that costs is
not charged to the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.effects import Effect
from sievemda.sieve.explain import Seen, matched, reason
from sievemda.sieve.facts import Facts
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command, Test
from sievemda.sieve.problems import Problem, RunError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Compared, Run, Stop
from sievemda.sieve.text import Text

Place = tuple[int, int]
MOST = 50_000  # commands and tests that are recorded


class Deed(NamedTuple):
    """Something that a command or test did: `kind` is action, merged, set, flags, edit or log."""

    kind: str
    text: str
    effect: Effect | None = None


@dataclass(slots=True, eq=False)
class Moment:
    """Control at one command or test; `depth` counts the blocks, tests and included scripts around it."""

    node: Command | Test
    script: str
    depth: int
    part: str = ""  # which part of the message a loop is at: 1.2
    deeds: list[Deed] = field(default_factory=list)
    filled: list[tuple[str, str]] = field(default_factory=list)  # strings with variables, and what they became
    error: str = ""  # the run-time error that it ended with
    instructions: int = 0  # that the run has spent when it is over
    characters: int = 0


@dataclass(slots=True, eq=False)
class Step(Moment):
    """A command. For an `if`, `trials` are the tests of its branches, and `taken` is the branch that was entered."""

    node: Command
    inside: Place | None = None  # the branch that it stands in, if in one
    trials: list[Trial] = field(default_factory=list)
    taken: Place | None = None


@dataclass(slots=True, eq=False)
class Trial(Moment):
    """A test. `result` is `None` when an error ended it; `tests` are those inside it that were tried."""

    node: Test
    result: bool | None = None
    compared: list[Compared] = field(default_factory=list)
    tests: list[Trial] = field(default_factory=list)
    count: int | None = None
    captures: tuple[str, ...] = ()  # match variables, when it set any
    reason: str = ""
    matched: tuple[str, str] | None = None  # the value and the key that made it true


class End(NamedTuple):
    """How a script came to its end before its last line: by `stop`, `return` or an error."""

    how: str
    line: int
    script: str


@dataclass(slots=True)
class Trace:
    """What has been watched, of all scripts of a row. `trials` are in the order of `Outcome.tests`."""

    moments: list[Moment] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    ends: dict[str, End] = field(default_factory=dict)  # by script
    began: dict[str, None] = field(default_factory=dict)  # the scripts that were run, in order
    actions: list[Effect] = field(default_factory=list)
    turn: int = 0  # how many of them there were when the last script of the row began

    @property
    def is_full(self) -> bool:
        """Whether no more is recorded: loops over many parts make a long story."""
        return len(self.moments) >= MOST

    def begin(
        self, program: Program, message: Message, envelope: Envelope, facts: Facts, limits: Limits, **more: Any
    ) -> Traced:
        """A run of one script, for `run_all`."""
        self.turn = len(self.actions)
        return Traced(self, program, message, envelope, facts, replace(limits, lookup=0), **more)


class Traced(Run):
    def __init__(self, watcher: Trace, program: Program, *rest: Any, **more: Any) -> None:
        super().__init__(program, *rest, **more)
        self.watcher = watcher
        self._open: list[Moment] = []
        self._inside: Place | None = None
        self._budget = self._steps, self._matching
        self._aside = False
        self._flags = self.flags
        self._words = 2 * self._matching  # characters that may be looked at to explain
        watcher.began[self.script] = None

    def follow(self) -> Problem | None:
        failure = super().follow()
        if failure is not None:
            self.watcher.ends.setdefault(self.origin.label, End("error", failure.line, failure.script))
        return failure

    def block(self, commands: tuple[Command, ...]) -> None:
        inside = self._inside
        for command in commands:
            if self._is_full:
                super().block((command,))
                continue
            step = Step(command, self.script, len(self._open), self._part(), inside=inside)
            with self._watching(step):
                super().block((command,))
                if self.flags != self._flags:
                    self._flags = self.flags
                    step.deeds.append(Deed("flags", " ".join(self.flags)))
            self._inside = inside

    def test(self, test: Test) -> bool:
        if self._is_full:
            return super().test(test)
        trial = Trial(test, self.script, len(self._open), self._part())
        around = self._open[-1] if self._open else None
        if isinstance(around, Step):
            around.trials.append(trial)
        elif isinstance(around, Trial):
            around.tests.append(trial)
        with self._watching(trial):
            captures = self.captures
            trial.result = super().test(test)
            trial.captures = self.captures if self.captures is not captures and not trial.tests else ()
            self.watcher.trials.append(trial)
            self._explain(trial)
        return trial.result

    def _explain(self, trial: Trial) -> None:
        inner = [(test.result, test.reason) for test in trial.tests]
        seen = Seen(bool(trial.result), trial.compared, inner, trial.count)
        with self._not_charged(), suppress(RunError):
            trial.matched = matched(trial.node, self, seen)
            trial.reason = reason(trial.node, self, seen, trial.matched)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self._inside = place
        step = self._open[-1] if self._open else None
        if isinstance(step, Step):
            step.taken = place

    def include(self, program: Program, label: str, shown: Message | None = None) -> None:
        self.watcher.began[label] = None
        self.watcher.ends.pop(label, None)
        inside, self._inside = self._inside, None
        try:
            super().include(program, label, shown)
        finally:
            self._inside = inside

    def saw(self, values: Sequence[str], keys: Sequence[str]) -> None:
        super().saw(values, keys)
        if (trial := self._trial) is not None:
            trial.compared.append(Compared(values, keys))

    def counted(self, number: int) -> None:
        if (trial := self._trial) is not None:
            trial.count = number

    def add(self, effect: Effect) -> None:
        before = list(self.actions.effects)
        super().add(effect)
        after = self.actions.effects
        changed = next((now for was, now in zip(before, after, strict=False) if was is not now), None)
        fresh = after[len(before)] if len(after) > len(before) else None
        kind = "action" if fresh else "merged" if changed else "ignored"
        self._did(Deed(kind, "", fresh or changed or effect))
        self.watcher.actions.append(fresh or changed or effect)

    def assign(self, name: str, value: str) -> None:
        super().assign(name, value)
        if name not in self.program.shared:
            self._did(Deed("set", f"{name}\0{value}"))

    def assign_global(self, name: str, value: str) -> None:
        super().assign_global(name, value)
        self._did(Deed("set", f"{name}\0{value}"))

    def edit(self, message: Message, what: str) -> None:
        super().edit(message, what)
        self._did(Deed("edit", what))

    def note(self, text: str) -> None:
        super().note(text)
        if not self._aside:
            self._did(Deed("log", text))

    def _expanded(self, text: Text) -> str:
        value = super()._expanded(text)
        if self._open and not self._aside:
            self._open[-1].filled.append((text.source, value))
        return value

    @property
    def _trial(self) -> Trial | None:
        """The test under way, of which something is to be noted."""
        last = self._open[-1] if self._open and not self._aside and not self._is_full else None
        return last if isinstance(last, Trial) else None

    @property
    def _is_full(self) -> bool:
        return self.watcher.is_full

    def _did(self, deed: Deed) -> None:
        if self._open:
            self._open[-1].deeds.append(deed)

    def _part(self) -> str:
        return ".".join(str(number + 1) for number in self.loops[-1].path) or "0" if self.loops else ""

    @contextmanager
    def _watching(self, moment: Moment) -> Iterator[None]:
        self.watcher.moments.append(moment)
        self._open.append(moment)
        try:
            yield
        except Stop:
            if moment is self._open[-1] and isinstance(moment.node, Command) and moment.node.ends:
                self._ended(moment)
            raise
        except RunError as error:
            moment.error = error.text
            self.watcher.ends[self.script] = End("error", error.line or self.line, error.script or self.script)
            raise
        finally:
            self._open.pop()
            steps, matching = self._budget
            moment.instructions, moment.characters = steps - self._steps, matching - self._matching

    def _ended(self, moment: Moment) -> None:
        """A `stop` ends all scripts around it, a `return` its own."""
        how = moment.node.keyword
        for script in self._scripts() if how == "stop" else (self.script,):
            self.watcher.ends[script] = End(how, moment.node.line, moment.script)

    def _scripts(self) -> set[str]:
        return {moment.script for moment in self._open}

    @contextmanager
    def _not_charged(self) -> Iterator[None]:
        """What is asked only to explain leaves no trace in the run; it has a budget of its own."""
        kept = self._steps, self._matching, self.captures, self.captures_wanted, self._compared
        self._aside, self.captures_wanted = True, False
        self._steps, self._matching = self.limits.instructions, self._words
        try:
            yield
        finally:
            self._words = self._matching
            self._steps, self._matching, self.captures, self.captures_wanted, self._compared = kept
            self._aside = False
