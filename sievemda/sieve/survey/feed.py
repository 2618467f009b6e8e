"""The words of a script one by one, and telling what is wrong where."""

from __future__ import annotations

import re
from bisect import bisect_right

from sievemda.sieve.lalr import scanner
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem
from sievemda.sieve.survey.lexicon import Lexicon
from sievemda.sieve.survey.words import Word, Words

NAMES = {
    "SEMICOLON": "';'", "LBRACE": "'{'", "RBRACE": "'}'", "COMMA": "','", "LPAR": "'('", "RPAR": "')'",
    "LSQB": "'['", "RSQB": "']'", "IDENTIFIER": "identifier", "TAG": "tag", "NUMBER": "number",
    "QUOTED_STRING": "string", "MULTI_LINE": "string", "END": "end of script", "COLON": "':'",
}  # fmt: skip


_MOST = 50_000  # words that are looked at: no person writes more, and a script that does not compile runs for nobody


class TooMany(Exception):
    """Enough problems were found, or enough was read; the text says which."""


class Feed:
    """Reads one text; `problems` grows as it goes. `unsure` are the places of commands and tests not read whole."""

    def __init__(self, text: str, limits: Limits, lexicon: Lexicon) -> None:
        self.problems: list[Problem] = []
        self.unsure: set[tuple[int, int]] = set()
        self._text = text
        self._limits = limits
        self._lexicon = lexicon
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._source = Words(scanner(), text, limits).cut()
        self._told_of_blanks = 0
        self._most = self._left = min(limits.tokens, _MOST)
        self._last_end = 0  # where the word read last ends
        self._endless: Word | None = None  # the word used last, when it is a string without an end
        self._told = False  # that something else stands where the command under way must end
        self._round = 0  # lists of tests that are open
        self._closer = "RPAR"  # what ends the list of tests under way
        self._openers: list[tuple[Word, int]] = []  # braces that are open, and how far in their lines begin; -1: unsaid
        self._suspect: Word | None = None  # the brace that has most likely no partner
        self.next = Word("END", "", 0, 0)
        self._after: Word | None = None

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _report(self, offset: int, text: str, hint: str, code: str = "syntax", end: int = 0) -> None:
        if len(self.problems) >= self._limits.problems:
            raise TooMany("too many errors")
        last = self._position(end) if end else (0, 0)
        self.problems.append(Problem(*self._position(offset), text, "error", "", code, hint, *last))

    def _advance(self) -> Word:
        """The word that was next; comments that are none are told here, where the words are in order."""
        done = self.next
        self._last_end = done.end
        self._left -= 1
        if self._left < 0:
            raise TooMany(f"more than {self._most} words, strings and marks")
        if self._after is not None:
            self.next, self._after = self._after, None
        else:
            self.next = self._cut()
        return done

    def _cut(self) -> Word:
        for word in self._source:
            if word.kind != "COMMENT":
                return word
            line = self._position(word.offset)[0]
            if "invisible" not in word.fault or line != self._told_of_blanks:
                self._told_of_blanks = line if "invisible" in word.fault else self._told_of_blanks
                self._report(word.offset, word.fault, word.hint, end=word.end)
        return self.next if self.next.kind == "END" else Word("END", "", len(self._text), len(self._text), True)

    def _peek(self) -> Word:
        """The word behind the next one."""
        if self._after is None:
            self._after = self._cut()
        return self._after

    def _take(self) -> Word:
        """The next word, to be used: what is wrong with it is told."""
        word = self.next
        self._endless = word if word.fault.startswith("unterminated") else None
        if word.fault:
            self._report(word.offset, word.fault, word.hint, word.code, min(word.end, word.offset + 400))
        return self._advance()

    def _unexpected(self, text: str, hint: str, code: str = "syntax") -> None:
        word = self.next
        if word.fault:
            self._report(word.offset, word.fault, hint or word.hint, word.code, word.end)
            return
        found = NAMES.get(word.kind, "unknown characters")
        self._report(word.offset, f"expected {text}, but found {found}", hint, code, word.end)

    def _missing(self, text: str, hint: str, code: str = "syntax") -> None:
        """Something is missing behind what was read last."""
        found = NAMES.get(self.next.kind, "unknown characters")
        self._report(self._last_end, f"expected {text}, but found {found}", hint, code)

    def _known(self, word: Word, names: frozenset[str]) -> bool:
        return word.kind == "IDENTIFIER" and word.text.lower() in names

    def _column(self, word: Word) -> int:
        """How far the line is indented on which the word stands."""
        start = self._lines[bisect_right(self._lines, word.offset) - 1]
        line = self._text[start : start + 200]
        return len(line) - len(line.lstrip(" \t"))
