"""The words of maildrop's filtering language. maildropfilter(7), "Lexical structure".

A slash begins a pattern where a value can begin, and divides elsewhere; behind `NAME=` it is text. What follows a
backslash in quotes stays as it is but for the quote itself and the backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "text", "raw", "command", "pattern", "sign", "end"]
_BARE = re.compile(r"[A-Za-z0-9_.:${}@/-]+")
_SIGNS = ("&&", "||", "=~", "==", "!=", "<=", ">=", *"<>|&+-*/!~=(){},;")
_VALUE_ENDS = {"word", "text", "raw", "command", "pattern"}
_OPTIONS = re.compile(r":([A-Za-z]*)((?:,\s*[-+]?[\d.]+){0,2})")
_MOST = 200_000  # tokens


@dataclass(frozen=True, slots=True)
class Token:
    """`text` (in double quotes) has variables in it, `raw` (single quotes) has none; `options` are a pattern's."""

    kind: Kind
    text: str
    line: int
    options: str = ""
    weights: tuple[float, ...] = ()


class Bad(Exception):
    """What maildrop would not read either."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def tokens(source: str) -> list[Token]:
    """Raises `Bad`."""
    found: list[Token] = []
    for token in _Reader(source).tokens():
        found.append(token)
        if len(found) > _MOST:
            raise Bad(token.line, "the filter is too long")
    return found


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._line = 1
        self._before: Token | None = None

    def tokens(self) -> Iterator[Token]:
        while self._at < len(self._source):
            token = self._token()
            if token is not None:
                self._before = token
                yield token
        yield Token("end", "", self._line)

    def _token(self) -> Token | None:
        source, at = self._source, self._at
        character = source[at]
        if character == "\n":
            self._at += 1
            self._line += 1
            return Token("end", "\n", self._line - 1)
        if source.startswith("\\\n", at):
            self._at += 2
            self._line += 1
            return None
        if character.isspace():
            self._at += 1
            return None
        if character == "#":
            self._at = source.find("\n", at) if "\n" in source[at:] else len(source)
            return None
        if character in "\"'`":
            return self._quoted(character)
        if character == "/":
            return self._slash()
        return self._plain()

    def _plain(self) -> Token:
        word = _BARE.match(self._source, self._at)
        # A lone brace is a block, a lone dash a sign; inside ${name} braces belong to the word.
        if word and not word[0].startswith(("{", "}", "-")):
            text = self._whole_braces(word[0])
            self._at += len(text)
            return Token("word", text, self._line)
        for sign in _SIGNS:
            if self._source.startswith(sign, self._at):
                self._at += len(sign)
                return Token("sign", sign, self._line)
        raise Bad(self._line, f"'{self._source[self._at]}' begins nothing")

    @staticmethod
    def _whole_braces(text: str) -> str:
        """Without a brace at the end that closes a block: `to $X}`."""
        depth = 0
        for at, character in enumerate(text):
            if character == "{":
                if not text[:at].endswith("$"):
                    return text[:at]
                depth += 1
            elif character == "}":
                if not depth:
                    return text[:at]
                depth -= 1
        return text

    def _is_set(self) -> bool:
        before = self._before
        return before is not None and before.kind == "sign" and before.text == "="

    def _slash(self) -> Token:
        before = self._before
        if self._is_set() or (before and before.kind == "word" and before.text in {"to", "cc", "include", "logfile"}):
            return self._bare_path()
        starts = before is None or before.kind not in _VALUE_ENDS or before.text in {"foreach", "if", "elsif"}
        if before and before.kind == "sign" and before.text == ")":
            starts = False
        if starts and self._source[self._at + 1 : self._at + 2] not in {" ", "\t"}:
            return self._pattern()
        self._at += 1
        return Token("sign", "/", self._line)

    def _bare_path(self) -> Token:
        word = _BARE.match(self._source, self._at)
        text = self._whole_braces(word[0]) if word else "/"
        self._at += len(text)
        return Token("word", text, self._line)

    def _pattern(self) -> Token:
        source, at = self._source, self._at + 1
        while at < len(source) and source[at] not in "/\n":
            at += 2 if source[at] == "\\" else 1
        if at >= len(source) or source[at] == "\n":
            raise Bad(self._line, "a pattern has no end")
        text = source[self._at + 1 : at].replace("\\/", "/")
        self._at = at + 1
        options = _OPTIONS.match(source, self._at)
        weights: tuple[float, ...] = ()
        if options:
            self._at = options.end()
            try:
                weights = tuple(float(one) for one in options[2].split(",")[1:])
            except ValueError:
                raise Bad(self._line, "a weight is no number") from None
        return Token("pattern", text, self._line, options[1] if options else "", weights)

    def _quoted(self, quote: str) -> Token:
        line, out = self._line, list[str]()
        self._at += 1
        while self._at < len(self._source):
            character = self._source[self._at]
            self._at += 1
            if character == quote:
                kind: Kind = {"'": "raw", "`": "command"}.get(quote, "text")  # type: ignore[assignment]
                return Token(kind, "".join(out), line)
            if character == "\n":
                break
            out.append(self._escaped(quote) if character == "\\" else character)
        raise Bad(line, "a quote is not closed")

    def _escaped(self, quote: str) -> str:
        r"""`\$` keeps its backslash here, so that no variable begins there."""
        character = self._source[self._at : self._at + 1]
        self._at += 1
        if character == "\n":
            self._line += 1
            while self._source[self._at : self._at + 1] in {" ", "\t"}:
                self._at += 1
            return ""
        return character if character in {quote, "\\"} and character else f"\\{character}"
