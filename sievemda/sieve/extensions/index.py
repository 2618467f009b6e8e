"""index: `:index` and `:last` choose one of several header fields. RFC 5260 §6.

Fields are counted, not the addresses in one, and not their values: name by name in the order of the list. What the
number picks is then matched. A number beyond the last picks nothing, which is no error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.sieve.fields import Occurrence
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.vocabulary import Extension

TESTS = ("header", "address", "date")


@node
class Last(Option):
    """:last, counts backwards."""

    keyword = "last"
    extends = TESTS

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        if not any(isinstance(option, Index) for option in owner.options):
            kind = "test" if isinstance(owner, Test) else "command"
            yield f"the :last tag for the {owner.keyword} {kind} cannot be specified without the :index tag"


@node
class Index(Option):
    """:index <fieldno: number>, from 1 on."""

    keyword = "index"
    extends = TESTS
    fieldno: int

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.fieldno == 0:
            yield "the :index tag counts from 1: it cannot be zero"

    def pick(self, found: Sequence[Occurrence], options: Sequence[Option]) -> Sequence[Occurrence]:
        backwards = any(isinstance(option, Last) for option in options)
        return chosen(found, self.fieldno, backwards=backwards)


def chosen(found: Sequence[Occurrence], number: int, *, backwards: bool) -> Sequence[Occurrence]:
    """The one with that number, or none."""
    at = len(found) - number if backwards else number - 1
    return found[at : at + 1] if at >= 0 else ()


EXTENSIONS = (Extension("index", "RFC 5260", options=(Index, Last)),)
