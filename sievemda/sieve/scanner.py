"""The words of a script one after the other, right or wrong: what `recover` reads from. RFC 5228 §8.1.

The patterns are those of the grammar. What none of them takes is either a mark of the language in a place where it
means nothing (half a tag, half a comment), or it is told as unknown characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TEXT_START = re.compile(r":[ \t]*(?:#[^\n]*)?\r?\n")
_RUBBISH = re.compile(r"[^A-Za-z0-9_:\"\[\](){};,#/ \t\r\n]+")
_ALONE = {":": "COLON", "/": "SLASH"}


@dataclass(frozen=True, slots=True)
class Lexeme:
    """`kind` is a terminal of the grammar, COLON, SLASH, UNKNOWN, BROKEN (a fault was reported with it), or END."""

    kind: str
    text: str
    offset: int


class Scanner:
    def __init__(self, terminals: Sequence[tuple[str, str]], ignored: frozenset[str]) -> None:
        self._pattern = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in terminals))
        self.ignored = ignored

    def match(self, text: str, position: int) -> re.Match[str] | None:
        """The terminal that begins here; its name is the `lastgroup` of the match."""
        return self._pattern.match(text, position)

    def blank(self, text: str, position: int) -> re.Match[str] | None:
        """The white space or comment that begins here."""
        found = self.match(text, position) if text[position] in " \t\r\n#/" else None
        return found if found is not None and found.lastgroup in self.ignored else None

    def count(self, text: str) -> int:
        """How many lexemes a text has, up to the first place where none begins; three comments or blanks are one."""
        match, ignored = self._pattern.match, self.ignored
        thirds = position = 0
        while found := match(text, position):
            thirds += 1 if found.lastgroup in ignored else 3
            position = found.end()
        return thirds // 3

    def pieces(self, text: str) -> Iterator[Lexeme]:
        """Every lexeme of a text, comments and white space among them, up to the first place where none begins."""
        position = 0
        while found := self._pattern.match(text, position):
            yield Lexeme(found.lastgroup or "", found[0], position)
            position = found.end()

    def scan(self, text: str) -> Iterator[Lexeme | tuple[int, str]]:
        """Lexemes, and lexical faults as (offset, text), in order."""
        position, end = 0, len(text)
        while position < end:
            found = self._pattern.match(text, position)
            fault = _unterminated(text, position)
            if fault and (found is None or found.lastgroup == "IDENTIFIER"):
                yield position, fault
                yield Lexeme("BROKEN", "", position)
                return
            if found is None:
                kind, stop = _stray(text, position)
                if kind == "UNKNOWN":
                    octets = repr(text[position:stop][:20]).replace("\\udc", "\\x")  # those that are not UTF-8
                    yield position, f"unknown characters {octets}"
                yield Lexeme(kind, text[position:stop], position)
                position = stop
                continue
            if found.lastgroup not in self.ignored:
                yield Lexeme(found.lastgroup or "", found[0], position)
            elif "\0" in found[0]:
                yield position, "a comment must not hold a NUL character"
            position = found.end()


def _stray(text: str, position: int) -> tuple[str, int]:
    """The kind and the end of what matches no terminal."""
    if text[position] in _ALONE:
        return _ALONE[text[position]], position + 1
    rubbish = _RUBBISH.match(text, position)
    return "UNKNOWN", rubbish.end() if rubbish else position + 1


def _unterminated(text: str, position: int) -> str:
    """What begins here and cannot end, for text that matches no terminal (`text:` is an identifier otherwise)."""
    if text[position] == '"':
        return "unterminated string: the closing '\"' is missing"
    if text.startswith("/*", position):
        return "unterminated comment: the closing '*/' is missing"
    if (
        text[position] in "tT"
        and text[position : position + 4].lower() == "text"
        and _TEXT_START.match(text, position + 4)
    ):
        return "unterminated multi-line string: the line with a single '.' is missing"
    return ""
