"""Where things are: what a name stands for, the rules of a script, what can be folded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lsprotocol.types import (
    DocumentHighlight,
    DocumentSymbol,
    FoldingRange,
    FoldingRangeKind,
    Location,
    Position,
    Range,
    SymbolKind,
)

from sievemda.lsp.document import Document, value
from sievemda.lsp.lexicon import Spot, spot
from sievemda.lsp.names import declared, location, variables
from sievemda.lsp.scene import STRINGS, Frame, scene
from sievemda.sieve.library import name_fault
from sievemda.sieve.rules import BRANCHES, name_above
from sievemda.sieve.scanner import Lexeme

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_START = Range(Position(0, 0), Position(0, 0))


# -- go to -----------------------------------------------------------------------------------------------------


def definition(document: Document, position: Position) -> Location | None:
    """The script that is included or tested, or the command that first sets a variable."""
    offset = document.lines.offset(position)
    word = _string_at(document, offset)
    if word is None:
        return None
    name = _variable_at(document, word, offset)
    if name is not None:
        found = variables(document).get(name)
        return _here(document, found) if found else None
    where = spot(document, scene(document.words, word.offset, len(document.text)))
    path = _file(document, where, value(word)) if where else None
    return Location(path.absolute().as_uri(), _START) if path else None


def references(document: Document, position: Position) -> list[Range]:
    """Everywhere that the variable at a position is set or used."""
    offset = document.lines.offset(position)
    word = _string_at(document, offset)
    name = _variable_at(document, word, offset) if word else None
    if name is None:
        return []
    found = {(start, end) for other, start, end in _mentions(document) if other == name}
    return [document.lines.range(start, end) for start, end in sorted(found)]


def highlights(document: Document, position: Position) -> list[DocumentHighlight]:
    return [DocumentHighlight(place) for place in references(document, position)]


def _string_at(document: Document, offset: int) -> Lexeme | None:
    number = document.word_at(offset)
    word = document.words[number] if number is not None else None
    return word if word and word.kind in STRINGS else None


def _variable_at(document: Document, word: Lexeme, offset: int) -> str | None:
    """The variable, in lower case, that a place in a string names."""
    for name, start, end in _mentions(document):
        if start <= offset <= end and word.offset <= start < document.end(word):
            return name
    return None


def _mentions(document: Document) -> Iterator[tuple[str, int, int]]:
    """Each variable in lower case with where it is named, as a reference or where it is set."""
    for word in document.words:
        if word.kind in STRINGS and "${" in word.text:
            for found in _REFERENCE.finditer(word.text):
                yield found["name"].lower(), word.offset + found.start(), word.offset + found.end()
    for call in document.closed:
        for word in declared(call):
            yield value(word).lower(), word.offset, document.end(word)


def _here(document: Document, word: Lexeme) -> Location:
    return Location(document.uri, document.lines.range(word.offset, document.end(word)))


def _file(document: Document, where: Spot, name: str) -> Path | None:
    """The file that an argument names, where it is one that can be opened."""
    if where.cls.keyword == "include" and not name_fault(name):
        return document.shelf.path(location(where.call), name)
    if where.role == "path" and document.path is not None and name and "\0" not in name:
        path = document.path.parent / name
        return path if path.is_file() else None
    return None


# -- outline ---------------------------------------------------------------------------------------------------


def symbols(document: Document) -> list[DocumentSymbol]:
    """The rules of a script by their names, and the tests of a test file, as they lie in each other."""
    roots: list[DocumentSymbol] = []
    around: list[tuple[int, list[DocumentSymbol]]] = []  # where each symbol that is open ends, and what lies in it
    deepest = document.world.limits.blocks
    lines = document.text.split("\n")
    for at, end, call in sorted(_blocks(document), key=lambda block: (block[0], -block[1])):
        while around and around[-1][0] <= at:
            around.pop()
        inner: list[DocumentSymbol] = []
        symbol = _symbol(document, lines, at, end, call, inner)
        place = min(len(around), deepest)
        (around[place - 1][1] if place else roots).append(symbol)
        around.append((end, inner))
    return roots


def _blocks(document: Document) -> Iterator[tuple[int, int, Frame]]:
    """From where to where each command with a block goes."""
    for block in document.closed:
        owner = block.owner
        if block.kind == "block" and owner is not None and owner.name in {*BRANCHES, "test", "foreverypart"}:
            yield owner.at, block.end, owner


def _symbol(
    document: Document, lines: list[str], at: int, end: int, call: Frame, inner: list[DocumentSymbol]
) -> DocumentSymbol:
    place = document.lines.position(at)
    title = " ".join(document.text[at : call.end - 1].split())
    name = (
        value(call.given[0].words[0]) if call.name == "test" and call.given and call.given[0].kind == "string" else ""
    )
    name = name or name_above(lines, document.lines.line(at))
    kind = SymbolKind.Method if call.name == "test" else SymbolKind.Function if name else SymbolKind.Event
    return DocumentSymbol(
        (name or title)[:120].strip() or call.name,
        kind,
        document.lines.range(at, end),
        Range(place, document.lines.position(at + len(call.name))),
        detail=title[:120] if name else None,
        children=inner,
    )


# -- folding ---------------------------------------------------------------------------------------------------


def folding(document: Document) -> list[FoldingRange]:
    """Blocks, lists and strings of several lines, and comments of several lines."""
    found: list[FoldingRange] = []
    for start, end, kind in (*_folds(document), *_comments(document)):
        first, last = document.lines.position(start).line, document.lines.position(end).line
        if last > first:
            found.append(FoldingRange(first, last, kind=kind))
    return found


def _folds(document: Document) -> Iterator[tuple[int, int, FoldingRangeKind | None]]:
    """Blocks up to the line before their brace, so that it stays to be seen, and strings."""
    for block in document.closed:
        if block.kind == "block" and block.owner is not None:
            brace = document.lines.start_of_line(block.end)
            yield block.at, max(brace - 1, block.at), None
    for word in document.words:
        if word.kind in STRINGS and "\n" in word.text:
            yield word.offset, document.end(word) - 1, None


def _comments(document: Document) -> Iterator[tuple[int, int, FoldingRangeKind | None]]:
    """Comments, those on consecutive lines as one."""
    start = end = -1
    for word in document.words:
        if word.kind != "COMMENT":
            continue
        between = document.text[end : word.offset] if start >= 0 else "x"
        if between.count("\n") == 1 and not between.strip():
            end = document.end(word)
            continue
        if start >= 0:
            yield start, end, FoldingRangeKind.Comment
        start, end = word.offset, document.end(word)
    if start >= 0:
        yield start, end, FoldingRangeKind.Comment
