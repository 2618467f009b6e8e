"""How the words of a script are coloured, beyond what a pattern can see: semantic tokens of the protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol.types import SemanticTokens, SemanticTokensLegend

from sievemda.lsp.document import Document
from sievemda.lsp.scene import STRINGS, Reader
from sievemda.sieve.rules import BRANCHES
from sievemda.sieve.scanner import Lexeme

KEYWORD, FUNCTION, METHOD, PARAMETER, STRING, NUMBER, COMMENT, VARIABLE = range(8)
LEGEND = SemanticTokensLegend(
    ["keyword", "function", "method", "parameter", "string", "number", "comment", "variable"], []
)
_CONTROL = frozenset({*BRANCHES, "require", "stop", "foreverypart", "break", "return", "allof", "anyof", "not"})
_REFERENCE = re.compile(r"\$\{[A-Za-z0-9_.]+\}")
_KINDS = {"TAG": PARAMETER, "NUMBER": NUMBER, "COMMENT": COMMENT}


def semantic_tokens(document: Document) -> SemanticTokens:
    """Five numbers a token: line and column as steps from the one before, length, kind, no modifiers."""
    data: list[int] = []
    line = column = 0
    for start, end, kind in _pieces(document):
        place, behind = document.lines.position(start), document.lines.position(end)
        data += [
            place.line - line,
            place.character - (column if place.line == line else 0),
            behind.character - place.character,
            kind,
            0,
        ]
        line, column = place.line, place.character
    return SemanticTokens(data)


def _pieces(document: Document) -> Iterator[tuple[int, int, int]]:
    """From where to where of which kind, none beyond the end of a line."""
    for word, kind in _kinds(document):
        start = word.offset
        if kind == STRING and "variables" in document.required:
            for found in _REFERENCE.finditer(word.text):
                yield from _by_line(document, start, word.offset + found.start(), STRING)
                yield word.offset + found.start(), word.offset + found.end(), VARIABLE
                start = word.offset + found.end()
        yield from _by_line(document, start, document.end(word), kind)


def _by_line(document: Document, start: int, end: int, kind: int) -> Iterator[tuple[int, int, int]]:
    while start < end:
        stop = min(document.lines.end_of_line(start), end)
        if stop > start:
            yield start, stop, kind
        start = document.lines.next_line(start) if stop < end else end


def _kinds(document: Document) -> Iterator[tuple[Lexeme, int]]:
    reader = Reader()
    for word in document.words:
        if word.kind == "IDENTIFIER":
            name = word.text.lower()
            test = reader.stack[-1].kind != "block"
            yield word, KEYWORD if name in _CONTROL else METHOD if test else FUNCTION
        elif word.kind in _KINDS:
            yield word, _KINDS[word.kind]
        elif word.kind in STRINGS:
            yield word, STRING
        if word.kind not in {"COMMENT", "BROKEN"}:
            reader.feed(word)
