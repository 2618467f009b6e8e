"""Commands and tests with room for their arguments, in the snippet syntax of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from sievemda.sieve.node import Node, Test
from sievemda.sieve.signature import Kind, signature

# Where the fields do not say what must be given.
_OWN = {
    "require": 'require ["$1"];',
    "size": "size :${1:over} ${2:100K}",
    "set": 'set "${1:name}" "${2:value}";',
    "vacation": 'vacation :days ${1:7} "${2:reason}";',
    "not": "not ${1:test}",
}


def snippet(cls: type[Node]) -> str:
    """The word with what must follow it; the word alone when nothing must."""
    return _OWN.get(cls.keyword) or "".join(_pieces(cls))


def _pieces(cls: type[Node]) -> Iterator[str]:
    known, stops = signature(cls), count(1)
    yield cls.keyword
    if known.matching:
        yield f" :${{{next(stops)}:{known.matching.default.type.name}}}"
    for slot in known.positionals:
        if slot.optional:
            continue
        room = f"${{{next(stops)}:{slot.role.strip().replace(' ', '-')}}}"
        yield f" {room}" if slot.kind is Kind.NUMBER else f' "{room}"'
    if known.tests:
        single = known.tests.kind is Kind.TEST
        yield f" ${{{next(stops)}:test}}" if single else f" (${{{next(stops)}:test}}, ${{{next(stops)}:test}})"
    if known.block:
        yield " {\n    $0\n}"
    elif not issubclass(cls, Test):
        yield ";"
