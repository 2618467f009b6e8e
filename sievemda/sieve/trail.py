"""What a run has tried, test by test, for traces, the journal and people.

Tests that were found to be false by look-up stand in a trail as one part, which says what each of them compared with
what when somebody reads it: most trails are never read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, Union, overload

if TYPE_CHECKING:
    from sievemda.sieve.skipping import Skipped


class Compared(NamedTuple):
    """What a test looked at, and what it was looking for."""

    values: Sequence[str]
    keys: Sequence[str]


class Tried(NamedTuple):
    """One test that was tried. A test inside another one stands before it."""

    line: int
    test: str
    result: bool
    compared: tuple[Compared, ...]
    script: str = ""  # when it is not the user's own


Part = Union[Tried, "Skipped"]


class Trail(Sequence[Tried]):
    """The tests of some parts, `most` of them at most; compares as a tuple of them does."""

    def __init__(self, parts: Iterable[Part], most: int) -> None:
        self.parts = tuple(parts)
        self._most = most

    def __iter__(self) -> Iterator[Tried]:
        return islice(
            chain.from_iterable((part,) if isinstance(part, Tried) else part for part in self.parts), len(self)
        )

    def __len__(self) -> int:
        return self._size

    @cached_property
    def _size(self) -> int:
        return min(self._most, sum(1 if isinstance(part, Tried) else part.size for part in self.parts))

    @cached_property
    def _all(self) -> tuple[Tried, ...]:
        return tuple(self)

    @overload
    def __getitem__(self, at: int) -> Tried: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Tried, ...]: ...
    def __getitem__(self, at: int | slice) -> Tried | tuple[Tried, ...]:
        return self._all[at]

    def __eq__(self, other: object) -> bool:
        return self._all == tuple(other) if isinstance(other, Trail | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return repr(self._all)


def trail(parts: Sequence[Part], most: int) -> Sequence[Tried]:
    """The tests of these parts; those of several runs one after the other are `trail((*one, *other), most)`."""
    tried = tuple(part for part in parts if isinstance(part, Tried))
    return tried[:most] if len(tried) == len(parts) else Trail(parts, most)


def parts_of(tests: Sequence[Tried]) -> Sequence[Part]:
    """The parts that a trail was made of."""
    return tests.parts if isinstance(tests, Trail) else tests
