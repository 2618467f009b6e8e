"""A run told rule by rule: which rules were tried, which matched, which were never reached and why, and what they did.

The rules come from the text of the scripts (see `rules`), what became of them from a run that was watched (see
`tracing`). A rule in a loop, or in a script that is included twice, may be tried many times; it is told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sievemda.sieve.base.control import Chain
from sievemda.sieve.combining import cancels_keep, name
from sievemda.sieve.effects import Effect
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command, Test
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.rules import Rule, one_line, rules_of
from sievemda.sieve.run import Outcome
from sievemda.sieve.tracing import End, Place, Step, Trace, Trial
from sievemda.sieve.tree import Call, walk

MATCHED, NO_MATCH, NOT_TRIED, NOT_REACHED, FAILED = "matched", "no match", "not tried", "not reached", "failed"


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a script: its rules, and each command and test on one line."""

    rules: tuple[Rule, ...] = ()
    calls: Mapping[Place, Call] = field(default_factory=dict)

    def title(self, node: Command | Test) -> str:
        call = self.calls.get((node.line, node.column))
        return one_line(call) if call else node.keyword


def read_source(text: bytes, limits: Limits) -> Source:
    """The source of a script; of one that does not parse, nothing."""
    try:
        calls = parse(text, limits)
    except ScriptError:
        return Source()
    rules = tuple(rules_of(calls, text.decode("utf-8", "surrogateescape")))
    return Source(rules, {(call.line, call.column): call for call, _, _ in walk(calls)})


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a rule: `result` is one of the words above, `why` says so in a sentence.

    `trials` are all times that it was tried, `steps` what was executed in it, without the rules inside it.
    """

    script: str
    rule: Rule
    result: str
    why: str
    trials: tuple[Trial, ...] = ()
    steps: tuple[Step, ...] = ()
    times: int = 0  # that it matched


@dataclass(slots=True)
class _Course:
    """All passes through one branch."""

    trials: list[Trial] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    entered: int = 0
    passed_for: Place | None = None  # the branch that was taken before it, the last time


class Story:
    """What a run did, for those who ask about rules. `sources` are the scripts by label, in the order of their turn."""

    def __init__(self, trace: Trace, sources: Mapping[str, Source]) -> None:
        self.trace = trace
        self.sources = sources
        self._courses: dict[tuple[str, Place], _Course] = {}
        self._loose: dict[str, list[Step]] = {}
        for step in _steps(trace):
            self._follow(step)

    def rules(self, script: str) -> Iterator[Told]:
        """The rules of one script, in the order of its text."""
        around: list[Told] = []
        for rule in self.sources[script].rules:
            del around[rule.depth :]
            told = self._told(script, rule, around[-1] if around else None)
            around.append(told)
            yield told

    def loose(self, script: str) -> Sequence[Step]:
        """What a script executed outside of all its rules."""
        return self._loose.get(script, ())

    def title(self, moment: Step | Trial) -> str:
        source = self.sources.get(moment.script)
        return source.title(moment.node) if source else moment.node.keyword

    def _course(self, script: str, place: Place) -> _Course:
        return self._courses.setdefault((script, place), _Course())

    def _follow(self, step: Step) -> None:
        if not isinstance(step.node, Chain):
            steps = self._loose.setdefault(step.script, []) if step.inside is None else None
            (steps if steps is not None else self._course(step.script, step.inside or (0, 0)).steps).append(step)
            return
        for test, _, place in step.node.links:
            course = self._course(step.script, place)
            course.trials += [trial for trial in step.trials if trial.node is test]
            course.entered += step.taken == place
            if step.taken is not None and step.taken < place:
                course.passed_for = step.taken

    def _told(self, script: str, rule: Rule, around: Told | None) -> Told:
        course = self._courses.get((script, (rule.line, rule.column)), _Course())
        result, why = self._result(script, course, around)
        return Told(script, rule, result, why, tuple(course.trials), tuple(course.steps), course.entered)

    def _result(self, script: str, course: _Course, around: Told | None) -> tuple[str, str]:
        last = course.trials[-1] if course.trials else None
        if course.entered:
            held = next((trial for trial in reversed(course.trials) if trial.result), None)
            return MATCHED, held.reason if held else "no rule before it in its chain matched"
        if last is not None:
            return (FAILED, last.error) if last.result is None else (NO_MATCH, last.reason)
        if course.passed_for is not None:
            return NOT_TRIED, f"the rule of line {course.passed_for[0]} matched before"
        return NOT_REACHED, self._obstacle(script, around)

    def _obstacle(self, script: str, around: Told | None) -> str:
        if script not in self.trace.began:
            return "this script was not run"
        if around is not None and around.result != MATCHED:
            return f"the rule around it, of line {around.rule.line}, was not entered"
        end = self.trace.ends.get(script)
        return _ended(end, script) if end else "control did not come here"


def _steps(trace: Trace) -> Iterator[Step]:
    return (moment for moment in trace.moments if isinstance(moment, Step))


def _ended(end: End, script: str) -> str:
    where = f"line {end.line}" + (f" of {end.script}" if end.script != script else "")
    return f"the script failed in {where}" if end.how == "error" else f"{end.how} in {where}"


def of_keep(outcome: Outcome, trace: Trace) -> str:
    """What became of the implicit keep, and why."""
    failure = outcome.failure
    if failure is not None:
        where = f"line {failure.line}" + (f" of {failure.script}" if failure.script else "")
        return f"kept, because of the error in {where}"
    if outcome.implicit_keep:
        others = {name(effect) for effect in outcome.effects if not cancels_keep(effect)}
        return "kept, because no action cancelled it" + (f" ({', '.join(sorted(others))} does not)" if others else "")
    by = _canceller(trace.actions[trace.turn :]) or _canceller(outcome.effects)
    if by is None:
        return "cancelled"
    where = f" in line {by.line}" + (f" of {by.script}" if by.script else "") if by.line else ""
    return f"cancelled by {name(by)}{where}"


def _canceller(effects: Iterable[Effect]) -> Effect | None:
    return next((effect for effect in effects if cancels_keep(effect)), None)
