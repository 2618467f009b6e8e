"""Comparing strings: comparators, match types, address parts. Three open tables. RFC 5228 §2.7.

A comparator maps a string to a form (`fold`) in which equal means equal octets, and to something that sorts. Match
types work on folded strings. Everything is linear in the length of value and key; what is looked at is charged to the
budget of the run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar

from sievemda.mail.address import Address
from sievemda.sieve.glob import Glob, Span, glob
from sievemda.sieve.needles import Needles
from sievemda.sieve.text import Keys, from_octets, octets

if TYPE_CHECKING:
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.run import Run

EACH = 20  # characters that are charged for looking at one value, however short it is
_FEW = 4  # keys for which a list is as quick as a set
_MANY = 16  # constant keys from which on it pays to look them up

_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


class Comparator(ABC):
    """A collation of RFC 4790."""

    name: ClassVar[str]
    substring: ClassVar[bool] = True  # may be used with :contains, :matches
    order: ClassVar[bool] = True  # may be used with :value
    cost: ClassVar[int] = 1  # how often a character counts that is folded

    @abstractmethod
    def fold(self, text: str) -> str:
        """The form in which equality, and substrings if there are any, are those of octets."""

    def rank(self, text: str) -> Any:
        """Something that sorts as this collation orders; only compared with ranks of the same collation."""
        return octets(self.fold(text))

    def cells(self, text: str) -> str:
        """Of as many octets as the text has, one character each: where `?` of `:matches` is one octet of the value."""
        return self.fold(wide(text))


class Octet(Comparator):
    """RFC 4790 §9.3."""

    name = "i;octet"

    def fold(self, text: str) -> str:
        return text


class AsciiCasemap(Comparator):
    """RFC 4790 §9.2: a-z become A-Z, all else is octets."""

    name = "i;ascii-casemap"

    def fold(self, text: str) -> str:
        if text.isascii():
            return text.upper()
        try:  # a tenth of the time of translating characters
            return from_octets(octets(text).upper())
        except UnicodeEncodeError:
            return text.translate(_UPPER)


OCTET, ASCII_CASEMAP = Octet(), AsciiCasemap()


class MatchType(ABC):
    """What it means that a value matches a key."""

    name: ClassVar[str]
    operand: ClassVar[tuple[str, ...]] = ()  # the words of which one must follow the tag
    substring: ClassVar[bool] = False  # needs a comparator with substrings
    order: ClassVar[bool] = False  # needs a comparator that orders
    collates: ClassVar[bool] = True  # works by a comparator; one that does not may have none beside it

    def key_fault(self, key: str, how: Matching, limits: Limits) -> str:
        """What is wrong with a constant key, found when the script is compiled; empty when nothing is."""
        return ""

    @abstractmethod
    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        """Whether a value matches a key. `count` is the number of entities, where that is not `len(values)`."""


@dataclass(frozen=True, slots=True)
class Matching:
    type: MatchType
    comparator: Comparator = ASCII_CASEMAP
    operand: str = ""

    def __str__(self) -> str:
        return f":{self.type.name}" + (f' "{self.operand}"' if self.operand else "")


class Is(MatchType):
    """RFC 5228 §2.7.1."""

    name = "is"

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        fold = how.comparator.fold
        wanted = self._wanted(how.comparator, keys) if len(keys) > _FEW else list(map(fold, keys))
        run.spend_matching(how.comparator.cost * sum(map(len, values)) + EACH * len(values))
        for value in values:  # noqa: SIM110 - a generator costs a quarter of the whole test
            if fold(value) in wanted:
                return True
        return False

    def _wanted(self, comparator: Comparator, keys: Sequence[str]) -> frozenset[str]:
        if isinstance(keys, Keys):
            return keys.once((self.name, comparator), lambda known: frozenset(map(comparator.fold, known)))
        return frozenset(map(comparator.fold, keys))


class Contains(MatchType):
    """RFC 5228 §2.7.1; the empty key is contained in every value."""

    name = "contains"
    substring = True

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        fold = how.comparator.fold
        run.spend_matching((how.comparator.cost * sum(map(len, values)) + EACH * len(values)) * len(keys))
        if isinstance(keys, Keys) and len(keys) >= _MANY:
            needles = keys.once((self.name, how.comparator), lambda known: contained(how.comparator, known))
            return any(needles.within(wide(fold(value))) for value in values)
        wanted = list(map(fold, keys))
        for value in values:
            folded = fold(value)
            for key in wanted:
                if key in folded:
                    return True
                if not (key.isascii() or folded.isascii()) and octets(key) in octets(folded):
                    return True  # part of a character
        return False


class Matches(MatchType):
    """RFC 5228 §2.7.1: `*` and `?`, where a character is one octet. Sets match variables, RFC 5229 §3.2."""

    name = "matches"
    substring = True

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        if isinstance(keys, Keys) and len(keys) >= _MANY:
            patterns = keys.once((self.name, how.comparator), lambda known: Patterns(how.comparator, known))
            return self._any_of_many(run, how.comparator, values, patterns)
        fold = how.comparator.fold
        for value in values:
            for key in keys:
                ascii_only = value.isascii() and key.isascii()
                plain = value if ascii_only else wide(value)
                pattern = glob(fold(key) if ascii_only else how.comparator.cells(key))
                weight = pattern.weight + how.comparator.cost - 1
                run.spend_matching(len(plain) * weight + EACH * len(pattern.segments))
                spans = pattern.match(fold(value) if ascii_only else how.comparator.cells(value))
                if spans is not None:
                    self._capture(run, value, spans)
                    return True
        return False

    def _any_of_many(self, run: Run, comparator: Comparator, values: Sequence[str], patterns: Patterns) -> bool:
        """The same, with only those patterns tried of which the longest piece is in the value."""
        for value in values:
            form = cells_of(comparator, value)
            size = len(octets(value))
            for at in patterns.possible(form):
                spans = patterns.globs[at].match(form)
                if spans is not None:
                    run.spend_matching(patterns.charge(size, at + 1))
                    self._capture(run, value, spans)
                    return True
            run.spend_matching(patterns.charge(size, len(patterns.globs)))
        return False

    def _capture(self, run: Run, value: str, spans: Sequence[Span]) -> None:
        """Leave the match variables, which are taken from the octets of the value."""
        if not run.captures_wanted:
            return
        ascii_only = value.isascii()
        plain = value if ascii_only else wide(value)
        found = [plain[start:end] for start, end in spans[: run.limits.match_variables]]
        run.captures = (value, *(found if ascii_only else map(_narrow, found)))


class Patterns:
    """Constant patterns for a comparator, with what trying them is charged."""

    def __init__(self, comparator: Comparator, keys: Sequence[str]) -> None:
        self.globs: tuple[Glob, ...] = tuple(glob(cells_of(comparator, key)) for key in keys)
        self._weights = (0, *accumulate(one.weight + comparator.cost - 1 for one in self.globs))
        self._segments = (0, *accumulate(len(one.segments) for one in self.globs))
        self._with: dict[str, list[int]] = {}
        for at, one in enumerate(self.globs):
            self._with.setdefault(one.needle, []).append(at)
        self._needles = Needles(self._with)

    def possible(self, form: str) -> list[int]:
        """Which of them may match, in their order."""
        return sorted(at for needle in self._needles.within(form) for at in self._with[needle])

    def charge(self, size: int, first: int) -> int:
        """What is charged for trying the `first` so many on a value of so many octets."""
        return size * self._weights[first] + EACH * self._segments[first]


def contained(comparator: Comparator, keys: Sequence[str]) -> Needles:
    """Keys of `:contains` as they are found in values that are folded and made wide."""
    return Needles(wide(comparator.fold(key)) for key in keys)


def cells_of(comparator: Comparator, text: str) -> str:
    """A value or key of `:matches` with one character for each octet; the quick way for what is mostly found."""
    return comparator.fold(text) if text.isascii() else comparator.cells(text)


def wide(text: str) -> str:
    """One character for each octet."""
    return text if text.isascii() else octets(text).decode("latin-1")


def _narrow(text: str) -> str:
    return from_octets(text.encode("latin-1"))


IS, CONTAINS, MATCHES = Is(), Contains(), Matches()
DEFAULT = Matching(IS)


@dataclass(frozen=True, slots=True)
class AddressPart:
    """A part of an address; `None` when this address has no such part, and so nothing that could match."""

    name: str
    take: Callable[[Address, Limits], str | None]


ALL = AddressPart("all", lambda address, _: str(address))
LOCALPART = AddressPart("localpart", lambda address, _: address.local)
DOMAIN = AddressPart("domain", lambda address, _: address.domain)


def match(run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int = -1) -> bool:
    """Compare, and note what was compared with what. `count` as in `MatchType.any`."""
    run.saw(values, keys)
    return how.type.any(run, how, values, keys, len(values) if count < 0 else count)
