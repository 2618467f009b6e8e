"""What each rule of a script costs, and its share of what one run may spend: `sieve check --cost`.

Two figures: instructions (commands, tests and what they do again and again) and characters that are looked at; see
`limits` for the bounds. With a message they are measured: the script runs on it, and what is spent is put down to the
rule whose test or block has spent it. Without one they are the worst case for each KiB: every test of a rule is tried
by itself on a message in which each field that the script names holds a KiB, and so does the body.

Why the worst case counts every test of a rule where a run stops at the first that decides: nobody knows which that
will be. Why it does not count the characters that actions look at: what they do depends on what the message is.

Tests that are looked up and skipped in a delivery are charged as if they had been tried, so both ways come to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from sievemda.mail.edit import is_field_name
from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.base.control import Chain
from sievemda.sieve.base.tests import ADDRESS_FIELDS
from sievemda.sieve.facts import Facts
from sievemda.sieve.limits import Limits
from sievemda.sieve.lint.telling import deep, under
from sievemda.sieve.node import Block, Command, Test
from sievemda.sieve.problems import RunError
from sievemda.sieve.program import Program
from sievemda.sieve.rules import Rule
from sievemda.sieve.run import Run
from sievemda.sieve.signature import signature
from sievemda.sieve.text import Text, Texts

KIB = 1024
Place = tuple[int, int]
_OUTSIDE: Place = (0, 0)  # of all rules
_FIELDS = 500  # names that are given a KiB
_TEXT = ("word " * KIB)[:KIB]
_ADDRESS = f"{'x' * 507}@{'x' * 508}.example"


@dataclass(frozen=True, slots=True)
class Cost:
    """`share` is the larger one of the shares of the two budgets, from 0 to 1."""

    instructions: int
    characters: int
    share: float


@dataclass(frozen=True, slots=True)
class Costs:
    """`rules` in the order of the text; `total` has what stands outside of them too; `octets` are of the message."""

    rules: tuple[tuple[Rule, Cost], ...]
    total: Cost
    most: Cost  # what one run may spend
    octets: int | None = None
    failure: str = ""  # the error that ended the run

    @property
    def lasts(self) -> int:
        """For how many KiB the budget lasts in the worst case; 0: nothing is spent on text."""
        return self.most.characters // self.total.characters if self.total.characters else 0


def measured(
    program: Program, rules: Sequence[Rule], message: Message, envelope: Envelope, facts: Facts, limits: Limits
) -> Costs:
    """What a run on this message spends."""
    meter = _Meter(program, message, envelope, facts, replace(limits, lookup=0))
    failure = meter.follow()
    meter.settle(_OUTSIDE)
    most = limits.matching + limits.looks * message.stored_size
    return _costs(meter.spent, rules, limits, most, message.stored_size, str(failure or ""))


def worst(program: Program, rules: Sequence[Rule], envelope: Envelope, facts: Facts, limits: Limits) -> Costs:
    """The worst case for each KiB of the fields and of the body."""
    full = _full(program.commands)
    endless = replace(limits, lookup=0, matching=1 << 60, instructions=1 << 60)
    spent: dict[Place, list[int]] = {_OUTSIDE: [len(program.commands), 0]}
    for place, test, commands, number in _branches(program.commands):
        into = spent.setdefault(place, [0, 0])
        into[0] += len(list(_direct(commands))) + (number == 0)
        if number == 0:
            spent[_OUTSIDE][0] -= 1
        for tried in _all_tests(test):
            into[0] += 1
            if next(under(tried), None) is None:
                into[1] += _Meter(program, Message(full), envelope, facts, endless).characters(tried)
    spent[_OUTSIDE][0] = max(0, spent[_OUTSIDE][0])
    return _costs(spent, rules, limits, limits.matching)


class _Meter(Run):
    """A run that puts down what it spends to the rule that it is in."""

    def __init__(self, program: Program, *rest: Any) -> None:
        super().__init__(program, *rest)
        self.spent: dict[Place, list[int]] = {}
        self._rule = _OUTSIDE
        self._known = self._steps, self._matching
        self._tests: dict[int, tuple[Place, int]] = {}
        self._blocks: dict[int, Place] = {}
        for place, test, commands, number in _branches(program.commands):
            self._blocks[id(commands)] = place
            if test is not None:
                self._tests[id(test)] = place, number

    def settle(self, rule: Place) -> Place:
        """Put down what was spent since the last time, and go on with this rule; which one it was before."""
        into = self.spent.setdefault(self._rule, [0, 0])
        into[0] += self._known[0] - self._steps
        into[1] += self._known[1] - self._matching
        self._known = self._steps, self._matching
        before, self._rule = self._rule, rule
        return before

    @contextmanager
    def _inside(self, rule: Place) -> Iterator[None]:
        before = self.settle(rule)
        try:
            yield
        finally:
            self.settle(before)

    def test(self, test: Test) -> bool:
        known = self._tests.get(id(test))
        if known is None:
            return super().test(test)
        place, number = known
        with self._inside(place):
            if number == 0:  # the `if` itself
                self.spent.setdefault(place, [0, 0])[0] += 1
            result = super().test(test)
        if number == 0:
            self.spent[self._rule][0] -= 1
        return result

    def characters(self, test: Test) -> int:
        """What one test looks at."""
        with suppress(RunError):  # what it has looked at before counts
            test.holds(self)
        return self._known[1] - self._matching

    def block(self, commands: tuple[Command, ...]) -> None:
        place = self._blocks.get(id(commands)) if commands else None
        if place is None:
            super().block(commands)
            return
        with self._inside(place):
            super().block(commands)


def _costs(
    spent: dict[Place, list[int]],
    rules: Sequence[Rule],
    limits: Limits,
    most: int,
    octets: int | None = None,
    failure: str = "",
) -> Costs:
    def cost(instructions: int, characters: int) -> Cost:
        share = max(instructions / max(1, limits.instructions), characters / max(1, most))
        return Cost(instructions, characters, share)

    told = tuple((rule, cost(*spent.get((rule.line, rule.column), (0, 0)))) for rule in rules)
    total = cost(sum(each[0] for each in spent.values()), sum(each[1] for each in spent.values()))
    return Costs(told, total, cost(limits.instructions, most), octets, failure)


def _branches(commands: Sequence[Command]) -> Iterator[tuple[Place, Test | None, tuple[Command, ...], int]]:
    """Every branch of every `if`: its place, test, block, and its number in the `if`."""
    for command in commands:
        if isinstance(command, Chain):
            for number, (test, block, place) in enumerate(command.links):
                yield place, test, block, number
                yield from _branches(block)
        else:
            yield from _branches(_inner(command))


def _direct(commands: Sequence[Command]) -> Iterator[Command]:
    """The commands that a block executes by itself, those in loops too, without what is in rules."""
    for command in commands:
        if not isinstance(command, Chain):
            yield command
            yield from _direct(_inner(command))


def _inner(command: Command) -> tuple[Command, ...]:
    slot = signature(type(command)).block
    block = getattr(command, slot.field) if slot else None
    return block.commands if isinstance(block, Block) else ()


def _all_tests(test: Test | None) -> Iterator[Test]:
    return deep(test) if test is not None else iter(())


def _full(commands: Sequence[Command]) -> bytes:
    """A message of a KiB in each field that tests name by a constant, and of a KiB of body."""
    names: dict[str, str] = {}
    for _, test, _, _ in _branches(commands):
        for tried in _all_tests(test):
            for name in _field_names(tried):
                if is_field_name(name) and len(names) < _FIELDS:
                    names.setdefault(name.lower(), _ADDRESS if name.lower() in ADDRESS_FIELDS else _TEXT)
    header = "".join(f"{name}: {value}\n" for name, value in names.items())
    return f"{header}\n{_TEXT}\n".encode()


def _field_names(test: Test) -> Iterator[str]:
    for field in test.node_fields:
        value = getattr(test, field)
        if field.startswith("header") and isinstance(value, Text | Texts):
            for text in (value,) if isinstance(value, Text) else value:
                if text.constant:
                    yield text.source
