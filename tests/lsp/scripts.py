"""Scripts with a cursor in them, as documents: `|` is where it stands."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from lsprotocol.types import Position, TextEdit

from sievemda.cli.sieve_world import Shelf
from sievemda.lsp.document import Document, World
from sievemda.lsp.lines import Lines
from sievemda.sieve.limits import Limits

WORLD = World(Limits(), Shelf)


def document(text: str, uri: str = "file:///nowhere/mine.sieve", *, testing: bool = False, **world) -> Document:
    encoding = world.pop("encoding", "utf-16")
    return Document(uri, text, replace(WORLD, **world), 1, encoding, testing)


def at_cursor(text: str, uri: str | Path = "file:///nowhere/mine.sieve", **changes) -> tuple[Document, Position]:
    """The document without the mark, and where that stood."""
    before, mark, after = text.partition("|")
    assert mark
    found = document(before + after, uri.as_uri() if isinstance(uri, Path) else uri, **changes)
    return found, found.lines.position(len(before))


def applied(text: str, *edits: TextEdit, encoding: str = "utf-16") -> str:
    """The text with edits, as a client makes them: all of them are of the text as it was, and none overlap."""
    lines = Lines(text, encoding)
    places = sorted((lines.offset(edit.range.start), lines.offset(edit.range.end), edit.new_text) for edit in edits)
    for (_, end, _), (start, _, _) in pairwise(places):
        assert end <= start
    for start, end, new in reversed(places):
        text = text[:start] + new + text[end:]
    return text
