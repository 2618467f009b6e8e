r"""Patterns into the words of Sieve: what must stand behind a character, and the plainest match type that says it.

Why the plainest: `:contains "foo"` is what a person would have written, needs no capability, and is what he can read
and change a year later. `^Subject:.*foo` and `header :contains "subject" "foo"` are the same.

Of a field procmail and maildrop see `Field: value`; Sieve sees the value without the blanks around it. So a pattern
for what follows the colon is first led over one blank (`after`), which every program writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from sievemda.upkeep.conversion.expression import (
    Alternatives,
    Char,
    Group,
    Mark,
    Node,
    Repeat,
    Row,
    Set,
    Wild,
    has_mark,
    nullable,
    spliced,
)
from sievemda.upkeep.conversion.report import Impossible

_MOST = 24  # texts that one pattern may stand for before it stays a regular expression
_MATCH = -1  # the number of the group that procmail's MATCH takes
_LINE_ENDS = frozenset("\r\n\f\v")
_STEPS = 400  # sequences that come out of one `after`
_MAGIC = frozenset(".[\\()*+?{|^$")
_ANYTHING = Repeat(Wild(), 0, None)
Sequence_ = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """`kind` without its colon: contains, is, matches or regex."""

    kind: str
    keys: tuple[str, ...]


@lru_cache(maxsize=4096)  # what two ways share is worked out once
def after(items: Sequence_, character: str) -> list[Sequence_]:
    """What is left of a pattern behind this character, each way that there is. The list is not to be changed."""
    if not items:
        return []
    head, tail = items[0], items[1:]
    match head:
        case Char() | Wild() | Set():
            return [tail] if _takes(head, character) else []
        case Mark("word"):
            return [tail] if not (character.isalnum() or character == "_") else []
        case Mark("boundary" | "split"):
            return [(head, *rest) if head.kind == "split" else rest for rest in after(tail, character)]
        case Mark():
            return []
        case Row(inner):
            return after(spliced(inner) + tail, character)
        case Alternatives(branches):
            return _few(rest for branch in branches for rest in after((branch, *tail), character))
        case Group(inner, number):
            rests = after((inner,), character)
            found = [(Group(Row(rest), number), *tail) if number else (*rest, *tail) for rest in rests]
            return found + (after(tail, character) if nullable(inner) else [])
        case Repeat(inner, least, most):
            fewer = Repeat(inner, max(least - 1, 0), None if most is None else most - 1)
            rest = () if fewer.most == 0 else (fewer,)
            found = [(*one, *rest, *tail) for one in after((inner,), character)]
            return _few(found + (after(tail, character) if least == 0 or nullable(inner) else []))


def _few(found: Iterable[Sequence_]) -> list[Sequence_]:
    out: list[Sequence_] = []
    for one in found:
        if one not in out:
            out.append(one)
        if len(out) > _STEPS:
            raise Impossible("a pattern has too many forms")
    return out


def _takes(node: Node, character: str) -> bool:
    match node:
        case Char(value):
            return value == character
        case Wild():
            return character != "\n"
        case Set():
            return node.has(character)
        case Mark("word"):
            return not (character.isalnum() or character == "_")
    return False


@dataclass(frozen=True, slots=True)
class Part:
    """A pattern, and whether it is bound to the beginning and to the end of the value."""

    items: Sequence_
    begins: bool
    ends: bool


def parts_behind(rest: Sequence_, blank: str = " ") -> list[Part]:
    """What follows the colon of a field, as patterns for its value. Empty when nothing can match."""
    rest = spliced(rest)
    if all(isinstance(one, Mark) and one.kind == "end" for one in rest) and rest:
        return [Part((), True, True)]  # an empty field has no blank that anything must lead over
    found = [_part(one, begins=True) for one in (after(rest, blank) if blank else [rest])]
    if nullable(Row(rest)) and not any(has_mark(Row(rest), kind) for kind in ("begin", "end", "edge")):
        return [Part((), False, False)]
    return _merged(found)


def part_anywhere(items: Sequence_) -> Part:
    """A pattern that is searched for in the whole text."""
    return _part(spliced(items), begins=False)


def _part(items: Sequence_, *, begins: bool) -> Part:
    items = spliced(items)
    while items[:1] == (_ANYTHING,):
        items, begins = items[1:], False
    ends = False
    while items and isinstance(items[-1], Mark) and items[-1].kind == "end":
        items, ends = items[:-1], True
    if ends and items[-1:] == (_ANYTHING,):
        ends = False
    while not ends and items[-1:] == (_ANYTHING,):
        items = items[:-1]
    while begins and items and _is_blanks(items[0]):
        items = items[1:]
    while ends and items and _is_blanks(items[-1]):
        items = items[:-1]
    return Part(items, begins, ends)


def _is_blanks(node: Node) -> bool:
    """Blanks that may be missing: the value of a field has none around it."""
    if not isinstance(node, Repeat) or node.least:
        return False
    match node.inner:
        case Char(value):
            return value.isspace()
        case Set(members, False):
            return all(map(str.isspace, members))
    return False


def _merged(parts: list[Part]) -> list[Part]:
    """Without those that others say already: `foo` at the beginning and one blank before `foo` are one."""
    out: list[Part] = []
    for part in parts:
        if not part.begins and part.items and (Part(part.items[1:], True, part.ends)) in parts:
            first = part.items[0]
            if _takes(first, " "):
                start: Node = first if first == Mark("word") else Alternatives((Mark("begin"), first))
                part = Part((start, *part.items[1:]), False, part.ends)  # noqa: PLW2901 - the same pattern, written anew
        out.append(part)
    covered = [one for one in out if not one.begins and one.items]
    said = {_without_start(one) for one in covered}
    return [one for one in out if not (one.begins and ((one.items, one.ends) in said or _loose(one) in out))]


def _without_start(part: Part) -> tuple[Sequence_, bool]:
    first = part.items[0]
    return (part.items[1:] if isinstance(first, Alternatives) or first == Mark("word") else part.items), part.ends


def _loose(part: Part) -> Part:
    return Part(part.items, False, part.ends)


# -- match types -----------------------------------------------------------------------------------------------------


def match_of(parts: Sequence[Part], *, fold: bool, capture: bool = False, line: bool = False) -> Match:
    """One test for all of them. `fold`: case does not count; `line`: the text has lines; `capture`: groups count."""
    if not capture and not line:
        plain = [_plain(part, fold=fold) for part in parts]
        if all(plain):
            kinds = {one.kind for one in plain if one}
            kind = kinds.pop() if len(kinds) == 1 else "matches"
            keys = [key for one in plain if one for key in (one.keys if one.kind == kind else _as_glob(one))]
            return Match(kind, tuple(dict.fromkeys(keys)))
    elif line and not capture and all(_is_words(part, fold=fold) for part in parts):
        return Match(
            "contains", tuple(key for part in parts for key in _texts(part.items, fold=fold, glob=False) or ())
        )
    return Match("regex", tuple(dict.fromkeys(_regex(part, fold=fold, capture=capture, line=line) for part in parts)))


def _is_words(part: Part, *, fold: bool) -> bool:
    return not part.begins and not part.ends and _texts(part.items, fold=fold, glob=False) is not None


def _plain(part: Part, *, fold: bool) -> Match | None:
    words = _texts(part.items, fold=fold, glob=False)
    if words is not None and part.begins == part.ends:
        return Match("is" if part.begins else "contains", tuple(words))
    globs = _texts(part.items, fold=fold, glob=True)
    if globs is None:
        return None
    start, end = "" if part.begins else "*", "" if part.ends else "*"
    return Match("matches", tuple(f"{start}{one}{end}" for one in globs))


def _as_glob(match: Match) -> list[str]:
    star = "*" if match.kind == "contains" else ""
    return [f"{star}{_glob_quoted(key)}{star}" for key in match.keys]


def _glob_quoted(text: str) -> str:
    return "".join(f"\\{c}" if c in "*?\\" else c for c in text)


def _texts(items: Sequence_, *, fold: bool, glob: bool) -> list[str] | None:
    """The few texts, or patterns of `:matches`, that it stands for; None when it needs more."""
    choices: list[list[str]] = []
    for item in items:
        found = _choice(item, fold=fold, glob=glob)
        if found is None or len(found) > _MOST:
            return None
        choices.append(found)
        count = 1
        for choice in choices:
            count *= len(choice)
        if count > _MOST:
            return None
    return ["".join(one) for one in product(*choices)]


def _choice(node: Node, *, fold: bool, glob: bool) -> list[str] | None:
    match node:
        case Char(value):
            return [_glob_quoted(value) if glob else value]
        case Wild() if glob:
            return ["?"]
        case Repeat(Wild(), least, None) if glob and least <= 8:
            return ["?" * least + "*"]
        case Set(members, False):
            one = _single(members, fold=fold)
            return None if one is None else [_glob_quoted(one) if glob else one]
        case Group(inner, _):
            return _choice(inner, fold=fold, glob=glob)
        case Row(items):
            return _texts(items, fold=fold, glob=glob)
        case Alternatives(branches):
            found = [_choice(branch, fold=fold, glob=glob) for branch in branches]
            return None if None in found else [text for one in found if one for text in one]
        case Repeat(inner, 0, 1):
            inside = _choice(inner, fold=fold, glob=glob)
            return None if inside is None else ["", *inside]
    return None


def _single(members: frozenset[str], *, fold: bool) -> str | None:
    """The one character that a set stands for: `[Ff]` is `f` where case does not count."""
    folded = {c.lower() for c in members} if fold else set(members)
    return folded.pop() if len(folded) == 1 else None


def _regex(part: Part, *, fold: bool, capture: bool, line: bool) -> str:
    items, groups = part.items, "all" if not capture else "numbered"
    if capture and Mark("split") in items:
        at = items.index(Mark("split"))
        items, groups = (*items[:at], Group(Row(items[at + 1 :]), _MATCH)), "match"
    writer = _Writer(fold=fold, groups=groups, line=line)
    texts = [writer.text(item, top=len(items) == 1 and not (part.begins or part.ends)) for item in items]
    if items[:1] == (Mark("word"),):
        texts[0] = texts[0].replace("|$", "")
    if items[1:] and items[-1] == Mark("word"):
        texts[-1] = texts[-1].replace("^|", "")
    body, start, end = "".join(texts), writer.text(Mark("begin")), writer.text(Mark("end"))
    return f"{start if part.begins else ''}{body}{end if part.ends else ''}"


def numbers(items: Sequence_) -> list[int]:
    """The capturing groups of a pattern in their order."""
    found: list[int] = []
    for item in items:
        match item:
            case Group(inner, number):
                found += [number] if number > 0 else []
                found += numbers((inner,))
            case Row(inside) | Alternatives(inside):
                found += numbers(inside)
            case Repeat(inner, _, _):
                found += numbers((inner,))
    return found


class _Writer:
    """Nodes as an extended regular expression. `groups` that capture: all, the numbered ones, what MATCH is to hold."""

    def __init__(self, *, fold: bool, groups: str, line: bool) -> None:
        self._fold, self._groups, self._line = fold, groups, line
        self._silent = "" if groups == "all" else "?:"

    def text(self, node: Node, *, top: bool = False) -> str:
        match node:
            case Char(value):
                return f"\\{value}" if value in _MAGIC else value
            case Wild():
                return "[^\n]" if self._line else "."
            case Set():
                return self._set(node)
            case Mark():
                return self._mark(node)
            case Group(inner, number):
                keep = number == _MATCH or (number > 0 and self._groups == "numbered")
                return f"({'' if keep else self._silent}{self.text(inner, top=True)})"
            case Row(items):
                return "".join(map(self.text, items))
            case Alternatives(branches):
                joined = "|".join(map(self.text, branches))
                return joined if top else f"({self._silent}{joined})"
            case Repeat():
                return self._repeat(node)
        raise AssertionError(node)

    def _mark(self, mark: Mark) -> str:
        silent = self._silent
        texts = {
            "begin": f"({silent}^|\\n)" if self._line else "^",
            "end": f"\\r?({silent}\\n|$)" if self._line else "$",
            "edge": "^",
            "word": f"({silent}^|[^a-zA-Z0-9_]|$)",
            "boundary": "\\b",
            "split": "",
        }
        return texts[mark.kind]

    def _repeat(self, node: Repeat) -> str:
        inner, silent = self.text(node.inner), self._silent
        if isinstance(node.inner, Row | Repeat | Mark):
            inner = f"({silent}{inner})"
        simple = {(0, None): "*", (1, None): "+", (0, 1): "?", (1, 1): ""}
        if (node.least, node.most) in simple:
            return inner + simple[node.least, node.most]
        bounds = str(node.least) if node.least == node.most else f"{node.least},{node.most or ''}"
        return f"{inner}{{{bounds}}}"

    def _set(self, node: Set) -> str:
        one = None if node.negative else _single(node.members, fold=self._fold)
        if one is not None:
            return self.text(Char(one))
        # A field has no line ends, and nobody means a form feed.
        members = node.members - (set() if self._line else _LINE_ENDS)
        if not members:
            return "." if node.negative else "[^\x01-\xff]"
        if node.negative and self._line:
            members |= {"\n"}
        return f"[{'^' if node.negative else ''}{_bracketed(members)}]"


def _bracketed(members: frozenset[str] | set[str]) -> str:
    """What stands in brackets: `]` first, `-` last, runs as ranges, `^` never first."""
    codes = sorted(ord(c) for c in members if c not in "]-^[")
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1 and (chr(code).isalnum() and chr(code - 1).isalnum()):
            runs[-1][1] = code
        else:
            runs.append([code, code])
    text = "".join(
        chr(low) + (f"-{chr(high)}" if high > low + 1 else chr(high) if high > low else "") for low, high in runs
    )
    text += "[" * ("[" in members) + "^" * ("^" in members)
    return "]" * ("]" in members) + text + "-" * ("-" in members)
