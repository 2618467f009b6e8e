"""Words as the shell and procmail write them: quotes, backslashes, variables. Nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sievemda.upkeep.conversion.report import Impossible

_NAME = re.compile(r"[A-Za-z_]\w*")
_DEFAULT = re.compile(r"\{([A-Za-z_]\w*)(?:(:?[-+])((?:[^{}]|\{[^{}]*\})*))?\}")
_MAGIC = frozenset(".[]\\()*+?{}|^$")
_LONGEST = 16_384  # characters of one value
Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Word:
    """`quoted`: some of it was in quotes, so that it is a word even when it is empty."""

    text: str
    quoted: bool = False


def words(text: str, lookup: Lookup, *, split: bool = True) -> list[Word]:
    """The words of a line up to a comment, variables filled in; `split` False makes it one, inside double quotes.

    `lookup` gives None for what is not set. Raises `Impossible` for what a program would have to tell.
    """
    return _Reader(text, lookup).words() if split else [Word(_Reader(text, lookup).inside_quotes())]


class _Reader:
    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._lookup = lookup
        self._at = 0

    def words(self) -> list[Word]:
        found: list[Word] = []
        while self._skip_blanks():
            if self._text[self._at] == "#":
                break
            found.append(self._word())
        return found

    def _skip_blanks(self) -> bool:
        while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
            self._at += 1
        return self._at < len(self._text)

    def _word(self) -> Word:
        out: list[str] = []
        quoted = False
        while self._at < len(self._text) and self._text[self._at] not in " \t\r\n":
            character = self._text[self._at]
            self._at += 1
            if character == "'":
                end = self._text.find("'", self._at)
                end = end if end >= 0 else len(self._text)
                out.append(self._text[self._at : end])
                self._at, quoted = end + 1, True
            elif character == '"':
                out.append(self._double())
                quoted = True
            elif character == "\\":
                out.append(self._text[self._at : self._at + 1])
                self._at += 1
            else:
                out.append(self._one(character))
            self._bounded(out)
        return Word("".join(out), quoted)

    def _double(self) -> str:
        out: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                break
            out.append(self._escaped() if character == "\\" else self._one(character))
            self._bounded(out)
        return "".join(out)

    def inside_quotes(self) -> str:
        out: list[str] = []
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            out.append(self._escaped() if character == "\\" else self._one(character))
            self._bounded(out)
        return "".join(out)

    def _escaped(self) -> str:
        """Inside double quotes a backslash stays in front of what needs none."""
        character = self._text[self._at : self._at + 1]
        self._at += 1
        return character if character in '$`"\\' else f"\\{character}"

    def _one(self, character: str) -> str:
        if character == "`":
            raise Impossible("what a program between backquotes prints is not known")
        return self._variable() if character == "$" else character

    def _variable(self) -> str:
        text = self._text
        quoted = text.startswith("\\", self._at)
        at = self._at + quoted
        if found := _NAME.match(text, at):
            self._at = found.end()
            value = self._lookup(found[0]) or ""
        elif braced := _DEFAULT.match(text, at):
            self._at = braced.end()
            value = self._chosen(braced[1], braced[2] or "", braced[3] or "")
        elif text[at : at + 1] in {"_", "-", "=", "#", "?", "$", "@"} or text[at : at + 1].isdecimal():
            raise Impossible(f"the variable '${text[at]}' is not known")
        else:
            return "$"
        return _disarmed(value) if quoted else value

    def _chosen(self, name: str, how: str, other: str) -> str:
        value = self._lookup(name)
        is_set = bool(value) if how.startswith(":") else value is not None
        if how.endswith("+"):
            return _Reader(other, self._lookup).inside_quotes() if is_set else ""
        if how.endswith("-") and not is_set:
            return _Reader(other, self._lookup).inside_quotes()
        return value or ""

    @staticmethod
    def _bounded(out: list[str]) -> None:
        if len(out) > _LONGEST or sum(map(len, out[-1:])) > _LONGEST:
            raise Impossible(f"a value is longer than {_LONGEST} characters")


def _disarmed(value: str) -> str:
    """No character of it is magic in a pattern."""
    return "".join(f"\\{c}" if c in _MAGIC else c for c in value)


def is_open(text: str) -> bool:
    """Whether quotes or backquotes are still open at the end: the next line belongs to it."""
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and quote != "'":
            at += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == "#" and (at == 0 or text[at - 1] in " \t"):
            break
        at += 1
    return bool(quote)
