"""Which words may stand at a place, those of extensions that the script does not require yet among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sievemda.lsp.document import Document
from sievemda.lsp.scene import Frame, Given, Scene
from sievemda.sieve.node import Command, Node, Option, Test
from sievemda.sieve.signature import Kind, Slot, signature
from sievemda.sieve.usage import Usage, summary, tag_usage, usage, word_usage
from sievemda.sieve.vocabulary import Extension, registry

MATCH_TYPE, ADDRESS_PART = "match type", "address part"  # tags of which only one may stand on a test


@dataclass(frozen=True, slots=True)
class Word:
    """A command or test. `capability` must be required for it yet; empty when nothing must."""

    cls: type[Node]
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag that may stand on a command or test, and the kind of what follows it. Of one `group` only one may."""

    name: str
    usage: Usage
    operand: Kind | None = None
    role: str = ""  # of the operand
    group: str = ""
    choice: tuple[str, ...] = ()  # the words that the operand is one of
    capability: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """The argument that a place belongs to: of a tag, or the positional one of that number."""

    call: Frame
    cls: type[Node]
    role: str  # the name of the field
    kind: Kind
    tag: str = ""
    number: int = 0


def commands(document: Document) -> dict[str, Word]:
    found = {name: Word(cls) for name, cls in document.vocabulary.commands.items()}
    for extension in others(document):
        for cls in extension.commands:
            found.setdefault(cls.keyword, Word(cls, extension.name))
    return found


def tests(document: Document) -> dict[str, Word]:
    found = {name: Word(cls) for name, cls in document.vocabulary.tests.items()}
    for extension in others(document):
        for cls in extension.tests:
            found.setdefault(cls.keyword, Word(cls, extension.name))
    return found


def word_of(document: Document, call: Frame) -> Word | None:
    """What the name of a call stands for, where it stands."""
    return (tests if call.test else commands)(document).get(call.name)


def tags(document: Document, cls: type[Node]) -> dict[str, Tagged]:
    """Every tag of a command or test by its name."""
    found: dict[str, Tagged] = {}
    for name, slot in signature(cls).tags.items():
        operand = None if slot.kind is Kind.FLAG else slot.kind
        found[name] = Tagged(name, tag_usage(cls, name), operand, slot.field)
    for option in document.vocabulary.options(cls.keyword).values():
        found.setdefault(option.keyword, _option(option, ""))
    for extension in others(document):
        for option in extension.options:
            if cls.keyword in option.extends:
                found.setdefault(option.keyword, _option(option, extension.name))
    if signature(cls).matching:
        found |= _matching(document)
    if signature(cls).address_part:
        found |= _parts(document)
    return found


def _option(option: type[Option], capability: str) -> Tagged:
    slot: Slot | None = next(iter(signature(option).positionals), None)
    kind, role = (slot.kind, slot.field) if slot else (None, "")
    return Tagged(option.keyword, usage(option), kind, role, option.group, capability=capability)


def _matching(document: Document) -> dict[str, Tagged]:
    known = {name: (kind, "") for name, kind in document.vocabulary.match_types.items()}
    for extension in others(document):
        for kind in extension.match_types:
            known.setdefault(kind.name, (kind, extension.name))
    found = {
        name: Tagged(
            name,
            word_usage(f":{name}"),
            Kind.STRING if kind.operand else None,
            "operand",
            MATCH_TYPE,
            kind.operand,
            need,
        )
        for name, (kind, need) in known.items()
    }
    told = Usage('":comparator" <comparator-name: string>', "RFC 5228 §2.7.3", summary(":comparator"))
    return found | {"comparator": Tagged("comparator", told, Kind.STRING, "comparator")}


def _parts(document: Document) -> dict[str, Tagged]:
    known = dict.fromkeys(document.vocabulary.address_parts, "")
    for extension in others(document):
        for part in extension.address_parts:
            known.setdefault(part.name, extension.name)
    return {
        name: Tagged(name, word_usage(f":{name}"), group=ADDRESS_PART, capability=need) for name, need in known.items()
    }


def others(document: Document) -> Iterator[Extension]:
    """The extensions that the script might require beside those that it does, those of RFCs first."""
    known, have = registry().extensions, document.required
    for extension in _by_standing():
        name = extension.name
        if name in have or name not in document.allowed or not (extension.advertised or extension.private):
            continue
        if have.isdisjoint(extension.excludes) and not any(name in known[other].excludes for other in have):
            yield extension


@lru_cache(maxsize=1)
def _by_standing() -> tuple[Extension, ...]:
    """Every extension; words that several provide are those of the RFC, not of the draft before it."""
    known = registry().extensions.values()
    return tuple(sorted(known, key=lambda e: (not e.rfc.startswith("RFC"), e.name)))


def unused(known: dict[str, Tagged], given: list[Given]) -> Iterator[Tagged]:
    """The tags that may still be given."""
    names = {one.name for one in given if one.kind == "tag"}
    groups = {known[name].group for name in names if name in known} - {""}
    for tag in known.values():
        if tag.name not in names and tag.group not in groups:
            yield tag


def spot(document: Document, around: Scene) -> Spot | None:
    """Which argument of which command or test a place is in; `None` where there is no such argument."""
    call = around.call
    word = word_of(document, call) if call else None
    if call is None or word is None:
        return None
    known = tags(document, word.cls)
    waiting: Tagged | None = None
    number = 0
    for one in call.given:
        if waiting is not None and one.kind != "tag":
            waiting = None
        elif one.kind == "tag":
            tag = known.get(one.name)
            waiting = tag if tag and tag.operand else None
        else:
            number += 1
    if waiting is not None and waiting.operand:
        return Spot(call, word.cls, waiting.role, waiting.operand, waiting.name)
    slot = positional(word.cls, number)
    return Spot(call, word.cls, slot.field, slot.kind, number=number) if slot else None


def positional(cls: type[Node], number: int) -> Slot | None:
    """The positional argument of that number; an optional one in front counts only when it must be meant."""
    known = signature(cls)
    wanted = [slot for slot in known.positionals if not slot.optional]
    slots = known.positionals if number >= len(wanted) else wanted
    return slots[number] if number < len(slots) else None


def expects(document: Document, around: Scene) -> Literal["command", "test", ""]:
    """Whether a command or a test begins at a place; empty where neither does."""
    top = around.stack[-1]
    if top.kind == "block":
        return "command"
    if top.kind == "tests":
        return "test"
    if top.kind != "call" or top.inner:
        return ""
    word = word_of(document, top)
    wanted = signature(word.cls).tests if word else None
    return "test" if wanted and wanted.kind is Kind.TEST else ""


def is_action(cls: type[Node]) -> bool:
    return issubclass(cls, Command) and signature(cls).block is None


def is_test(cls: type[Node]) -> bool:
    return issubclass(cls, Test)
