"""Regular expressions of procmail (its own egrep) and of maildrop (PCRE) as trees.

What no engine with linear time has (back-references, looking around) is `Impossible`, and so is what is nested beyond
reason. Lazy repetitions are repetitions: where something matches they say nothing about, only what a group holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sievemda.upkeep.conversion.report import Impossible

_NESTING = 40  # groups in groups
_LONGEST = 4_000  # characters of one expression
WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_SPACE = frozenset(" \t\r\f\v\n")
_LETTERS = frozenset(c for c in WORD if c.isalpha())
_CLASSES = {
    "alnum": _LETTERS | _DIGITS,
    "alpha": _LETTERS,
    "blank": frozenset(" \t"),
    "digit": _DIGITS,
    "lower": frozenset(c for c in _LETTERS if c.islower()),
    "upper": frozenset(c for c in _LETTERS if c.isupper()),
    "punct": frozenset(chr(n) for n in range(33, 127) if not chr(n).isalnum()),
    "space": _SPACE,
    "xdigit": frozenset("0123456789abcdefABCDEF"),
}
_SHORT = {"d": (_DIGITS, False), "D": (_DIGITS, True), "w": (WORD, False), "W": (WORD, True)}
_SHORT |= {"s": (_SPACE, False), "S": (_SPACE, True)}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "e": "\x1b"}


@dataclass(frozen=True, slots=True)
class Char:
    value: str


@dataclass(frozen=True, slots=True)
class Wild:
    """Any character but a line end."""


@dataclass(frozen=True, slots=True)
class Set:
    members: frozenset[str]
    negative: bool

    def has(self, character: str) -> bool:
        return (character in self.members) is not self.negative


@dataclass(frozen=True, slots=True)
class Mark:
    """`begin` and `end` of a line, `edge` of the whole text, `word` a character that is no word (or a line end),
    `boundary` of a word, `split` where procmail's MATCH begins.
    """

    kind: Literal["begin", "end", "edge", "word", "boundary", "split"]


@dataclass(frozen=True, slots=True)
class Group:
    """`number` from 1; 0 captures nothing, as all groups of procmail."""

    inner: Node
    number: int


@dataclass(frozen=True, slots=True)
class Alternatives:
    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Row:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    inner: Node
    least: int
    most: int | None


Node = Char | Wild | Set | Mark | Group | Alternatives | Row | Repeat


def parse_procmail(text: str) -> Node:
    """Raises `Impossible`."""
    return _Parser(text, perl=False).whole()


def parse_perl(text: str) -> Node:
    """Raises `Impossible`."""
    return _Parser(text, perl=True).whole()


class _Parser:
    def __init__(self, text: str, *, perl: bool) -> None:
        if len(text) > _LONGEST:
            raise Impossible(f"a pattern is longer than {_LONGEST} characters")
        self._text = text
        self._perl = perl
        self._at = 0
        self._depth = 0
        self._groups = 0

    def whole(self) -> Node:
        found = self._alternatives()
        if self._at < len(self._text):
            raise Impossible("a pattern has a ')' that nothing opens")
        return found

    def _alternatives(self) -> Node:
        branches = [self._row()]
        while self._take("|"):
            branches.append(self._row())
        return branches[0] if len(branches) == 1 else Alternatives(tuple(branches))

    def _row(self) -> Node:
        items: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            one = self._repeated(self._atom())
            items += one.items if isinstance(one, Row) else (one,)
        return items[0] if len(items) == 1 else Row(tuple(items))

    def _repeated(self, atom: Node) -> Node:
        while self._at < len(self._text):
            least, most = self._quantifier()
            if least < 0:
                break
            if isinstance(atom, Repeat) and atom.most is None and most is None:
                atom = Repeat(atom.inner, min(atom.least, least), None)
            else:
                atom = Repeat(atom, least, most)
            if self._perl and self._text[self._at : self._at + 1] == "+":
                raise Impossible("a possessive repetition has no counterpart")
            if self._perl:
                self._take("?")
        return atom

    def _quantifier(self) -> tuple[int, int | None]:
        """-1 for the least when there is none."""
        for mark, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(mark):
                return bounds
        if not self._perl or self._text[self._at] != "{":
            return -1, None
        inside, brace, _ = self._text[self._at + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not low.isdecimal() or (high and not high.isdecimal()):
            return -1, None
        if int(low[:9]) > 255 or int(high[:9] or "0") > 255:
            raise Impossible("a pattern repeats something more than 255 times")
        self._at += len(inside) + 2
        return int(low), int(high) if high else None if comma else int(low)

    def _atom(self) -> Node:
        character = self._text[self._at]
        self._at += 1
        match character:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return Wild()
            case "^":
                return Mark("edge") if not self._perl and self._take("^") else Mark("begin")
            case "$":
                return Mark("end")
            case "\\":
                return self._escape()
        return Char(character)

    def _group(self) -> Node:
        number = 0
        if self._perl and self._take("?"):
            if not self._take(":"):
                raise Impossible("a pattern looks around or sets options inside '(?'")
        elif self._perl:
            self._groups += 1
            number = self._groups
        self._depth += 1
        if self._depth > _NESTING:
            raise Impossible(f"a pattern has more than {_NESTING} groups in each other")
        inner = self._alternatives()
        self._depth -= 1
        if not self._take(")"):
            raise Impossible("a pattern has a '(' that nothing closes")
        return Group(inner, number)

    def _escape(self) -> Node:
        if self._at == len(self._text):
            return Char("\\")
        character = self._text[self._at]
        self._at += 1
        if self._perl:
            return self._perl_escape(character)
        if character in "<>":
            return Mark("word")
        return Mark("split") if character == "/" else Char(character)

    def _perl_escape(self, character: str) -> Node:
        if character in _SHORT:
            return Set(*_SHORT[character])
        if character in _CONTROLS:
            return Char(_CONTROLS[character])
        if character == "b":
            return Mark("boundary")
        if character.isalnum():
            raise Impossible(f"'\\{character}' in a pattern has no counterpart")
        return Char(character)

    def _set(self) -> Node:
        negative = self._take("^")
        members: set[str] = set()
        first = self._at
        while self._at == first or not self._take("]"):
            if self._at >= len(self._text):
                raise Impossible("a pattern has a '[' that nothing closes")
            members |= self._members()
        return Set(frozenset(members), negative)

    def _members(self) -> frozenset[str]:
        text = self._text
        if self._perl and text.startswith("[:", self._at) and ":]" in text[self._at :]:
            name = text[self._at + 2 : text.index(":]", self._at)]
            if name not in _CLASSES:
                raise Impossible(f"the class [:{name}:] of a pattern has no counterpart")
            self._at += len(name) + 4
            return _CLASSES[name]
        low = self._member()
        if isinstance(low, frozenset):
            return low
        dash = text[self._at : self._at + 1] == "-" and text[self._at + 1 : self._at + 2] not in {"", "]"}
        if not dash:
            return frozenset(low)
        self._at += 1
        high = self._member()
        if isinstance(high, frozenset) or not 0 <= ord(high) - ord(low) < 256:
            raise Impossible("a range of characters in a pattern is the wrong way round or too wide")
        return frozenset(map(chr, range(ord(low), ord(high) + 1)))

    def _member(self) -> str | frozenset[str]:
        character = self._text[self._at]
        self._at += 1
        if character != "\\" or not self._perl or self._at == len(self._text):
            return character
        character = self._text[self._at]
        self._at += 1
        members, negative = _SHORT.get(character, (frozenset(), True))
        if not negative:
            return members
        if character in _SHORT:
            raise Impossible(f"'\\{character}' inside brackets has no counterpart")
        return _CONTROLS.get(character, character)

    def _take(self, mark: str) -> bool:
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            return True
        return False


def spliced(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """Rows inside a row laid out flat."""
    out: list[Node] = []
    for item in items:
        out += spliced(item.items) if isinstance(item, Row) else (item,)
    return tuple(out)


def nullable(node: Node) -> bool:
    """Whether it can match nothing at all."""
    match node:
        case Char() | Wild() | Set():
            return False
        case Mark(kind):
            return kind != "word"
        case Group(inner, _):
            return nullable(inner)
        case Alternatives(branches):
            return any(map(nullable, branches))
        case Row(items):
            return all(map(nullable, items))
        case Repeat(inner, least, _):
            return least == 0 or nullable(inner)


def has_mark(node: Node, kind: str) -> bool:
    match node:
        case Mark(found):
            return found == kind
        case Group(inner, _) | Repeat(inner, _, _):
            return has_mark(inner, kind)
        case Alternatives(parts) | Row(parts):
            return any(has_mark(part, kind) for part in parts)
    return False
