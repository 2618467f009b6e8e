"""Several scripts in a row for one message, as a delivery with scripts before and after the user's own runs them.

What a script decided is carried out before the next one begins; a delivery does all of it at the end, but a test file
may want to see that the mailbox is there which the script before has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.facts import Facts
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Carried, Origin, Outcome, Run
from sievemda.sieve.sequence import Stage, run_all
from sievemda.sieve.testing.cases import TestFailed

if TYPE_CHECKING:
    from sievemda.sieve.testing.bench import Bench

_KEEP = Store(implicit=True)


@dataclass(frozen=True, slots=True)
class Script:
    """A script under test, and what the test file calls it."""

    name: str
    path: Path
    text: bytes
    program: Program


class NotCarriedOut(Exception):
    """What a script decided could not be done; the message has been kept."""


class RowRun(Run):
    """One script of a row; where it says that it fails, that is an error of it."""

    def __init__(self, bench: Bench, *what: Any, **more: Any) -> None:
        super().__init__(*what, **more)
        self._bench = bench

    def follow(self) -> Problem | None:
        try:
            with self._bench.trying(self):
                return super().follow()
        except TestFailed as e:
            return Problem(e.line, 1, f"the script failed: {e}", script=self.script)


class Row:
    """For one run of a row; `carried_out` has what has been done of its decisions."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._reached: dict[str, Script] = {}
        self._carried_out: tuple[Effect, ...] = ()

    def run(self, relatives: Sequence[str]) -> bool:
        """Whether every script that was reached compiled, ran, and could be carried out."""
        bench = self._bench
        stages = [Stage(partial(self._load, relative), Origin(relative)) for relative in relatives]
        try:
            outcome = run_all(stages, bench.subject.message, bench.subject.envelope, bench, bench.limits, self._begin)
            self._tell(outcome)
            self._perform(outcome.carried_out, outcome.fallback)
        except NotCarriedOut:
            return False
        return outcome.failure is None

    def _load(self, relative: str) -> Program:
        script = self._bench.compiled_script(relative)
        if script is None:
            raise ScriptError((Problem(1, 1, f"{relative} does not compile"),))
        self._reached[relative] = script
        return script.program

    def _begin(
        self,
        program: Program,
        message: Message,
        envelope: Envelope,
        facts: Facts,
        limits: Limits,
        *,
        origin: Origin,
        carried: Carried,
    ) -> Run:
        """A script begins: what those before it decided is done first. The first has the flags of the message."""
        if len(self._reached) == 1:
            carried = replace(carried, flags=self._bench.subject.flags)
        self._perform(carried.effects, _KEEP)
        return RowRun(self._bench, program, message, envelope, facts, limits, origin=origin, carried=carried)

    def _perform(self, effects: tuple[Effect, ...], fallback: Store) -> None:
        """What is new of these. An implicit keep is satisfied by a store into the INBOX."""
        new = effects[len(self._carried_out) :]
        filled = any(fills_inbox(effect) for effect in effects if not is_implicit(effect))
        new = tuple(effect for effect in new if not (filled and is_implicit(effect)))
        self._carried_out = effects
        if new and not self._bench.perform(new, fallback):
            raise NotCarriedOut

    def _tell(self, outcome: Outcome) -> None:
        bench = self._bench
        for relative, script in self._reached.items():
            bench.ran(script, [each._replace(script="") for each in outcome.entered if each.script == relative])
            bench.ran(script, [each for each in outcome.entered if each.script not in self._reached])
        bench.hear_notes(outcome.notes)
        if outcome.failure is not None and not outcome.broken:
            bench.report(outcome.failure)


def is_implicit(effect: Effect) -> bool:
    return isinstance(effect, Store) and effect.implicit


def fills_inbox(effect: Effect) -> bool:
    """Whether it is a store into the INBOX, for good."""
    if not isinstance(effect, Store) or effect.snooze or effect.mailbox_id or effect.special_use:
        return False
    return effect.mailbox is None or effect.mailbox.upper() == "INBOX"
