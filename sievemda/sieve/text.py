"""String arguments: constant, or with parts that a run fills in.

`source` is the string as the script has it after escapes and encoded characters, before variables: what RFC 5230
§4.2 wants tracked, and what RFC 5229 §3 asks to keep for extensions that expand later. `parts` is empty for a
constant string.

Strings hold octets that are not UTF-8 as lone surrogates. Two halves of one character that meet in an expansion
become that character again, so that equal octets are equal strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from sievemda.sieve.run import Run

T = TypeVar("T")


class Reference(Protocol):
    """A place in a string that is filled in when control reaches it: `${name}`, `${1}`, `${namespace.name}`."""

    def value(self, run: Run) -> str: ...


Part = str | Reference


@dataclass(frozen=True, slots=True)
class Text:
    source: str
    parts: tuple[Part, ...] = ()
    line: int = 0
    column: int = 0

    @property
    def constant(self) -> bool:
        return not self.parts

    def expand(self, run: Run) -> str:
        value = "".join([part if isinstance(part, str) else part.value(run) for part in self.parts])
        return value if value.isascii() else normal(value)


class Keys(tuple[str, ...]):  # noqa: SLOT001 - what it keeps is in a dictionary that most never need
    """The values of a constant list, which many runs share, with what matching has worked out about them."""

    @cached_property
    def _kept(self) -> dict[object, Any]:
        return {}

    def once(self, name: object, work: Callable[[Keys], T]) -> T:
        """What `work` makes of them, done once for each name. Two threads may both do it, to the same end."""
        known = self._kept.get(name)
        if known is None:
            known = self._kept[name] = work(self)
        made: T = known
        return made


@dataclass(frozen=True, slots=True)
class Texts:
    """A string list. `constant` holds the values when no member needs filling in."""

    items: tuple[Text, ...]
    constant: Keys | None

    def __iter__(self) -> Iterator[Text]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def texts(items: tuple[Text, ...]) -> Texts:
    for item in items:
        if item.parts:
            return Texts(items, None)
    return Texts(items, Keys([item.source for item in items]))


def octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def from_octets(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def normal(text: str) -> str:
    """The one string for these octets. A surrogate that stands for no octet becomes a question mark."""
    try:
        return from_octets(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return from_octets(text.encode("utf-8", "replace"))


def is_utf8(text: str) -> bool:
    """Whether the octets of a string are UTF-8: they are not when it holds a lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
