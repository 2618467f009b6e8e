"""What is laid out: a script with its comments, and with every literal as it was spelled.

Beside `tree`, which has what a script means: here names are still names and strings still have their quotes. A command
and the tests that follow each other in it (`if not header ...`) are one chain of pieces, since that is how they are
written; only string lists and lists of tests have an inside.

Every part knows its width on one line; `None` where it cannot stand on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """Where a comment stands: alone on its lines, at the end of a line, or before something on the same line."""

    ALONE = "alone"
    BEHIND = "behind"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` as it was written, with its marks; `apart`: a blank line comes before it."""

    text: str
    place: Place
    apart: bool = False

    @property
    def width(self) -> int | None:
        return len(self.text) if self.place is Place.INSIDE and "\n" not in self.text else None


Comments = tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """An identifier, a tag, a number or a string; a multi-line string ends with its last line end."""

    text: str
    width: int | None

    @property
    def opening(self) -> int:
        """The width of the first of its lines."""
        return len(self.text.partition("\n")[0])


@dataclass(frozen=True, slots=True)
class Entry:
    """One string or test of a list; `lead` stands before it, `suffix` behind it, and `behind` after the comma."""

    lead: Comments
    chain: Chain
    suffix: Comments
    behind: Comments

    @property
    def width(self) -> int | None:
        if self.behind:
            return None
        before, after = ([comment.width for comment in comments] for comments in (self.lead, self.suffix))
        return _spaced([*before, self.chain.width, *after])


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of strings or of tests; `first` stands behind its opening mark, `last` before its closing one."""

    marks: str
    first: Comments
    entries: tuple[Entry, ...]
    last: Comments
    width: int | None

    opening = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A word or a list in a chain, with the comments before it; `glued`: not to be parted from the one before it."""

    comments: Comments
    content: Word | Listing
    glued: bool = False

    @property
    def width(self) -> int | None:
        return _spaced([*(comment.width for comment in self.comments), self.content.width])


@dataclass(frozen=True, slots=True)
class Chain:
    pieces: tuple[Piece, ...]
    width: int | None


@dataclass(frozen=True, slots=True)
class Statement:
    """A command; `suffix` stands before its end; `block` is `None` where that is a semicolon."""

    chain: Chain
    suffix: Comments
    block: tuple[Comment | Statement, ...] | None
    apart: bool

    @property
    def name(self) -> str:
        content = self.chain.pieces[0].content
        assert isinstance(content, Word)  # the grammar has it so
        return content.text


Body = tuple[Comment | Statement, ...]


def chain_of(pieces: Sequence[Piece]) -> Chain:
    return Chain(tuple(pieces), _spaced([piece.width for piece in pieces]))


def listing_of(marks: str, first: Comments, entries: Sequence[Entry], last: Comments) -> Listing:
    inside = _sum([entry.width for entry in entries])
    width = None if inside is None or first or last else inside + 2 * len(entries)  # commas, blanks and two marks
    return Listing(marks, first, tuple(entries), last, width)


def _sum(widths: Sequence[int | None]) -> int | None:
    known = [width for width in widths if width is not None]
    return sum(known) if len(known) == len(widths) else None


def _spaced(widths: Sequence[int | None]) -> int | None:
    """The width of parts with a blank between them."""
    return _sum([*widths, max(len(widths) - 1, 0)])
