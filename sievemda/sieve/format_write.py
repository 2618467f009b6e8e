"""Lays out what `format_read` has read.

Three ways to write a chain, the first that does: on one line; with its last part, a list or a long string, opened at
the end of the line; as many pieces on each line as there is room for. A list that does not fit has one entry a line.
Widths are known beforehand, so that the time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sievemda.sieve.format_tree import Body, Chain, Comment, Comments, Entry, Listing, Piece, Place, Statement, Word

_LINKS = frozenset({"elsif", "else"})


@dataclass(frozen=True, slots=True)
class Style:
    """`width`: characters of a line, where they can be had; `indent`: blanks for each block."""

    width: int = 80
    indent: int = 4


class Writer:
    def __init__(self, style: Style) -> None:
        self._width = style.width
        self._step = style.indent
        self._out: list[str] = []
        self._column = 0
        self._margin = 0  # blanks that the line under way begins with
        self._ended = False  # nothing more can stand on the line under way

    @property
    def text(self) -> str:
        """What was written, ended by a line end if it is anything."""
        return "".join(self._out) + ("\n" if self._out and self._column else "")

    # -- characters --------------------------------------------------------------------------------------------

    def _put(self, text: str) -> None:
        self._out.append(text)
        *before, last = text.rsplit("\n", 1)
        self._column = len(last) if before else self._column + len(text)

    def _line(self, margin: int) -> None:
        """Begin a new line."""
        if self._out and self._column:
            self._out.append("\n")
        self._out.append(" " * margin)
        self._column = self._margin = margin
        self._ended = False

    def _space(self) -> None:
        """A blank, or a new line where the one under way has ended."""
        if self._ended:
            self._line(self._margin)
        else:
            self._put(" ")

    def _comment(self, comment: Comment) -> None:
        self._put(comment.text)
        self._ended = comment.text.startswith("#")

    def _fits(self, width: int | None, more: int = 0) -> bool:
        return width is not None and self._column + width + more <= self._width

    # -- commands ----------------------------------------------------------------------------------------------

    def body(self, items: Body, margin: int) -> None:
        """What stands in a block, or in a script; the line before it, if any, is under way."""
        before: Comment | Statement | None = None
        preamble = _end_of_preamble(items)
        for number, item in enumerate(items):
            self._between(before, item, margin, apart=before is not None and (item.apart or number == preamble))
            if isinstance(item, Comment):
                self._comment(item)
            else:
                self._statement(item, margin)
            before = item

    def _between(
        self, before: Comment | Statement | None, item: Comment | Statement, margin: int, *, apart: bool
    ) -> None:
        """What comes between two things in a block: a blank, a new line, or a blank line too."""
        if self._joined(before, item):
            self._put(" ")
            return
        if apart:
            self._line(0)
            self._out.append("\n")
        self._line(margin)

    def _joined(self, before: Comment | Statement | None, item: Comment | Statement) -> bool:
        """Whether an item goes on the line of the one before it, or of the `{`."""
        if self._ended or not self._out:
            return False
        if isinstance(item, Comment):
            return item.place is Place.BEHIND
        if isinstance(before, Comment):
            return before.place is Place.INSIDE
        return before is not None and before.block is not None and item.name in _LINKS

    def _statement(self, statement: Statement, margin: int) -> None:
        block = statement.block
        end = ";" if block is None else " {" if block else " {}"
        more = len(end) + sum(len(comment.text) + 1 for comment in statement.suffix)
        self._chain(statement.chain, margin + self._step * (1 if block is None else 2), more)
        self._margin = margin
        for comment in statement.suffix:
            self._space()
            self._comment(comment)
        if self._ended:
            self._line(margin)
            end = end.lstrip()
        self._put(end)
        if block:
            self.body(block, margin + self._step)
            self._line(margin)
            self._put("}")

    # -- arguments ---------------------------------------------------------------------------------------------

    def _chain(self, chain: Chain, margin: int, more: int) -> None:
        """Words and lists; `margin` is that of further lines, `more` the width of what follows."""
        if self._fits(chain.width, more):
            self._put(" ".join(_flat(chain)))
        elif self._opens_last(chain):
            for number, piece in enumerate(chain.pieces):
                self._put(" " if number else "")
                self._piece(piece, more)
        else:
            self._fill(chain, margin, more)

    def _opens_last(self, chain: Chain) -> bool:
        """Whether everything fits on this line up to where the last piece, which can be broken, opens."""
        last = chain.pieces[-1]
        if isinstance(last.content, Word) and last.content.width is not None:
            return False
        widths = [piece.width for piece in chain.pieces[:-1]] + [comment.width for comment in last.comments]
        known = [width for width in widths if width is not None]
        return len(known) == len(widths) and self._fits(sum(known) + len(known) + last.content.opening)

    def _fill(self, chain: Chain, margin: int, more: int) -> None:
        groups = list(_groups(chain.pieces))
        for number, group in enumerate(groups):
            follows = more if number == len(groups) - 1 else 0
            self._before(group, margin, follows, first=number == 0)
            for place, piece in enumerate(group):
                if place:
                    self._space()
                self._piece(piece, follows)

    def _before(self, group: Sequence[Piece], margin: int, more: int, *, first: bool) -> None:
        """Go on to a group: its comments that end a line, then a blank or a new line."""
        commented = False
        for comment in group[0].comments:
            if comment.place is Place.INSIDE:
                continue
            if comment.place is Place.BEHIND and not self._ended:
                self._put(" ")
            else:
                self._line(margin)
            self._comment(comment)
            commented = True
        if commented or self._ended:
            self._line(margin)
        elif not first and self._stays(group, margin, more):
            self._put(" ")
        elif not first:
            self._line(margin)

    def _stays(self, group: Sequence[Piece], margin: int, more: int) -> bool:
        """Whether a group goes on the line under way; one that no line has room for may open there."""
        parts = [part for piece in group for part in (*_inside(piece), piece.content)]
        width = _width_of(parts)
        if self._fits(width, 1 + more):
            return True
        if width is not None and margin + width + more <= self._width:
            return False
        before, opens = _width_of(parts[:-1]), isinstance(parts[-1], Listing) or width is None
        return before is not None and (not opens or self._fits(before + group[-1].content.opening, 2))

    def _piece(self, piece: Piece, more: int) -> None:
        for comment in _inside(piece):
            self._comment(comment)
            self._put(" ")
        content = piece.content
        if isinstance(content, Listing) and not self._fits(content.width, more):
            self._listing(content)
        elif isinstance(content, Listing):
            self._put("".join(_flat_listing(content)))
        else:
            self._put(content.text.removesuffix("\n"))
            self._ended = content.text.endswith("\n")

    def _listing(self, listing: Listing) -> None:
        outer = self._margin
        inner = outer + self._step
        self._put(listing.marks[0])
        self._behind(listing.first)
        for entry in listing.entries:
            self._entry(entry, inner, last=entry is listing.entries[-1])
        for comment in listing.last:
            self._line(inner)
            self._comment(comment)
        self._line(outer)
        self._put(listing.marks[1])

    def _entry(self, entry: Entry, margin: int, *, last: bool) -> None:
        self._line(margin)
        for comment in entry.lead:
            self._comment(comment)
            if comment.place is Place.INSIDE:
                self._put(" ")
            else:
                self._line(margin)
        more = 0 if last else 1 + sum(len(comment.text) + 1 for comment in entry.suffix)
        self._chain(entry.chain, margin + self._step, more)
        self._margin = margin
        for comment in entry.suffix:
            self._space()
            self._comment(comment)
        if not last:
            if self._ended:
                self._line(margin)
            self._put(",")
        self._behind(entry.behind)

    def _behind(self, comments: Comments) -> None:
        for comment in comments:
            self._space()
            self._comment(comment)


def _end_of_preamble(items: Body) -> int:
    """The place of the first thing behind the last `require`, which a blank line sets apart; -1 without one."""
    requires = [n for n, item in enumerate(items) if isinstance(item, Statement) and item.name == "require"]
    place = requires[-1] + 1 if requires else -1
    while 0 < place < len(items) and isinstance(item := items[place], Comment) and item.place is Place.BEHIND:
        place += 1
    return place


def _inside(piece: Piece) -> list[Comment]:
    return [comment for comment in piece.comments if comment.place is Place.INSIDE]


def _groups(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    for piece in pieces:
        if group and not (piece.glued and len(_inside(piece)) == len(piece.comments)):
            yield group
            group = []
        group.append(piece)
    yield group


def _width_of(parts: Sequence[Comment | Word | Listing]) -> int | None:
    """The width of parts on one line, with a blank between them."""
    total = max(len(parts) - 1, 0)
    for part in parts:
        if part.width is None:
            return None
        total += part.width
    return total


def _flat(chain: Chain) -> Iterator[str]:
    for piece in chain.pieces:
        yield from (comment.text for comment in piece.comments)
        content = piece.content
        yield "".join(_flat_listing(content)) if isinstance(content, Listing) else content.text


def _flat_listing(listing: Listing) -> Iterator[str]:
    yield listing.marks[0]
    for number, entry in enumerate(listing.entries):
        yield ", " if number else ""
        yield " ".join(
            [
                *(comment.text for comment in entry.lead),
                *_flat(entry.chain),
                *(comment.text for comment in entry.suffix),
            ]
        )
    yield listing.marks[1]
