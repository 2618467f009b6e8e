"""When somebody is told that a quota root fills up: levels, hysteresis, reminders. Values only: no clock, no disk.

    told of          usage has reached a level of which nobody was told since it was last below it
    told again       it still stands at a level, and the last message about it is an interval old
    armed again      usage has fallen below the level by more than the hysteresis

A level is a percentage of a limit, or `over`: the limit is passed, or mail is being refused for lack of room. Of
several resources the one that has reached the highest level counts, and a level is armed again when all have fallen
below it.

Why hysteresis: somebody who works at 95 % passes it ten times a day, and ten messages are as good as none. Why state
and not the moment of passing: whoever was warned on a day on which he did not look is still warned the day after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sievemda.policy.quota import RESOURCES, Limits, Usage

OVER = 101  # the level above all percentages
MAIL = ("STORAGE", "MESSAGE")  # the resources that mail takes
MAX_KEPT = 50  # rules of which a root remembers what they told


@dataclass(frozen=True, slots=True)
class Standing:
    """How full one limited resource is; `used` and `limit` in octets, or numbers."""

    resource: str
    used: int
    limit: int
    refused: bool = False  # a message has just been refused

    @property
    def percent(self) -> int:
        """Rounded down; a limit of 0 is full as soon as there is something."""
        return self.used * 100 // self.limit if self.limit else 100 * bool(self.used)

    @property
    def over(self) -> bool:
        return self.used > self.limit

    @property
    def fullness(self) -> float:
        return self.used / self.limit if self.limit else float(bool(self.used))

    def below(self, percent: int) -> bool:
        return self.used * 100 < percent * self.limit if self.limit else not self.used


@dataclass(frozen=True, slots=True)
class Told:
    """Of which level somebody has been told and has not been below since (0: of none), and when last (seconds)."""

    level: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one look comes to: `level` is to be told of, unless it is 0."""

    told: Told
    level: int = 0
    reminder: bool = False
    reached: int = 0
    standing: Standing | None = None  # the one that counts


@dataclass(frozen=True, slots=True)
class Rule:
    """When one kind of message is due."""

    levels: tuple[int, ...] = ()  # ascending
    name: str = ""  # under which a root remembers; "": the rule of the site
    hysteresis: int = 5  # percent of the limit
    interval: int = 86_400  # seconds between two reminders; 0: there are none
    beyond: bool = False  # a percentage is reached when the usage has passed it, not when it has come to it
    spare: Mapping[str, int] = field(default_factory=dict)  # by resource: only while less than that is free
    exclusive: bool = True  # while it stands at a level, the rules behind it tell nobody

    def step(self, standings: Sequence[Standing], told: Told, now: int) -> Step:
        """What is due now, and what is to be remembered if that is done."""
        reached, standing = self._highest(standings)
        armed = self._armed(standings, told.level)
        at = min(told.at, now)  # a clock that was wrong must not silence us for years
        if reached > armed:
            return Step(Told(reached, now), reached, reached=reached, standing=standing)
        if reached and self.interval and now - at >= self.interval:
            return Step(Told(armed, now), reached, reminder=True, reached=reached, standing=standing)
        return Step(Told(armed, at if armed else 0), reached=reached, standing=standing)

    def _highest(self, standings: Sequence[Standing]) -> tuple[int, Standing | None]:
        found = [(self._reached(each), each.fullness, index) for index, each in enumerate(standings)]
        if not found:
            return 0, None
        reached, _, index = max(found)
        return reached, standings[index]

    def _reached(self, standing: Standing) -> int:
        return max((level for level in self.levels if self._has_reached(standing, level)), default=0)

    def _has_reached(self, standing: Standing, level: int) -> bool:
        if level == OVER:
            return standing.over or (standing.refused and not standing.below(100 - self.hysteresis))
        spare = self.spare.get(standing.resource, 0)
        if not standing.used or (spare and standing.limit - standing.used >= spare):
            return False
        reached = standing.used * 100 - level * standing.limit
        return reached > 0 if self.beyond else reached >= 0

    def _armed(self, standings: Sequence[Standing], level: int) -> int:
        """The highest level at or under `level` below which usage has not fallen."""
        known = [*(each for each in self.levels if each < level), *([level] if level else [])]
        return max((each for each in known if not self._is_below(standings, each)), default=0)

    def _is_below(self, standings: Sequence[Standing], level: int) -> bool:
        bound = max(min(level, 100) - self.hysteresis, 0)
        return all(not each.used or each.below(bound) or self._is_roomy(each, level) for each in standings)

    def _is_roomy(self, standing: Standing, level: int) -> bool:
        """Whether so much is free that the level does not count, with the hysteresis on top."""
        spare = 0 if level == OVER else self.spare.get(standing.resource, 0)
        free = standing.limit - standing.used
        return spare > 0 and free >= spare + standing.limit * self.hysteresis // 100


@dataclass(frozen=True, slots=True)
class State:
    """What a root remembers."""

    full_since: int = 0  # seconds since 1970; 0: there is room, as far as is known
    told: Mapping[str, Told] = field(default_factory=dict)  # by name of the rule

    def of(self, name: str) -> Told:
        """What the rule of that name has told."""
        return self.told.get(name, Told())

    def with_told(self, name: str, told: Told) -> State:
        if self.of(name) == told:
            return self
        kept = {other: each for other, each in self.told.items() if other != name}
        if told != Told():
            kept[name] = told
        while len(kept) > MAX_KEPT:
            del kept[min(kept, key=lambda each: kept[each].at)]
        return replace(self, told=kept)


def look(rules: Iterable[Rule], standings: Mapping[str, Sequence[Standing]], state: State, now: int) -> list[Step]:
    """One step for each rule, in order. `standings` are by name of the rule, which need not look at the same resources.

    A rule that an exclusive one before it keeps quiet counts as having told: otherwise it would speak of a lower level
    as soon as the usage falls from the higher one.
    """
    steps, taken = [], False
    for rule in rules:
        step = rule.step(standings[rule.name], state.of(rule.name), now)
        steps.append(replace(step, level=0, reminder=False) if taken else step)
        taken = taken or (rule.exclusive and step.reached > 0)
    return steps


def standings_of(
    limits: Limits, usage: Usage, resources: Sequence[str] = MAIL, *, refused: bool = False
) -> tuple[Standing, ...]:
    """Those of the resources that are limited."""
    limited = ((resource, limits.of(resource)) for resource in resources)
    return tuple(Standing(name, usage.of(name), limit, refused) for name, limit in limited if limit is not None)


def parse_levels(words: Iterable[str]) -> tuple[int, ...]:
    """`80%`, `95` and `over` as levels, ascending, each once. ValueError in words."""
    return tuple(sorted({_level(word.strip().lower()) for word in words}))


def _level(word: str) -> int:
    if word == "over":
        return OVER
    number = word.removesuffix("%")
    if not (number.isascii() and number.isdigit() and len(number) < 4 and 0 < int(number) <= 100):
        raise ValueError(f"{word[:40]!r} is not a level: a percentage from 1% to 100%, or over")
    return int(number)


def parse_resource(word: str) -> str:
    """A resource by any of its names, as `RESOURCES` has them. ValueError in words."""
    if word.upper() not in RESOURCES:
        raise ValueError(f"{word[:40]!r} is not a resource")
    return word.upper()


def shown(level: int) -> str:
    return "over" if level == OVER else f"{level}%" if level else "-"
