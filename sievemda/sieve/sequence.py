"""Several scripts in a row for one delivery: before, the user's own, after. draft-degener-sieve-multiscript-00.

Every script but the last has `keep`, explicit or implicit, mean: on with the next one (§3). So the next one runs only
while a keep is due. It sees the message with all edits so far, and the flags of the internal variable; it has its own
`require` and variables (§4). The keep that is due after the last one carries edits and flags of all.

A script that fails ends the row (§5): of it nothing is done but a keep of the message as it came; what the scripts
before it decided stays decided, since a script of the user must not undo what the site has its own for.

Why all scripts are evaluated before anything is done, where Pigeonhole carries out each before it starts the next: one
plan is carried out or fails as one, and a crash between two scripts cannot leave half of it. Why the `:flags` of an
explicit keep go no further than flags of a variable would: it is a tag of that action, and the next script decides
anew; that is Pigeonhole's way too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.actions import Actions
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.facts import Facts
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import USER, Carried, Origin, Outcome, Run, implicit_keep
from sievemda.sieve.trail import parts_of, trail


@dataclass(frozen=True, slots=True)
class Stage:
    """One script of a row; `load` raises `ScriptError` when it cannot be used. It is not called before its turn."""

    load: Callable[[], Program]
    origin: Origin = USER


@dataclass(slots=True)
class _Course:
    """What has come of the scripts so far."""

    outcome: Outcome
    carried: Carried

    def ran(self, state: Run, failure: Problem | None) -> None:
        told = self.outcome
        most = state.limits.trace
        self.outcome = replace(
            told,
            failure=failure,
            tests=trail((*parts_of(told.tests), *state.trace), most),
            remember=() if failure else (*told.remember, *state.remember),
            notes=(*told.notes, *state.notes)[: state.limits.notes],
            edits=(*told.edits, *state.edits)[: state.limits.notes],
            entered=(*told.entered, *state.entered),
        )


def run_all(
    stages: Sequence[Stage],
    message: Message,
    envelope: Envelope,
    facts: Facts,
    limits: Limits,
    begin: Callable[..., Run] = Run,
) -> Outcome:
    """Run the scripts on a message, as many of them as are due. Total, as `run` is. `begin` makes the run of each."""
    course = _Course(Outcome((), implicit_keep=True, failure=None, tests=()), Carried(message))
    for number, stage in enumerate(stages, 1):
        try:
            program = stage.load()
        except ScriptError as e:
            return _broken(course, e, stage.origin)
        carried = course.carried
        state = begin(program, message, envelope, facts, limits, origin=stage.origin, carried=carried)
        failure = state.follow()
        course.ran(state, failure)
        own, due = tuple(state.actions.effects), state.actions.implicit_keep
        if failure is not None:
            effects = (*carried.effects, *own)
            return replace(course.outcome, effects=effects, implicit_keep=True, settled=carried.effects)
        if number == len(stages) or not (due or any(map(_is_keep, own))):
            keep = (implicit_keep(state),) if due else ()
            effects = (*carried.effects, *own, *keep)
            return replace(course.outcome, effects=effects, implicit_keep=due, fallback=implicit_keep(state))
        course.carried = Carried(
            message=state.message,
            flags=state.flags,
            effects=(*carried.effects, *_passed_on(state.actions)),
            keep_target=state.keep_target,
            unenclosed=state.unenclosed,
            protected=state.protected,
        )
    return replace(course.outcome, effects=(Store(implicit=True),))


def _passed_on(actions: Actions) -> Iterator[Effect]:
    """What is done whatever the next scripts decide. A keep is not; a fileinto that has become one with it is."""
    for effect in actions.effects:
        if not _is_keep(effect):
            yield effect
        elif actions.filed is not None:
            yield actions.filed


def _is_keep(effect: Effect) -> bool:
    return isinstance(effect, Store) and effect.mailbox is None and not effect.snooze


def _broken(course: _Course, error: ScriptError, origin: Origin) -> Outcome:
    first = next((problem for problem in error.problems if problem.severity == "error"), Problem(1, 1, str(error)))
    failure = replace(first, script=origin.label)
    done = course.carried.effects
    return replace(
        course.outcome, effects=done, implicit_keep=True, failure=failure, settled=done, remember=(), broken=True
    )
