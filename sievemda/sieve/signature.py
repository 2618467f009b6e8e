"""What the fields of a node class say about its arguments; the rules are in `node`."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sievemda.sieve.frozen import REQUIRED
from sievemda.sieve.matching import AddressPart, Matching
from sievemda.sieve.node import Block, Node, Option, Test
from sievemda.sieve.text import Text, Texts


class Kind(Enum):
    """The value is how an error message calls it."""

    FLAG = "nothing"
    NUMBER = "a number"
    STRING = "a string"
    STRINGS = "a string list"
    TEST = "a test"
    TESTS = "a list of tests"
    BLOCK = "a block"
    MATCHING = "a match type"
    ADDRESS_PART = "an address part"


_KINDS: dict[object, Kind] = {
    bool: Kind.FLAG,
    int: Kind.NUMBER,
    Text: Kind.STRING,
    Texts: Kind.STRINGS,
    Test: Kind.TEST,
    tuple[Test, ...]: Kind.TESTS,
    Block: Kind.BLOCK,
    Matching: Kind.MATCHING,
    AddressPart: Kind.ADDRESS_PART,
}
_POSITIONAL = frozenset({Kind.NUMBER, Kind.STRING, Kind.STRINGS})


@dataclass(frozen=True, slots=True)
class Slot:
    field: str
    kind: Kind
    optional: bool = False
    default: Any = None

    @property
    def role(self) -> str:
        return self.field.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Signature:
    positionals: tuple[Slot, ...]
    tags: dict[str, Slot]
    matching: Slot | None = None
    address_part: Slot | None = None
    tests: Slot | None = None
    block: Slot | None = None
    required: int = 0  # how many of the positional arguments must be there


_known: dict[type[Node], Signature] = {}


def signature(cls: type[Node]) -> Signature:
    """The signature of a node class, worked out once."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = _signature(cls)
    return found


def _signature(cls: type[Node]) -> Signature:
    hints = typing.get_type_hints(cls)
    inherited = {*Option.node_fields, "options"}
    positionals: list[Slot] = []
    tags: dict[str, Slot] = {}
    others: dict[Kind, Slot] = {}
    for name, default in cls.node_fields.items():
        if name in inherited:
            continue
        kind, optional = _kind(hints[name])
        slot = Slot(name, kind, optional, default)
        if kind not in _POSITIONAL and kind is not Kind.FLAG:
            others[kind] = slot
        elif default is REQUIRED:
            positionals.append(slot)
        else:
            tags[name.rstrip("_")] = slot
    return Signature(
        tuple(positionals),
        tags,
        others.get(Kind.MATCHING),
        others.get(Kind.ADDRESS_PART),
        others.get(Kind.TEST) or others.get(Kind.TESTS),
        others.get(Kind.BLOCK),
        sum(not slot.optional for slot in positionals),
    )


def _kind(hint: object) -> tuple[Kind, bool]:
    if isinstance(hint, types.UnionType):
        (inner,) = (argument for argument in typing.get_args(hint) if argument is not types.NoneType)
        return _KINDS[inner], True
    return _KINDS[hint], False
