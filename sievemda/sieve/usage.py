"""How a command, test or tag is written, where that is defined, and what it does: for hints, hover and completion.

The usage line is what the docstring of the class begins with, in the notation of the RFCs:

    fileinto <mailbox: string>        header [COMPARATOR] [MATCH-TYPE] <header-names: string-list> <key-list: ...>

Why the docstring and not only the signature: which tags exclude each other, and what the RFC calls an argument, the
fields do not say. Where it does not name every argument and every tag of the class, the line is made from the fields,
so that none is ever missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from sievemda.sieve.glossary import SUMMARIES
from sievemda.sieve.matching import AddressPart, Comparator, MatchType
from sievemda.sieve.node import Node, Option
from sievemda.sieve.signature import Kind, Signature, Slot, signature
from sievemda.sieve.vocabulary import BASE, Extension, registry

_WRITTEN = {Kind.NUMBER: "number", Kind.STRING: "string", Kind.STRINGS: "string-list"}
_CLOSES = {"[": "]", "<": ">"}
_LOOSE = re.compile(r':[a-z]+|"[^"]*"|block\b|[/|]')  # what stands in a usage line outside of brackets
_REFERENCE = re.compile(r"(?P<source>RFC \d+|draft-[\w-]+|snooze draft)? ?§(?P<section>[\d.]*\d)")
_PLAIN = re.compile(r"RFC \d+")
_SENTENCE = re.compile(r"[^.]*(?:\.(?!\s|$)[^.]*)*\.")


@dataclass(frozen=True, slots=True)
class Usage:
    """`line` is how it is written, `source` where it is defined, `summary` what it does; that may be empty.

    `capability` is what a script must require for it; empty for the base language.
    """

    line: str
    source: str
    summary: str = ""
    capability: str = ""


_known: dict[type[Node], Usage] = {}


def usage(cls: type[Node]) -> Usage:
    """The usage of a command, a test, or a tag that is a class of its own; worked out once."""
    found = _known.get(cls)
    if found is None:
        found = _known[cls] = _usage(cls)
    return found


def _usage(cls: type[Node]) -> Usage:
    extension = _owners().get(cls)
    text = _documented(cls)
    said, rest = _usage_in(text, _headword(cls))
    line = said if said and _complete(said, signature(cls)) else _made(cls)
    source = _source(rest, extension)
    extended = cls.extends[0] if issubclass(cls, Option) and cls.extends else ""
    told = summary(_headword(cls), extended) or _prose(rest)
    return Usage(line, source, told, extension.name if extension else BASE)


def tag_usage(cls: type[Node], tag: str) -> Usage:
    """The usage of a tag that is a field of a command or test."""
    around = usage(cls)
    found = signature(cls).tags.get(tag)
    line = _tag(tag, found) if found else f":{tag}"
    return Usage(line, around.source, summary(f":{tag}", cls.keyword), around.capability)


def summary(word: str, on: str = "") -> str:
    """What is said of a word, of a tag when it stands on a command or test of that name; empty when nothing is."""
    return SUMMARIES.get(f"{on} {word}") or SUMMARIES.get(word, "")


@cache
def word_usage(word: str, *, owner: str = "") -> Usage:
    """The usage of a match type, address part (`:name`) or comparator (its name) that is not a node class.

    `owner` is the capability that provides it, where several do.
    """
    for extension in registry().extensions.values():
        if owner and extension.name != owner:
            continue
        items: tuple[MatchType | AddressPart | Comparator, ...] = (
            *extension.match_types, *extension.address_parts, *extension.comparators
        )  # fmt: skip
        for item in items:
            if word not in {item.name, f":{item.name}"}:
                continue
            operand = getattr(item, "operand", ())
            line = f":{item.name}" if word.startswith(":") else f':comparator "{item.name}"'
            choice = " <" + " / ".join(f'"{one}"' for one in operand) + ">" if operand else ""
            return Usage(line + choice, _source(item.__doc__ or "", extension), summary(word), extension.name)
    return Usage(word, "", summary(word))


def _headword(cls: type[Node]) -> str:
    return f":{cls.keyword}" if issubclass(cls, Option) else cls.keyword


@lru_cache(maxsize=1)
def _owners() -> dict[type, Extension]:
    """The extension that each class came with; of several the first."""
    found: dict[type, Extension] = {}
    for extension in registry().extensions.values():
        for cls in (*extension.commands, *extension.tests, *extension.options):
            found.setdefault(cls, extension)
    return found


def _documented(cls: type[Node]) -> str:
    """The docstring as running text; empty when the class has only the one that data classes are given."""
    text = cls.__doc__ or ""
    return "" if text.startswith(f"{cls.__name__}(") else re.sub(r"\s+", " ", text).strip()


def _usage_in(text: str, word: str) -> tuple[str, str]:
    """The usage line that a docstring begins with, and what follows it."""
    if not re.match(rf"{re.escape(word)}(?![\w-])", text):
        return "", text
    end = len(word)
    while True:
        start = end + (text[end : end + 1] == " ")
        if text[start : start + 1] in _CLOSES and text[start:]:
            after = _closed(text, start)
        else:
            loose = _LOOSE.match(text, start) if start > end else None
            after = loose.end() if loose else 0
        if not after:
            return text[:end], text[end:]
        end = after


def _closed(text: str, start: int) -> int:
    """Behind the bracket that closes the one at `start`; 0 when none does."""
    depth = 0
    opener, closer = text[start], _CLOSES[text[start]]
    for at in range(start, len(text)):
        depth += (text[at] == opener) - (text[at] == closer)
        if not depth:
            return at + 1
    return 0


def _complete(line: str, known: Signature) -> bool:
    """Whether it names every tag and has room for every positional argument."""
    bare = re.sub(r"\[ *(?:\"?:)[^\]]*\]", "", line)
    return all(re.search(rf":{tag}\b", line) for tag in known.tags) and bare.count("<") >= len(known.positionals)


def _made(cls: type[Node]) -> str:
    """The usage line as the fields have it."""
    known = signature(cls)
    return " ".join((_headword(cls), *_parts(known)))


def _parts(known: Signature) -> Iterator[str]:
    for tag, slot in known.tags.items():
        yield f"[{_tag(tag, slot)}]"
    if known.address_part:
        yield "[ADDRESS-PART]"
    if known.matching:
        yield from ("[COMPARATOR]", "[MATCH-TYPE]")
    for slot in known.positionals:
        argument = f"<{slot.field.rstrip('_').replace('_', '-')}: {_WRITTEN[slot.kind]}>"
        yield f"[{argument}]" if slot.optional else argument
    if known.tests:
        yield "<test>" if known.tests.kind is Kind.TEST else "<tests: test-list>"
    if known.block:
        yield "<block>"


def _tag(tag: str, slot: Slot) -> str:
    return f'":{tag}"' + (f" <{_WRITTEN[slot.kind]}>" if slot.kind in _WRITTEN else "")


def _source(text: str, extension: Extension | None) -> str:
    """The first place that the text cites; what it leaves out is that of the extension.

    Where the extension names the section, a citation further down is of something else.
    """
    home = extension.rfc if extension else ""
    found = _REFERENCE.search(text)
    if found is None or ("§" in home and text[: found.start()].strip(" ,.:;")):
        return home
    plain = _PLAIN.match(home)
    source = found["source"] or (plain[0] if plain else home)
    return f"{source} §{found['section']}"


def _prose(rest: str) -> str:
    """The first sentence of a docstring behind its usage line and citation."""
    text = re.sub(r"^[\s,.:;]*(?:(?:RFC \d+|draft-[\w-]+|snooze draft)? ?§?[\d.]*\d)?[\s,.:;]*", "", rest)
    found = _SENTENCE.match(text)
    told = (found[0] if found else text).strip()
    return told[:1].upper() + told[1:]
