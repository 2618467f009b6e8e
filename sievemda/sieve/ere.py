r"""Extended regular expressions of POSIX.2 in the words of RE2, octet for octet. draft-ietf-sieve-regex §6.

The result is for RE2 in Latin-1 with the longest match: a character of it is an octet of UTF-8. A literal character and
a bracket expression with characters that are not ASCII stand for whole characters all the same; `.` and a bracket
expression of ASCII alone stand for one octet, as `?` does in `:matches`.

Beyond POSIX, which leaves these undefined: the shorthands of GNU (`\w \W \s \S \b \B \< \>`), `\d \D \t \n \r`, a
group that captures nothing `(?:...)`, and `(?i)` at the beginning. Scripts for Pigeonhole and Cyrus have them, and none
of them is expensive. There are no back-references: no engine does them in linear time, and the draft leaves them out.

Why a translation and not RE2's own POSIX syntax: there a backslash quotes in brackets, `[=a=]` and `{,3}` are unknown,
and folding case folds the Latin-1 letters that the octets of UTF-8 look like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

MOST_REPEATS = 1_000  # of one thing, nested repetitions multiplied; RE2 has no more, POSIX asks for 255
MOST_STEPS = 25_000  # instructions of the compiled expression, about
MOST_GROUPS = 32  # that are told apart: there are no more match variables, and each one makes a search slower
_NESTING = 100  # groups in groups
_STACKED = 10  # repetitions of one thing behind each other

_INTERVAL = re.compile(r"\{([0-9]{1,9})?(,([0-9]{1,9})?)?\}")
_SHORT = {
    "w": r"[0-9A-Za-z_]", "W": r"[^0-9A-Za-z_]", "s": r"[\t-\r ]", "S": r"[^\t-\r ]", "d": "[0-9]", "D": "[^0-9]",
    "b": r"\b", "<": r"\b", ">": r"\b", "B": r"\B", "`": r"\A", "'": r"\z", "t": r"\t", "n": r"\n", "r": r"\r",
}  # fmt: skip
_PLACES = frozenset("bB<>`'")  # what stands for a place in the text and cannot be repeated
_LETTERS = ((0x41, 0x5A), (0x61, 0x7A))
_DIGITS = (0x30, 0x39)
_CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "alnum": (_DIGITS, *_LETTERS), "alpha": _LETTERS, "blank": ((9, 9), (32, 32)), "cntrl": ((0, 31), (127, 127)),
    "digit": (_DIGITS,), "graph": ((33, 126),), "lower": (_LETTERS[1],), "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)), "space": ((9, 13), (32, 32)), "upper": (_LETTERS[0],),
    "xdigit": (_DIGITS, (0x41, 0x46), (0x61, 0x66)),
}  # fmt: skip
_UTF8 = ((0x80, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF))  # characters of the same size
_BYTE = 0x110000  # codes from here on are octets that are part of no character
_ESCAPED = 0xDC00  # where Python puts such octets among the characters

Range = tuple[int, int]


class Translated(NamedTuple):
    """`steps` is about how many instructions it compiles to, `loose` how many of them do not tell one character.

    What is literal and not repeated cannot make a search slow, however long it is: of such places few are ever reached
    at once. All the others may be.
    """

    expression: bytes
    steps: int
    loose: int


class Case(Enum):
    EXACT = 0
    ASCII = 1  # a-z are A-Z
    UNICODE = 2  # letters of all scripts that have one other form


def translate(pattern: str, case: Case) -> Translated:
    """The same expression for RE2. Raises `ValueError` that says what is wrong with it."""
    if pattern.startswith("(?i)"):
        pattern, case = pattern[4:], case if case is not Case.EXACT else Case.ASCII
    translation = _Translation(pattern, case)
    return Translated(translation.result().encode("ascii"), translation.steps, translation.loose)


class _Group(NamedTuple):
    """What was under way where a group begins."""

    atom: int
    steps: int
    repeats: int
    loose: int


class _Translation:
    """One pass. `_atom` is the place in `_out` of what a quantifier would repeat; -1 when there is nothing."""

    def __init__(self, pattern: str, case: Case) -> None:
        self.steps = 0
        self.loose = 0
        self._pattern = pattern
        self._case = case
        self._at = 0
        self._out: list[str] = []
        self._atom = -1
        self._atom_steps = 0
        self._atom_loose = 0
        self._groups = 0
        self._atom_repeats = 1  # how often something in it is repeated
        self._stacked = 0  # repetitions of it
        self._repeats = 1  # the most of all atoms of this group
        self._simple = ""  # the quantifier `?`, `*` or `+` that has just been written
        self._open: list[_Group] = []

    def result(self) -> str:
        while self._at < len(self._pattern):
            character = self._pattern[self._at]
            self._at += 1
            if character in "?*+":
                self._repeat(character)
            else:
                self._simple = ""
                self._one(character)
        if self._open:
            raise ValueError("a '(' is not closed")
        return "".join(self._out)

    def _one(self, character: str) -> None:
        match character:
            case "(":
                self._begin_group()
            case ")" if self._open:
                self._end_group()
            case "|":
                self._write("|", repeatable=False)
            case "^":
                self._write(r"\A", repeatable=False)
            case "$":
                self._write(r"\z", repeatable=False)
            case ".":
                self._write(".", loose=1)
            case "[":
                self._write(self._bracket(), loose=1)
            case "{":
                self._interval()
            case "\\":
                self._escape()
            case _:
                self._write(literal(character, self._case))

    def _write(self, text: str, *, repeatable: bool = True, loose: int = 0) -> None:
        self._atom = len(self._out) if repeatable else -1
        self._atom_steps, self._atom_repeats, self._stacked = 1 + 3 * text.count("|"), 1, 0
        self._atom_loose = loose and self._atom_steps
        self.loose += self._atom_loose
        self._grow(self._atom_steps)
        self._out.append(text)

    def _grow(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise ValueError(f"it is too large: it comes to more than {MOST_STEPS} steps")

    def _begin_group(self) -> None:
        silent = self._pattern.startswith("?:", self._at)
        if not silent and self._pattern.startswith("?", self._at):
            raise ValueError("'(?' is no extended regular expression")
        if len(self._open) == _NESTING:
            raise ValueError(f"groups are nested too deeply: the limit is {_NESTING}")
        self._at += 2 if silent else 0
        self._open.append(_Group(len(self._out), self.steps, self._repeats, self.loose))
        self._repeats = 1
        self._groups += not silent
        self._write("(?:" if silent or self._groups > MOST_GROUPS else "(", repeatable=False)

    def _end_group(self) -> None:
        group = self._open.pop()
        self._out.append(")")
        self._grow(1)
        self._atom, self._atom_steps, self._stacked = group.atom, self.steps - group.steps, 0
        self._atom_loose = self.loose - group.loose
        self._atom_repeats, self._repeats = self._repeats, max(group.repeats, self._repeats)

    def _repeat(self, mark: str) -> None:
        """`?`, `*`, `+`; one behind another repeats the repetition."""
        if self._atom < 0:
            raise ValueError(f"nothing stands before '{mark}' that could be repeated")
        if self._simple:
            mark = mark if mark == self._simple else "*"
            self._out[-1] = f"){mark}"
        else:
            self._quantify(mark)
        self._simple = mark

    def _quantify(self, quantifier: str) -> None:
        self._stacked += 1
        if self._stacked > _STACKED:
            raise ValueError(f"too many repetitions behind each other: the limit is {_STACKED}")
        self._grow(1)
        self._atom_steps += 1
        self.loose += self._atom_steps - self._atom_loose
        self._atom_loose = self._atom_steps
        self._out[self._atom] = "(?:" + self._out[self._atom]
        self._out.append(f"){quantifier}")

    def _interval(self) -> None:
        found = _INTERVAL.match(self._pattern, self._at - 1)
        if self._atom < 0:
            raise ValueError("nothing stands before '{' that could be repeated")
        if found is None or not (found[1] or found[3]):
            raise ValueError("'{' does not begin a repetition such as {2} or {2,5}")
        self._at = found.end()
        least, most = int(found[1] or 0), int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise ValueError(f"the repetition {found[0]} has its numbers the wrong way round")
        times = max(1, least, most or 0)
        self._atom_repeats *= times
        self._repeats = max(self._repeats, self._atom_repeats)
        if self._atom_repeats > MOST_REPEATS:
            raise ValueError(f"the repetition {found[0]} is too large: the limit is {MOST_REPEATS}")
        end = "" if found[2] is None else f",{'' if most is None else most}"
        self._quantify(f"{{{least}{end}}}")
        self._grow(self._atom_steps * 2 * (times - 1))
        self.loose += self._atom_steps * 2 * (times - 1)
        self._atom_steps *= 2 * times
        self._atom_loose = self._atom_steps

    def _escape(self) -> None:
        if self._at == len(self._pattern):
            raise ValueError("a backslash at the end quotes nothing")
        character = self._pattern[self._at]
        self._at += 1
        if character in "123456789":
            raise ValueError(f"the back-reference \\{character} is not supported")
        short = _SHORT.get(character)
        self._write(
            short or literal(character, self._case), repeatable=character not in _PLACES, loose=1 if short else 0
        )

    # -- bracket expressions -------------------------------------------------------------------------------------

    def _bracket(self) -> str:
        pattern = self._pattern
        negated = pattern.startswith("^", self._at)
        self._at += negated
        first, ranges = self._at, list[Range]()
        while self._at == first or not pattern.startswith("]", self._at):
            if self._at >= len(pattern):
                raise ValueError("a '[' is not closed")
            ranges += self._item(first)
        self._at += 1
        return _one_of(_with_case(ranges, self._case), negated=negated)

    def _item(self, first: int) -> Sequence[Range]:
        if self._pattern.startswith("[:", self._at):
            name = self._named(":")
            if name not in _CLASSES:
                raise ValueError(f"unknown character class '{name[:20]}'")
            return _CLASSES[name]
        at, low = self._at, self._element()
        if low == 0x2D and at != first and self._pattern[self._at : self._at + 1] not in {"]", "-"}:
            raise ValueError("a '-' between two ranges must be the first or the last in its brackets")
        if not self._pattern.startswith("-", self._at) or self._pattern.startswith("-]", self._at):
            return ((low, low),)
        self._at += 1
        high = self._element()
        if high < low:
            raise ValueError("a range ends before it begins")
        return ((low, high),)

    def _element(self) -> int:
        """One character, `[.x.]` or `[=x=]`."""
        for mark in ".=":
            if self._pattern.startswith(f"[{mark}", self._at):
                name = self._named(mark)
                if len(name) != 1:
                    raise ValueError(f"unknown collating element '{name[:20]}'")
                return _code(name)
        if self._pattern.startswith("[:", self._at):
            raise ValueError("a character class cannot end a range")
        if self._at >= len(self._pattern):
            raise ValueError("a '[' is not closed")
        self._at += 1
        return _code(self._pattern[self._at - 1])

    def _named(self, mark: str) -> str:
        end = self._pattern.find(f"{mark}]", self._at + 2)
        if end < 0:
            raise ValueError("a '[' is not closed")
        name = self._pattern[self._at + 2 : end]
        self._at = end + 2
        return name


@lru_cache(maxsize=1024)
def literal(character: str, case: Case) -> str:
    code = _code(character)
    codes = {low for low, _ in _with_case([(code, code)], case)}
    if len(codes) == 1 and code < 0x80:
        return character if character.isalnum() else f"\\x{code:02x}"
    return _one_of([(one, one) for one in sorted(codes)], negated=False)


def _code(character: str) -> int:
    code = ord(character)
    return _BYTE + code - _ESCAPED if _ESCAPED <= code < _ESCAPED + 0x100 else code


def _with_case(ranges: Sequence[Range], case: Case) -> Sequence[Range]:
    """These ranges, and what differs from them only in case."""
    if case is Case.EXACT:
        return ranges
    more: list[Range] = []
    for low, high in ranges:
        for letters, distance in ((_LETTERS[0], 32), (_LETTERS[1], -32)):
            start, end = max(low, letters[0]), min(high, letters[1])
            more += [(start + distance, end + distance)] if start <= end else []
        if case is Case.UNICODE and low == high and 0x80 <= low < _BYTE:
            forms = {form for form in (chr(low).lower(), chr(low).upper(), chr(low).title()) if len(form) == 1}
            more += [(ord(form), ord(form)) for form in sorted(forms)]
    return [*ranges, *more]


def _one_of(ranges: Sequence[Range], *, negated: bool) -> str:
    """One octet, or one character where characters beyond ASCII are named."""
    ranges = _merged(ranges)
    if negated and all(high < 0x80 for _, high in ranges):
        return "[^" + "".join(f"\\x{low:02x}-\\x{high:02x}" for low, high in ranges) + "]"
    if negated:
        ranges = _complement(ranges)
    octets = "".join(
        f"\\x{low % _BYTE:02x}-\\x{high % _BYTE:02x}"
        for low, high in _parts(ranges, ((0, 0x7F), (_BYTE + 0x80, _BYTE + 0xFF)))
    )
    wide = [sequence for low, high in _parts(ranges, _UTF8) for sequence in _sequences(chr(low), chr(high))]
    choices = [f"[{octets}]", *wide] if octets else wide
    return choices[0] if len(choices) == 1 and octets else f"(?:{'|'.join(choices)})"


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _complement(ranges: Sequence[Range]) -> list[Range]:
    """All other characters, and all octets that are part of none."""
    gaps, start = [], 0
    for low, high in ranges:
        gaps += [(start, low - 1)] if start < low else []
        start = high + 1
    return [*gaps, (start, _BYTE + 0xFF)] if start <= _BYTE + 0xFF else gaps


def _parts(ranges: Sequence[Range], windows: Sequence[Range]) -> Iterator[Range]:
    for low, high in ranges:
        for start, end in windows:
            if max(low, start) <= min(high, end):
                yield max(low, start), min(high, end)


def _sequences(low: str, high: str) -> Iterator[str]:
    """The octets of all characters from one to another that have as many octets."""
    yield from _between(low.encode(), high.encode())


def _between(low: bytes, high: bytes) -> Iterator[str]:
    if len(low) == 1:
        yield f"[\\x{low[0]:02x}-\\x{high[0]:02x}]"
        return
    first, last, rest = low[0], high[0], len(low) - 1
    if first == last:
        yield from (f"\\x{first:02x}{tail}" for tail in _between(low[1:], high[1:]))
        return
    if low[1:] != b"\x80" * rest:
        yield from (f"\\x{first:02x}{tail}" for tail in _between(low[1:], b"\xbf" * rest))
        first += 1
    if high[1:] != b"\xbf" * rest:
        yield from (f"\\x{last:02x}{tail}" for tail in _between(b"\x80" * rest, high[1:]))
        last -= 1
    if first <= last:
        yield f"[\\x{first:02x}-\\x{last:02x}]" + r"[\x80-\xbf]" * rest
