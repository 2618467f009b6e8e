"""variables: `${name}` in strings, set, string. RFC 5229."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Part, Reference, Text, Texts, octets
from sievemda.sieve.vocabulary import Extension, Vocabulary
from sievemda.sieve.wording import names

_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*+"
_REFERENCE = re.compile(rf"\$\{{((?:{_IDENTIFIER}\.(?:(?:[0-9]++|{_IDENTIFIER})\.)*)?)([0-9]++|{_IDENTIFIER})\}}")
_NAME = re.compile(_IDENTIFIER)
_QUALIFIED = re.compile(rf"{_IDENTIFIER}\.(?:[0-9]++|{_IDENTIFIER}|\.)++")
_SPECIAL = re.compile(r"[*?\\]")
_DIGITS = 4  # more digits than that, leading zeros apart, are no index of a match variable


@dataclass(frozen=True, slots=True)
class Variable:
    """${name}; an unknown one is empty."""

    name: str

    def value(self, run: Run) -> str:
        return run.variable(self.name)


class Settable(ABC):
    """A variable of a namespace in which scripts may set variables. RFC 5229 §3."""

    @abstractmethod
    def value(self, run: Run) -> str: ...

    @abstractmethod
    def assign(self, run: Run, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Capture:
    """${0}, ${1} ...: RFC 5229 §3.2."""

    index: int

    def value(self, run: Run) -> str:
        return run.captures[self.index] if self.index < len(run.captures) else ""


def read(text: str, context: Context) -> tuple[Part, ...]:
    """Cut a string at its references, in one pass. Raises `ValueError` for one that no run could fill in."""
    parts: list[Part] = []
    position = 0
    for found in _REFERENCE.finditer(text):
        space, name = found[1].lower(), found[2].lower()
        parts += [text[position : found.start()]] if found.start() > position else []
        position = found.end()
        if space:
            parts.append(_in_namespace(space + name, context.vocabulary))
        elif name.isdigit():
            parts.append(Capture(_index(name, context)))
        else:
            parts.append(Variable(name))
    return (*parts, text[position:]) if position < len(text) else tuple(parts)


def _in_namespace(name: str, vocabulary: Vocabulary) -> Reference:
    """The variable of this name in lower case, with its namespace. Raises `ValueError` when there can be none."""
    first, _, rest = name.partition(".")
    if first not in vocabulary.namespaces:
        raise ValueError(f"unknown namespace '{first}' in the variable ${{{name[:80]}}}")
    return vocabulary.namespaces[first](rest)


def _index(name: str, context: Context) -> int:
    digits, most = name.lstrip("0") or "0", context.limits.match_variables
    if len(digits) > _DIGITS or int(digits) > most:
        raise ValueError(f"match variable ${{{name[:20]}}} is out of range: the highest is ${{{most}}}")
    return int(digits)


def name_fault(name: Text, context: Context) -> str:
    """What is wrong with the name of a variable that is to be set; notes the name otherwise. RFC 5229 §4."""
    if not name.constant:
        return "the name of a variable must be a constant string"
    if _QUALIFIED.fullmatch(name.source):
        return _fault_in_namespace(name.source.lower(), context.vocabulary)
    if not _NAME.fullmatch(name.source):
        return f"invalid variable name '{name.source[:80]}'"
    if len(name.source) > context.limits.variable_name:
        return f"variable name too long: the limit is {context.limits.variable_name} characters"
    declared, most = context.declared, context.limits.variables
    if name.source.lower() not in declared:
        declared.add(name.source.lower())
        if len(declared) == most + 1:
            return f"too many variables: the limit is {most}"
    return ""


def lookup_fault(name: Text, context: Context) -> str:
    """What is wrong with the name of a variable that is to be read, which may be that of a match variable."""
    if not name.constant:
        return "the name of a variable must be a constant string"
    reference = f"${{{name.source}}}"
    if not _REFERENCE.fullmatch(reference):
        return f"invalid variable name '{name.source[:80]}'"
    try:
        read(reference, context)
    except ValueError as fault:
        return f"invalid variable name '{name.source[:80]}': {fault}"
    return ""


def _fault_in_namespace(name: str, vocabulary: Vocabulary) -> str:
    try:
        found = _in_namespace(name, vocabulary)
    except ValueError as fault:
        return f"invalid variable name '{name[:80]}': {fault}"
    return "" if isinstance(found, Settable) else f"the variable '{name[:80]}' cannot be set: it is there to be read"


def fetch(run: Run, name: str) -> str:
    """The value of the variable of that name, which a script gave as a string; an unknown one is empty."""
    name = name.lower()
    if name.isdigit():
        return Capture(int(name)).value(run)
    if "." not in name:
        return run.variable(name)
    try:
        return _in_namespace(name, run.vocabulary).value(run)
    except ValueError:
        return ""


def store(run: Run, name: str, value: str, limit: int | None = None) -> None:
    """Set a variable that `name_fault` finds no fault with, cut to what it can hold: whole characters. RFC 5229 §6."""
    value = cut(value, run.limits.variable_size if limit is None else limit)
    if "." not in name:
        run.assign(name.lower(), value)
    elif isinstance(found := _in_namespace(name.lower(), run.vocabulary), Settable):
        found.assign(run, value)


def cut(value: str, size: int) -> str:
    """As much of a value as fits into so many octets, never a part of a character."""
    if len(value) * 4 <= size or len(data := octets(value)) <= size:
        return value
    while size and data[size] & 0xC0 == 0x80:  # an octet inside a character of UTF-8
        size -= 1
    return data[:size].decode("utf-8", "surrogateescape")


@node
class Modifier(Option, ABC):
    """A tag that changes what is stored; those of higher precedence come first. RFC 5229 §4.1, RFC 5703 §7."""

    extends = ("set", "extracttext")
    precedence: ClassVar[int]

    @abstractmethod
    def apply(self, value: str, size: int) -> str:
        """The changed value, no longer than `size` octets where the change makes it longer."""


@node
class Lower(Modifier):
    keyword, precedence, group = "lower", 40, "modifier of precedence 40"

    def apply(self, value: str, size: int) -> str:
        return value.lower() if value.isascii() else value.translate(_LOWER)


@node
class Upper(Modifier):
    keyword, precedence, group = "upper", 40, "modifier of precedence 40"

    def apply(self, value: str, size: int) -> str:
        return value.upper() if value.isascii() else value.translate(_UPPER)


@node
class LowerFirst(Modifier):
    keyword, precedence, group = "lowerfirst", 30, "modifier of precedence 30"

    def apply(self, value: str, size: int) -> str:
        return value[:1].translate(_LOWER) + value[1:]


@node
class UpperFirst(Modifier):
    keyword, precedence, group = "upperfirst", 30, "modifier of precedence 30"

    def apply(self, value: str, size: int) -> str:
        return value[:1].translate(_UPPER) + value[1:]


@node
class QuoteWildcard(Modifier):
    """A cut never parts a backslash from what it quotes."""

    keyword, precedence, group = "quotewildcard", 20, "modifier of precedence 20"

    def apply(self, value: str, size: int) -> str:
        quoted = _SPECIAL.sub(r"\\\g<0>", value)
        short = cut(quoted, size)
        if len(short) < len(quoted):
            odd = len(short) - len(short.rstrip("\\")) & 1
            return short[:-1] if odd else short
        return quoted


@node
class Length(Modifier):
    """Characters, not octets: RFC 5229 §4.1.1."""

    keyword, precedence, group = "length", 10, "modifier of precedence 10"

    def apply(self, value: str, size: int) -> str:
        return str(len(value))


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


@node
class Set(Command):
    """set [MODIFIER] <name: string> <value: string>, RFC 5229 §4."""

    keyword = "set"
    name: Text
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if fault := name_fault(self.name, context):
            yield self.name, fault

    def warnings(self, context: Context) -> Iterator[Fault]:
        size, most = len(octets(self.value.source)), context.limits.variable_size
        if self.value.constant and size > most and not self.options:
            yield self.value, f"the value is cut: a variable holds {most} octets, this has {size}"

    def execute(self, run: Run) -> None:
        value, size = run.text(self.value), run.limits.variable_size
        modifiers = [option for option in self.options if isinstance(option, Modifier)]
        for modifier in sorted(modifiers, key=lambda modifier: -modifier.precedence):
            run.spend_matching(2 * len(value))
            value = modifier.apply(value, size)
        store(run, self.name.source, value)


@node
class StringTest(Test):
    """string [MATCH-TYPE] [COMPARATOR] <source: string-list> <key-list: string-list>, RFC 5229 §5."""

    keyword = "string"
    matching: Matching = DEFAULT
    source: Texts
    key_list: Texts

    def holds(self, run: Run) -> bool:
        values = run.texts(self.source)
        return match(run, self.matching, values, run.texts(self.key_list), sum(value != "" for value in values))

    def about(self, run: Run) -> About:
        return About(names(item.source for item in self.source), "there is no string to look at")


EXTENSIONS = (
    Extension(
        "variables",
        "RFC 5229",
        commands=(Set,),
        tests=(StringTest,),
        options=(Lower, Upper, LowerFirst, UpperFirst, QuoteWildcard, Length),
        read=read,
        captures=True,
    ),
)
