"""What a server sends, as octets to responses; and what goes to it. RFC 5804 §1.2, §4.

A response is lines of data, then a line of OK, NO or BYE. Tolerated beyond the grammar: a bare LF, literals written
`{n+}`, a number or an atom where a string should be, quoted strings of any length; the name of a script in which
nothing is escaped, as Cyrus lists them.

Why a deadline for a whole response and not for each read: a server that sends an octet now and then would never be
too late.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sievemda.errors import SievemdaError, TemporaryTrouble, Unavailable

Line = tuple["str | bytes | Parens", ...]  # atoms are `str`, strings `bytes`

MAX_LINE = 64 << 10  # octets of a line beside its literals
MAX_RESPONSE = 32 << 20  # octets
MAX_LINES = 20_000  # of data in one response
_QUOTED_MAX = 1024
_BLOCK = 64 << 10
_LITERAL = re.compile(rb"\{([0-9]{1,10})\+?\}\Z")
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|([()])|([^\s"(){}]+)')
_LISTED = re.compile(rb'"(.*)"( ACTIVE)?', re.DOTALL)
_UNQUOTED = frozenset(b'\x00\r\n"\\')  # quotes and backslashes could be escaped, but Cyrus does not undo that


class Garbled(Unavailable):
    """What came is not ManageSieve, or beyond all bounds."""


@dataclass(frozen=True, slots=True)
class Parens:
    """What stands in parentheses: a response code."""

    items: Line


@dataclass(frozen=True, slots=True)
class Response:
    """The lines of data and how it ended. `argument` is what follows the first word of the response code."""

    status: str
    code: str = ""
    argument: bytes = b""
    text: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == "OK"


class Wire:
    """One connection to a server, called `where` in errors. Raises Unavailable and TemporaryTrouble, never OSError."""

    def __init__(self, sock: socket.socket, where: str, seconds: float) -> None:
        """`seconds`: within which a response must be there."""
        self.where = where
        self.seconds = seconds
        self._sock = sock
        self.broken = False  # nothing more can be said or heard
        self._buffer = bytearray()
        self._until = 0.0
        self._left = 0
        self._searched = 0

    @property
    def connection(self) -> socket.socket:
        return self._sock

    def replace(self, sock: socket.socket) -> None:
        """Go on over another socket, TLS over the old one; what came before is forgotten. RFC 5804 §2.2."""
        self._buffer.clear()
        self._searched = 0
        self._sock = sock

    def close(self) -> None:
        self._sock.close()

    # --- out ---------------------------------------------------------------------------------------------------

    def send(self, *parts: str | bytes | int) -> None:
        """A command: `str` and `int` as they are, `bytes` as strings."""
        octets = b" ".join(string(part) if isinstance(part, bytes) else str(part).encode() for part in parts)
        try:
            self._sock.settimeout(self.seconds)
            self._sock.sendall(octets + b"\r\n")
        except OSError as e:
            if not isinstance(e, TimeoutError) and self._has_answered():
                return  # it said why before it closed
            self.broken = True
            raise self._lost(e) from e

    def _has_answered(self) -> bool:
        """Whether something is there to be read, though nothing can be sent any more."""
        try:
            self._sock.settimeout(1.0)
            block = self._sock.recv(_BLOCK)
        except OSError:
            return bool(self._buffer)
        self._buffer += block
        return bool(self._buffer)

    # --- in ----------------------------------------------------------------------------------------------------

    def response(self, *, patience: float = 0.0) -> Response:
        """The next response, whole; it may take so many seconds more than others."""
        with self._reading(patience):
            lines: list[Line] = []
            while (found := self._ended(line := self._line(), lines)) is None:
                lines.append(line)
                if len(lines) > MAX_LINES:
                    raise Garbled(f"{self.where} sends lines without end")
            return found

    def challenge(self) -> bytes | Response:
        """During AUTHENTICATE: a string that the server sends alone, or how it ended."""
        with self._reading():
            line = self._line()
            if len(line) == 1 and isinstance(line[0], bytes):
                return line[0]
            found = self._ended(line, [])
            if found is None:
                raise Garbled(f"{self.where} does not answer to AUTHENTICATE as a ManageSieve server does")
            return found

    def _ended(self, line: Line, before: list[Line]) -> Response | None:
        """What a line says of how it ended, if it does."""
        status = line[0].upper() if line and isinstance(line[0], str) else ""
        if status not in {"OK", "NO", "BYE"}:
            return None
        self.broken = status == "BYE"
        return _ended(status, line[1:], tuple(before))

    @contextmanager
    def _reading(self, patience: float = 0.0) -> Iterator[None]:
        self._begin(patience)
        try:
            yield
        except SievemdaError:
            self.broken = True
            raise

    def _begin(self, patience: float) -> None:
        self._until = time.monotonic() + self.seconds + patience
        self._left = MAX_RESPONSE

    def _line(self) -> Line:
        tokens: list[str | bytes | tuple[str]] = []
        while True:
            segment = self._segment()
            literal = _LITERAL.search(segment)
            tokens += self._tokens(segment[: literal.start()] if literal else segment)
            if literal is None:
                return _nested(tokens)
            tokens.append(self._octets(int(literal[1])))

    def _tokens(self, segment: bytes) -> list[str | bytes | tuple[str]]:
        found: list[str | bytes | tuple[str]] = []
        at = 0
        while at < len(segment):
            if segment[at] in b" \t":
                at += 1
                continue
            token = _TOKEN.match(segment, at)
            if token is None and (listed := _LISTED.fullmatch(segment)):
                return [listed[1], *([listed[2][1:].decode()] if listed[2] else [])]
            if token is None:
                raise Garbled(f"{self.where} does not speak ManageSieve: {_shown(segment)}")
            quoted, paren, atom = token.groups()
            if quoted is not None:
                found.append(re.sub(rb"\\(.)", rb"\1", quoted))
            elif paren is not None:
                found.append((paren.decode(),))
            else:
                found.append(atom.decode("utf-8", "replace"))
            at = token.end()
        return found

    def _segment(self) -> bytes:
        """The octets up to a line end."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_LINE:
                raise Garbled(f"{self.where} sends a line without end: {_shown(bytes(self._buffer[:80]))}")
            self._fill()
        return self._taken(end + 1)[:-1].removesuffix(b"\r")

    def _octets(self, count: int) -> bytes:
        if count > self._left:
            raise Garbled(f"{self.where} announces {count} octets, more than anybody wants")
        while len(self._buffer) < count:
            self._fill()
        return self._taken(count)

    def _taken(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        self._searched = 0
        self._left -= count
        if self._left < 0:
            raise Garbled(f"{self.where} sends more than {MAX_RESPONSE >> 20} MiB in one answer")
        return taken

    def _fill(self) -> None:
        left = self._until - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            block = self._sock.recv(_BLOCK)
        except OSError as e:
            raise self._lost(e) from e
        if not block:
            what = f": {_shown(bytes(self._buffer[:80]))}" if self._buffer else ""
            raise Unavailable(f"{self.where} has closed the connection{what}")
        self._buffer += block

    def _lost(self, error: OSError) -> Unavailable | TemporaryTrouble:
        if isinstance(error, TimeoutError):
            return TemporaryTrouble(f"{self.where} has not answered within {self.seconds:g} seconds")
        return Unavailable(f"the connection to {self.where} is broken: {error.strerror or error}")


def string(octets: bytes) -> bytes:
    """Quoted where that can be, else a literal that is not waited for. RFC 5804 §4.

    What is not ASCII is no quoted string to Cyrus, which then takes the script behind it for commands.
    """
    if len(octets) > _QUOTED_MAX or not octets.isascii() or not _UNQUOTED.isdisjoint(octets):
        return b"{%d+}\r\n" % len(octets) + octets
    return b'"' + octets + b'"'


def _nested(tokens: list[str | bytes | tuple[str]]) -> Line:
    """Parentheses do not nest in this protocol; what is not closed ends with the line."""
    out: list[str | bytes | Parens] = []
    inside: list[str | bytes | Parens] | None = None
    for token in tokens:
        if token == ("(",):
            inside = inside if inside is not None else []
        elif token == (")",):
            if inside is not None:
                out.append(Parens(tuple(inside)))
            inside = None
        elif isinstance(token, str | bytes):
            (out if inside is None else inside).append(token)
    return tuple(out if inside is None else [*out, Parens(tuple(inside))])


def _ended(status: str, rest: Line, lines: tuple[Line, ...]) -> Response:
    code, argument, text = "", b"", ""
    for item in rest:
        match item:
            case Parens(items=(str(word), *more)):
                code = word.upper()
                argument = next((octets_of(each) for each in more), b"")
            case bytes():
                text = item.decode("utf-8", "replace")
    return Response(status, code, argument, text, lines)


def octets_of(item: str | bytes | Parens) -> bytes:
    """A string or an atom as octets."""
    match item:
        case bytes():
            return item
        case str():
            return item.encode()
    return b""


def _shown(octets: bytes) -> str:
    return repr(octets[:80].decode("utf-8", "replace"))
