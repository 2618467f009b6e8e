"""The parts of a message: a tree of offsets into its octets, of which none is changed or copied. RFC 2045, RFC 2046.

Any octets have a tree. A part whose header ends without an empty line has no body; a multipart that never names a
boundary, or whose boundary never comes, is a part without children, all of it prologue; where the last delimiter is
missing, the end of what is around it is the end. A delimiter of an outer multipart ends everything inside (RFC 2046
§5.1.2), and the boundary has only to begin the line (§5.1.1); of several that do, the longest is meant.

Why one pass with all open boundaries, and not one for each multipart: fifty multiparts inside each other would be read
fifty times. What is looked up for a line is bounded by its length, so time is linear in the size of the message.

What goes beyond the bounds is one opaque part: the last one that is counted takes the rest of the message, and what is
nested too deep is not opened.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sievemda.mail.decoding import body_octets, exact_text, to_text
from sievemda.mail.html import html_to_text
from sievemda.mail.message import Message
from sievemda.mail.parameters import MESSAGE_PART, TEXT_PLAIN, ContentType, content_type, structured

Path = tuple[int, ...]
_LONGEST = 200  # octets of a boundary; RFC 2046 §5.1.1 allows 70
_MESSAGES = frozenset({"message/rfc822", "message/global"})
_NEVER = re.compile(rb"(?!)")
_SIGHT, _FEW = 16, 4  # octets of a boundary by which its lines are found, while so few are open
_EMPTY_LINE = b"\n\n"


class Bounds(NamedTuple):
    """How many parts a tree has at most, and how many of them are inside each other."""

    parts: int
    nesting: int


class Part:
    """A MIME entity (RFC 2045 §2.4): its header from `start`, its body from `body` to `end` of `data`.

    `path` are the numbers of the children, from 0, that lead to it; it is empty for the message itself. `prologue` and
    `epilogue` of a multipart are its text in front of the first and behind the last delimiter.
    """

    __slots__ = (
        "_header", "_octets", "_readable", "_text", "_type", "body", "children", "closed", "data", "digest", "end",
        "opaque", "path", "prologue", "start",
    )  # fmt: skip

    def __init__(
        self,
        data: bytes | mmap.mmap,
        start: int,
        path: Path,
        *,
        digest: bool = False,
        header: Message | None = None,
    ) -> None:
        self.data = data
        self.start = start
        self.body = start
        self.end = len(data)
        self.path = path
        self.digest = digest  # in a multipart/digest, whose parts are messages unless they say otherwise
        self.opaque = False
        self.children: list[Part] = []
        self.prologue = -1  # where it ends; negative as long as there was no delimiter
        self.closed = -1  # where the epilogue begins
        self._header = header
        self._type: ContentType | bool | None = False
        self._octets: bytes | bool | None = False
        self._text: str | None = None
        self._readable: str | None = None

    # -- header ------------------------------------------------------------------------------------------------

    @property
    def header(self) -> Message:
        """A message that has the header of this part, and of which nothing else may be asked."""
        if self._header is None:
            self._header = Message(self.data[self.start : self.body])
        return self._header

    @property
    def type(self) -> ContentType | None:
        """The media type; that of RFC 2045 §5.2 where none is given, `None` where it cannot be read."""
        if isinstance(self._type, bool):
            given = self.header.raw_values("content-type")
            default = MESSAGE_PART if self.digest else TEXT_PLAIN
            self._type = content_type(given[0]) if given else default
        return self._type

    @property
    def encoding(self) -> str:
        """Content-Transfer-Encoding in lower case, RFC 2045 §6; empty where none is given."""
        given = self.header.raw_values("content-transfer-encoding")
        return structured(given[0]).value.lower() if given else ""

    @property
    def is_text(self) -> bool:
        return not self.opaque and self.type is not None and self.type.type == "text"

    @property
    def is_multipart(self) -> bool:
        return not self.opaque and self.type is not None and self.type.type == "multipart"

    @property
    def is_message(self) -> bool:
        """Whether its body is a message that was opened, the only child."""
        return bool(self.children) and not self.is_multipart

    # -- content -----------------------------------------------------------------------------------------------

    @property
    def octets(self) -> bytes | None:
        """The body with its transfer encoding undone; `None` when that is unknown. Not for a part with children."""
        if isinstance(self._octets, bool):
            self._octets = body_octets(self.data[self.body : self.end], self.encoding)
        return self._octets

    @property
    def charset(self) -> str | None:
        return self.type.field.get("charset") if self.type else None

    @property
    def text(self) -> str:
        """As much of the text as can be read, its lines ended by CRLF; worked out once."""
        if self._text is None:
            octets = self.octets
            self._text = "" if octets is None else to_text(octets, self.charset)
        return self._text

    @property
    def readable(self) -> str:
        """The text as people see it: that of HTML without its mark-up; worked out once."""
        if self._readable is None:
            self._readable = plain(self, self.text)
        return self._readable

    def exact(self) -> str:
        """As `readable`, and empty where encoding or charset are unknown or not kept to. RFC 5703 §7."""
        octets = self.octets
        text = None if octets is None else exact_text(octets, self.charset)
        return "" if text is None else plain(self, text)

    def outer_texts(self) -> Sequence[str]:
        """Prologue and epilogue of a multipart, both of them even when they are empty. RFC 5173 §5.2."""
        prologue = self.data[self.body : self.end if self.prologue < 0 else self.prologue]
        epilogue = self.data[self.closed : self.end] if self.closed >= 0 else b""
        return to_text(prologue, None), to_text(epilogue, None)

    # -- tree --------------------------------------------------------------------------------------------------

    def walk(self) -> Iterator[Part]:
        """This part and all below it, depth first, in the order of the message."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    def at(self, path: Path) -> Part | None:
        """The part to which a path leads from here."""
        part = self
        for number in path:
            if number >= len(part.children):
                return None
            part = part.children[number]
        return part


def plain(part: Part, text: str) -> str:
    """The text of an HTML part without its mark-up, that of another as it is."""
    is_html = part.type is not None and part.type.name == "text/html"
    return html_to_text(text).replace("\n", "\r\n") if is_html else text


def tree(message: Message, bounds: Bounds) -> Part:
    """The parts of a message, worked out once; where only its header was edited, those below it stay what they are."""
    known: Part | None = message.derived.get(bounds)
    if known is None:
        known = message.derived[bounds] = _tree(message, bounds)
    return known


def is_read(message: Message, bounds: Bounds) -> bool:
    """Whether its parts are known, so that asking for them costs nothing."""
    return bounds in message.derived or _key(message, bounds) in message.body_of.derived


def _key(message: Message, bounds: Bounds) -> object:
    return bounds, message.raw_values("content-type")[:1]


def _tree(message: Message, bounds: Bounds) -> Part:
    source = message.body_of
    root = Part(source.data, 0, (), header=message)
    root.body = source.header_end
    key = _key(message, bounds)
    known: Part | None = source.derived.get(key)
    if known is None:
        source.derived[key] = root
        _Reader(root, bounds).read()
    else:
        root.children, root.prologue, root.closed, root.opaque = (
            known.children,
            known.prologue,
            known.closed,
            known.opaque,
        )
    return root


class _Reader:
    """Reads the parts below one part, in one pass over the lines that could be delimiters."""

    def __init__(self, root: Part, bounds: Bounds) -> None:
        self._data = root.data
        self._bounds = bounds
        self._count = 1
        self._stack = [root]  # the part that is read, behind those that it is in
        self._open: list[tuple[bytes, int]] = []  # boundaries with the height in the stack of whose they are
        self._innermost: dict[bytes, int] = {}  # the same, of equal ones the innermost
        self._lengths: list[int] = []  # of the open boundaries, longest first
        self._candidate = _NEVER  # finds the lines that could be delimiters of theirs
        self._looked, self._line = _NEVER, 0  # what was found last, and with what
        self._header_of: Part | None = None  # the part whose header is read
        self._header_end = 0
        self._empty_line = -1  # the first one behind what was asked for last

    def read(self) -> None:
        root = self._stack[0]
        if not root.header.has_body:
            return
        self._begin_body(root)
        position = max(root.body - 1, 0)  # the line end in front of the body
        while not self._full and (self._header_of is not None or self._open):
            line = self._next(position)
            if self._header_of is not None and self._header_end <= line:
                position = self._header_end - 1
                self._open_header()
            elif line == len(self._data):
                break
            else:
                position = self._delimiter(line) - 1
        if self._header_of is not None:
            self._header_of.opaque = self._full
            self._header_of.body = min(self._header_end, len(self._data))

    def _next(self, position: int) -> int:
        """The first line from there on that could be a delimiter."""
        if self._looked != self._candidate or self._line <= position:
            found = self._candidate.search(self._data, position) if self._open else None
            self._looked, self._line = self._candidate, found.start() + 1 if found else len(self._data)
        return self._line

    @property
    def _full(self) -> bool:
        return self._count >= self._bounds.parts

    # -- headers -----------------------------------------------------------------------------------------------

    def _begin(self, start: int) -> None:
        """A part begins in the one on top of the stack."""
        parent = self._stack[-1]
        digest = parent.is_multipart and parent.type is not None and parent.type.subtype == "digest"
        part = Part(self._data, start, (*parent.path, len(parent.children)), digest=digest)
        parent.children.append(part)
        self._stack.append(part)
        self._count += 1
        if self._empty_line < start - 1:
            found = self._data.find(_EMPTY_LINE, start - 1)
            self._empty_line = len(self._data) if found < 0 else found
        self._header_of, self._header_end = part, self._empty_line + len(_EMPTY_LINE)

    def _open_header(self) -> None:
        """Go into the body of the part whose header was read."""
        part, self._header_of = self._header_of, None
        assert part is not None
        part.body = self._header_end
        self._begin_body(part)

    def _begin_body(self, part: Part) -> None:
        kind = part.type
        if kind is None or kind.type not in {"multipart", "message"}:
            return
        deep = len(self._stack) > self._bounds.nesting
        if kind.type == "multipart":
            boundary = _boundary(kind)
            if boundary and deep:
                part.opaque = True
            elif boundary:
                self._push(boundary)
        elif kind.name in _MESSAGES and part.encoding in {"", "7bit", "8bit", "binary"}:
            if deep:
                part.opaque = True
            else:
                self._begin(part.body)

    # -- delimiters --------------------------------------------------------------------------------------------

    def _push(self, boundary: bytes) -> None:
        self._open.append((boundary, len(self._stack)))
        self._index()

    def _forget(self, height: int) -> None:
        """Close the multiparts that stand at this height of the stack, and above it."""
        while self._open and self._open[-1][1] >= height:
            self._open.pop()
        self._index()

    def _index(self) -> None:
        self._innermost = dict(self._open)
        self._lengths = sorted({len(boundary) for boundary, _ in self._open}, reverse=True)
        size = _SIGHT if len(self._open) <= _FEW else 1  # to compile many long ones for each part takes its time
        begins = sorted({re.escape(boundary[:size]) for boundary, _ in self._open})
        self._candidate = re.compile(b"\n--(?:" + b"|".join(begins) + b")")

    def _delimiter(self, line: int) -> int:
        """Act on a line that could be a delimiter; where the next line could be one."""
        found = self._find(line + 2)
        if found is None:
            return line + 3
        height, closing = found
        end = self._data.find(b"\n", line)
        after = len(self._data) if end < 0 else end + 1
        self._finish(height, line - 1)
        parent = self._stack[-1]
        if parent.prologue < 0:
            parent.prologue = max(parent.body, line - 1)
        if closing:
            parent.closed = after
            self._forget(height)
        else:
            self._begin(after)
        return after

    def _find(self, start: int) -> tuple[int, bool] | None:
        """Whose delimiter begins there, as its height in the stack, and whether it is the last one."""
        text = self._data[start : start + _LONGEST + 2]
        end = text.find(b"\n")
        text = text if end < 0 else text[:end]
        for length in self._lengths:
            height = self._innermost.get(text[:length])
            if height is not None:
                return height, text[length : length + 2] == b"--"
        return None

    def _finish(self, height: int, end: int) -> None:
        """The parts above this height end there."""
        if self._header_of is not None:
            self._header_of.body = max(end, self._header_of.start)
            self._header_of = None
        while len(self._stack) > height:
            part = self._stack.pop()
            part.end = max(part.body, end)
        self._forget(height + 1)


def _boundary(kind: ContentType) -> bytes:
    """The boundary of a multipart; empty when there is none that could ever come."""
    value = (kind.field.get("boundary") or "").encode("utf-8", "surrogateescape").rstrip()
    return b"" if len(value) > _LONGEST or b"\n" in value else value
