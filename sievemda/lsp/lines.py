"""Positions of the protocol and offsets in a text. LSP 3.17, "Position" and "Text Documents".

A line ends at LF, CRLF or CR, and at nothing else: not at the other line ends that Unicode knows. A character of a
position is a unit of the encoding that was agreed: one beyond the basic plane is two of UTF-16 and four of UTF-8.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, Range

_END = re.compile(r"\r\n?|\n")
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Lines:
    """The lines of one text; offsets count characters of the text, from 0."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.text = text
        self._codec, self._width = _UNITS[encoding]
        ends = [(found.start(), found.end()) for found in _END.finditer(text)]
        self._starts = [0, *(end for _, end in ends)]
        self._stops = [*(start for start, _ in ends), len(text)]  # where the text of each line ends
        self._feeds = [0, *(found.end() for found in re.finditer("\n", text))]

    def offset(self, position: Position) -> int:
        """The offset of a position; one beyond the end of its line is that end, one beyond the last line the end."""
        if position.line >= len(self._starts):
            return len(self.text)
        start, stop = self._starts[position.line], self._stops[position.line]
        line = self.text[start:stop]
        if line.isascii():
            return min(start + position.character, stop)
        octets = self._octets(line)[: position.character * self._width]
        return start + len(octets.decode(self._codec, "ignore"))

    def position(self, offset: int) -> Position:
        """The position of an offset; one between CR and LF is the end of the line."""
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : min(offset, self._stops[line])]
        units = len(before) if before.isascii() else len(self._octets(before)) // self._width
        return Position(line, units)

    def range(self, start: int, end: int) -> Range:
        return Range(self.position(start), self.position(end))

    def told(self, line: int, column: int) -> int:
        """The offset of a place as problems tell it: both from 1, lines ended by LF, columns in characters."""
        start = self._feeds[min(max(line, 1), len(self._feeds)) - 1]
        return min(start + max(column, 1) - 1, len(self.text))

    def line(self, offset: int) -> int:
        """The line of an offset as problems count it."""
        return bisect_right(self._feeds, offset)

    def start_of_line(self, offset: int) -> int:
        return self._starts[bisect_right(self._starts, offset) - 1]

    def next_line(self, offset: int) -> int:
        """Where the line after that of an offset begins; the end of the text when there is none."""
        line = bisect_right(self._starts, offset)
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def end_of_line(self, offset: int) -> int:
        """Where the text of the line of an offset ends, before its line end."""
        return self._stops[bisect_right(self._starts, offset) - 1]

    def _octets(self, text: str) -> bytes:
        return text.encode(self._codec, "surrogatepass")


def whole(text: str) -> str:
    """The text with halves of surrogate pairs, which JSON can carry and UTF-8 cannot, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
