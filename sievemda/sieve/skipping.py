"""Tests that cannot be true are not tried: of many rules, those are found by look-up that a message may be for.

A plan is made for a block with many commands, or an `if` with many branches, when it is first run. It gathers the tests
that compare the same fields of a message with constant keys, and has the keys in tables. When a message comes, one look
at the values of those fields says at which commands a test may be true. These are executed as ever. What lies between
two of them is skipped: its tests would have been false, one after the other, and nothing would have been done.

A skipped test leaves what it would have left: its entry in the trace, as part of one that is spelled out when it is
read, and its price, down to the character. So nobody can tell by an outcome whether tests were skipped, but by the
time it took; the tests compare both ways on scripts made at random. When the budget does not last for a range, it is
gone through one by one, and the error is raised where it must be.

Why only tests that are surely false are decided by look-up: what a test that is true leaves (match variables, what an
`allof` tries next) is then said in one place, by the node itself.

What is looked up is worked out anew when the message changes. So that it cannot be made to cost more than it saves,
texts above a size are not looked at, and one run looks at no more than some of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import TYPE_CHECKING, NamedTuple

from sievemda.sieve.glob import glob
from sievemda.sieve.matching import CONTAINS, EACH, IS, MATCHES, Comparator, Matching, cells_of, wide
from sievemda.sieve.needles import Needles
from sievemda.sieve.problems import RunError
from sievemda.sieve.text import Keys
from sievemda.sieve.trail import Compared, Tried

if TYPE_CHECKING:
    from sievemda.sieve.node import Command, Test
    from sievemda.sieve.run import Run

_GROUPS = 32  # of fields that a plan looks at; tests of others are tried
_TEXT = 16_384  # characters of the values of one group that are looked at
_TEXTS = 1 << 20  # the same of one run

Values = Callable[["Run"], Sequence[str]]


class Watched(NamedTuple):
    """That a test compares values with constant keys, and does nothing else.

    `subject` is equal for tests with the same `values`; `extra` is what the test is charged beside comparing.
    """

    subject: tuple[object, ...]
    values: Values
    how: Matching
    keys: Keys
    extra: int = 0


class Entry(NamedTuple):
    """What a skipped test leaves in the trace; a test of tests compares nothing, and has no group."""

    line: int
    test: str
    group: int
    keys: Keys | None


@dataclass(slots=True)
class Item:
    """A command, or a branch of an `if`, with the tests that it tries when all are false, or `None`."""

    line: int
    tests: Sequence[tuple[Test, Watched | None]] | None


@dataclass(slots=True)
class Group:
    """Tests that look at the same values. What they are charged are sums over the tests up to each."""

    values: Values
    items: list[int] = field(default_factory=list)  # the item of each test
    per_character: list[int] = field(default_factory=lambda: [0])
    per_octet: list[int] = field(default_factory=lambda: [0])
    per_value: list[int] = field(default_factory=lambda: [0])
    tables: dict[tuple[str, Comparator], dict[str, list[int]]] = field(default_factory=dict)
    needles: dict[tuple[str, Comparator], Needles] = field(default_factory=dict)

    def add(self, item: int, watched: Watched, forms: Iterable[str]) -> None:
        how, keys = watched.how, watched.keys
        table = self.tables.setdefault((how.type.name, how.comparator), {})
        for form in forms:
            table.setdefault(form, []).append(item)
        character, octet, value = _price(how, keys)
        self.items.append(item)
        self.per_character.append(self.per_character[-1] + character)
        self.per_octet.append(self.per_octet[-1] + octet)
        self.per_value.append(self.per_value[-1] + value)

    def finish(self) -> None:
        self.needles = {kind: Needles(table) for kind, table in self.tables.items() if kind[0] != IS.name}

    def hits(self, values: Sequence[str]) -> Iterator[int]:
        """The items of which a test may be true."""
        for (kind, comparator), table in self.tables.items():
            for value in values:
                if kind == IS.name:
                    yield from table.get(comparator.fold(value), ())
                    continue
                form = cells_of(comparator, value) if kind == MATCHES.name else wide(comparator.fold(value))
                for needle in self.needles[kind, comparator].within(form):
                    yield from table[needle]


class Plan:
    """The look-up for some items that are tried in a row. Immutable once made; for many threads."""

    def __init__(self, items: Sequence[Item], steps: int) -> None:
        """`steps` are what each item is charged beside its tests, in instructions."""
        self.size = len(items)
        self.lines = [item.line for item in items]
        numbers = _numbers(items)
        groups: dict[int, Group] = {}
        self.always: list[int] = []  # items that are never skipped
        self.entries: list[tuple[Entry, ...]] = []
        extra: list[int] = []
        for at, item in enumerate(items):
            entries = _entries(item, numbers)
            forms = None if entries is None else [_forms(watched) for _, watched in item.tests or ()]
            if entries is None or forms is None or None in forms:
                self.always.append(at)
                self.entries.append(())
                extra.append(0)
                continue
            self.entries.append(entries)
            extra.append(sum(watched.extra for _, watched in item.tests or () if watched))
            for (_, watched), form in zip(item.tests or (), forms, strict=True):
                if watched is not None:
                    group = groups.setdefault(numbers[watched.subject], Group(watched.values))
                    group.add(at, watched, form or ())
        self.groups = [groups.get(number) for number in range(len(numbers))]
        for group in groups.values():
            group.finish()
        self._extra = (0, *accumulate(extra))
        self._entries = (0, *accumulate(map(len, self.entries)))
        self._steps = steps
        self.texts: dict[tuple[int, int, int], str] = {}  # for who writes down what was skipped: see the journal

    def tests(self, first: int, last: int) -> int:
        """How many tests those items try, from `first` on up to `last`, which is not one of them."""
        return self._entries[last] - self._entries[first]

    def steps(self, first: int, last: int) -> int:
        return self.tests(first, last) + self._steps * (last - first)

    def beside(self, first: int, last: int) -> int:
        """What those items are charged beside their comparisons."""
        return self._extra[last] - self._extra[first]


class Look:
    """What a plan comes to for a message: the items at which a test may be true, and the values that were looked at."""

    __slots__ = ("_sizes", "due", "envelope", "limits", "plan", "shown", "values")

    def __init__(self, plan: Plan, run: Run) -> None:
        self.plan = plan
        self.shown, self.envelope, self.limits = run.shown, run.envelope, run.limits
        self.values: list[Sequence[str]] = []
        self._sizes: list[tuple[Group, int, int, int]] = []
        found: set[int] = set()
        for group in plan.groups:
            values, size = _values_of(group, run)
            self.values.append(values)
            if group is None:
                continue
            if size > _TEXT:
                found.update(group.items)
                continue
            run.looked += size
            found.update(group.hits(values))
            if values:
                octets = sum(len(wide(value)) for value in values)
                self._sizes.append((group, sum(map(len, values)), octets, len(values)))
        self.due = sorted(found.union(plan.always)) if found else plan.always

    def is_of(self, run: Run) -> bool:
        """Whether it still says what is so."""
        return self.shown is run.shown and self.envelope is run.envelope and self.limits is run.limits

    def next(self, item: int) -> int:
        """The first item from this one on that is to be tried; one behind the last when none is."""
        at = bisect_left(self.due, item)
        return self.due[at] if at < len(self.due) else self.plan.size

    def charge(self, first: int, last: int) -> int:
        """What the comparisons of these items are charged."""
        amount = self.plan.beside(first, last)
        for group, characters, octets, number in self._sizes:
            start, end = bisect_left(group.items, first), bisect_left(group.items, last)
            amount += characters * (group.per_character[end] - group.per_character[start])
            amount += octets * (group.per_octet[end] - group.per_octet[start])
            amount += number * (group.per_value[end] - group.per_value[start])
        return amount


class Skipped:
    """The tests of a range of items that were skipped, as a part of a trail."""

    __slots__ = ("_look", "first", "last", "script")

    def __init__(self, look: Look, first: int, last: int, script: str) -> None:
        self._look = look
        self.first, self.last, self.script = first, last, script

    @property
    def size(self) -> int:
        return self._look.plan.tests(self.first, self.last)

    @property
    def plan(self) -> Plan:
        return self._look.plan

    @property
    def values(self) -> Sequence[Sequence[str]]:
        """What was looked at, by the number of the group."""
        return self._look.values

    def __iter__(self) -> Iterator[Tried]:
        values, script = self.values, self.script
        for line, test, group, keys in self.entries():
            compared = () if keys is None else (Compared(values[group], keys),)
            yield Tried(line, test, False, compared, script)

    def entries(self) -> Iterator[Entry]:
        """The tests, without what depends on the message."""
        return chain.from_iterable(self.plan.entries[self.first : self.last])


def due(run: Run, plan: Plan) -> Iterator[int]:
    """The items to be tried, in turn; those before and behind them are skipped, and paid for."""
    at = 0
    while at < plan.size:
        look = _look(run, plan)
        following = plan.size if look is None else look.next(at)
        if look is None or (following > at and not run.skip(look, at, following)):
            yield from range(at, following)
        if following < plan.size:
            yield following
        at = following + 1


def _look(run: Run, plan: Plan) -> Look | None:
    known = run.looks.get(plan)
    if known is not None and known.is_of(run):
        return known
    if run.looked > _TEXTS:
        return None
    made = run.looks[plan] = Look(plan, run)
    return made


def plan_of_block(commands: Sequence[Command], few: int) -> Plan | None:
    """The plan for a block, when it pays to have one."""
    items = [Item(command.line, _flat(command.attempts())) for command in commands]
    return _worth(items, few, 1)


def plan_of_branches(tests: Sequence[Test | None], few: int) -> Plan | None:
    """The plan for the branches of an `if`, of which an `else` has no test."""
    items = [Item(0, _flat(None if test is None else (test,))) for test in tests]
    return _worth(items, few, 0)


def _worth(items: Sequence[Item], few: int, steps: int) -> Plan | None:
    if sum(item.tests is not None for item in items) < few:
        return None
    plan = Plan(items, steps)
    return plan if plan.size - len(plan.always) >= few else None


def _flat(tests: Sequence[Test] | None) -> list[tuple[Test, Watched | None]] | None:
    """Every test that is tried when these are false, those inside others before them; `None` when nobody can say."""
    if tests is None:
        return None
    found: list[tuple[Test, Watched | None]] = []
    for test in tests:
        watched = test.watched()
        if watched is None:
            inner = _flat(test.refuted_by())
            if inner is None:
                return None
            found += inner
        elif watched.how.type not in (IS, CONTAINS, MATCHES):
            return None
        found.append((test, watched))
    return found


def _numbers(items: Sequence[Item]) -> dict[tuple[object, ...], int]:
    """The subjects that most tests look at, numbered."""
    subjects = Counter(watched.subject for item in items for _, watched in item.tests or () if watched is not None)
    return {subject: number for number, (subject, _) in enumerate(subjects.most_common(_GROUPS))}


def _entries(item: Item, numbers: dict[tuple[object, ...], int]) -> tuple[Entry, ...] | None:
    if item.tests is None:
        return None
    entries = []
    for test, watched in item.tests:
        group = -1 if watched is None else numbers.get(watched.subject)
        if group is None:
            return None
        entries.append(Entry(test.line, test.keyword, group, None if watched is None else watched.keys))
    return tuple(entries)


def _forms(watched: Watched | None) -> Sequence[str] | None:
    """Keys as they are looked up; `None` when a pattern may match anything."""
    if watched is None:
        return ()
    how, keys = watched.how, watched.keys
    fold = how.comparator.fold
    if how.type is IS:
        return list(map(fold, keys))
    if how.type is CONTAINS:
        return [wide(fold(key)) for key in keys]
    needles = [glob(cells_of(how.comparator, key)).needle for key in keys]
    return needles if all(needles) else None


def _price(how: Matching, keys: Keys) -> tuple[int, int, int]:
    """What is charged for a character, an octet and a value, when nothing matches: see the match types."""
    cost = how.comparator.cost
    if how.type is IS:
        return cost, 0, EACH
    if how.type is CONTAINS:
        return cost * len(keys), 0, EACH * len(keys)
    globs = [glob(cells_of(how.comparator, key)) for key in keys]
    return 0, sum(one.weight + cost - 1 for one in globs), EACH * sum(len(one.segments) for one in globs)


def _values_of(group: Group | None, run: Run) -> tuple[Sequence[str], int]:
    """The values, and how much text that is; one that cannot be had is for the test to tell of."""
    if group is None:
        return (), 0
    try:
        values = group.values(run)
    except RunError:
        return (), _TEXT + 1
    return values, sum(map(len, values)) + EACH * len(values)
