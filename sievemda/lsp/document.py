"""A script as it stands in an editor, and what is read from it without asking whether it is valid."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from lsprotocol.types import Position

from sievemda.lsp.lines import Lines
from sievemda.lsp.scene import STRINGS, Frame, Scene, closed, scene
from sievemda.sieve import lalr
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.literals import string_value
from sievemda.sieve.scanner import Lexeme
from sievemda.sieve.vocabulary import BASE, Vocabulary, base_vocabulary, registry

_COMMENT = re.compile(r"#[^\n]*|/\*[\s\S]*?\*/")


class Shelf(Library, Protocol):
    """Where scripts that are included are, as files."""

    def path(self, location: str, name: str) -> Path | None: ...

    def names(self, location: str) -> tuple[str, ...]:
        """What may be included."""
        ...


class Shelves(Protocol):
    def __call__(self, directories: tuple[Path, ...]) -> Shelf:
        """The shelf with these directories."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """What the server knows beside the script: limits, capabilities (`None`: all), mailboxes that are there.

    `include` are the directories of scripts to include; without any it is the one that a script lies in.
    """

    limits: Limits
    shelves: Shelves
    available: frozenset[str] | None = None
    include: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """One version of a text. Everything read from it is read once, and bounded by the limits of the language."""

    uri: str
    text: str
    world: World
    version: int | None = None
    encoding: str = "utf-16"
    testing: bool = field(default=False)

    @cached_property
    def path(self) -> Path | None:
        """Its file, when it is one."""
        parts = urlsplit(self.uri)
        return Path(unquote(parts.path)) if parts.scheme == "file" and parts.path else None

    @cached_property
    def shelf(self) -> Shelf:
        own = (self.path.parent,) if self.path else ()
        return self.world.shelves(tuple(map(Path, self.world.include)) or own)

    @cached_property
    def lines(self) -> Lines:
        return Lines(self.text, self.encoding)

    @cached_property
    def too_large(self) -> bool:
        limit = self.world.limits.script_size
        return len(self.text) > limit or len(self.text.encode("utf-8", "replace")) > limit

    @cached_property
    def words(self) -> tuple[Lexeme, ...]:
        """The words of the text with its comments, up to the limit; none of a text that is too large."""
        return () if self.too_large else tuple(islice(_words(self.text), self.world.limits.tokens))

    @cached_property
    def closed(self) -> tuple[Frame, ...]:
        return closed(self.words)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The capabilities that this script may require, without the base language.

        A file of tests may require everything that there is, the words of the test language among it.
        """
        if self.testing:
            return frozenset(registry().extensions) - {BASE}
        return (registry().public if self.world.available is None else self.world.available) - {BASE}

    @cached_property
    def required(self) -> frozenset[str]:
        """The capabilities that the script requires, or asks for by `ihave`, and that there are."""
        named = {
            value(word)
            for call in self.closed
            if call.kind == "call" and call.name in {"require", "ihave"}
            for given in call.given
            for word in given.words
            if word.kind in STRINGS
        }
        return frozenset(named & set(registry().extensions) - {BASE})

    @cached_property
    def requires(self) -> tuple[Frame, ...]:
        """The `require` commands whose argument can be read."""
        return tuple(
            call
            for call in self.closed
            if call.kind == "call"
            and call.name == "require"
            and not call.test
            and len(call.given) == 1
            and call.given[0].words
            and all(word.kind in STRINGS for word in call.given[0].words)
        )

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return base_vocabulary().with_(self.required)

    def scene(self, position: Position) -> tuple[Scene, int]:
        """What stands around a position, and its offset."""
        offset = self.lines.offset(position)
        return scene(self.words, offset, len(self.text)), offset

    def word_at(self, offset: int) -> int | None:
        """The number of the word that an offset is in or at the end of."""
        number = bisect_right(self.words, offset, key=lambda word: word.offset) - 1
        if number < 0:
            return None
        word = self.words[number]
        if offset <= word.offset + len(word.text):
            return number
        return None

    def end(self, word: Lexeme) -> int:
        return word.offset + len(word.text)


def value(word: Lexeme) -> str:
    """What a string stands for."""
    return string_value(word.text)


def _words(text: str) -> Iterator[Lexeme]:
    behind = 0
    for item in lalr.scanner().scan(text):
        if not isinstance(item, Lexeme):
            continue
        for comment in _COMMENT.finditer(text, behind, item.offset):
            yield Lexeme("COMMENT", comment[0], comment.start())
        if item.kind == "BROKEN":
            yield Lexeme("BROKEN", text[item.offset :], item.offset)
            return
        yield item
        behind = item.offset + len(item.text)
    for comment in _COMMENT.finditer(text, behind):
        yield Lexeme("COMMENT", comment[0], comment.start())
