"""What an IMAP server answers, one response after the other, as values (RFC 3501 §9).

A response is a list: atoms are `str`, strings are `bytes`, NIL is None, lists are lists, and a literal that is too long
for memory is a `Stored` file. Whatever follows the text of OK, NO, BAD, BYE or `+` is one string.

Why the bounds: an importer reads from servers that it does not know. One that never ends a line, announces a literal of
exabytes or nests lists without end is told off with an error and costs no more than these figures.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, TypeAlias

from sievemda.errors import SievemdaError

MAX_LINE = 32 << 20  # octets of a response without its literals: a search may find millions of messages
MAX_LITERALS = 64  # in one response
IN_MEMORY = 256 << 10  # octets; a longer literal becomes a file
DEEPEST = 32  # lists within lists
BLOCK = 1 << 18
_LITERAL = re.compile(rb"~?\{([0-9]{1,20})\+?\}\r?\n\Z")
_TOKEN = re.compile(
    rb"(?P<space> +)|(?P<open>\()|(?P<close>\))|\"(?P<quoted>(?:[^\"\\\r\n]|\\.)*)\"|(?P<literal>\x00)"
    rb"|(?P<atom>[^\s()\"\x00\[]*(?:\[[^\]\r\n\x00]*\][^\s()\"\x00\[]*|[^\s()\"\x00\[]))"
)
_ESCAPED = re.compile(rb"\\(.)")

Value: TypeAlias = "str | bytes | list[Value] | Stored | None"


class BadAnswer(SievemdaError):
    """The server does not speak IMAP as it must. The connection is of no use any longer."""

    exit_code = os.EX_DATAERR


class Lost(SievemdaError):
    """The connection is gone; another one may do."""

    exit_code = os.EX_UNAVAILABLE


@dataclass(frozen=True)
class Stored:
    """A long literal, in a file without a name, which goes when nobody has this any longer."""

    file: IO[bytes]
    size: int

    def __del__(self) -> None:
        self.file.close()

    def blocks(self) -> Iterator[bytes]:
        self.file.seek(0)
        while block := self.file.read(BLOCK):
            yield block


@dataclass(frozen=True, slots=True)
class Response:
    """`tag` is `*`, `+` or that of a command; `kind` in upper case, `FETCH` also where a number stands before it."""

    tag: str
    kind: str
    values: list[Value]
    text: str = ""
    number: int = 0


class Answers:
    """Reads responses from a stream. `longest` bounds a literal, `directory` is where long ones are kept."""

    def __init__(self, stream: BinaryIO, longest: int, directory: str | None = None) -> None:
        self._stream = stream
        self._longest = longest
        self._directory = directory

    def read(self) -> Response:
        """The next response. BadAnswer, Lost, OSError."""
        line = bytearray()
        literals: list[bytes | Stored] = []
        while True:
            part = self._line(MAX_LINE - len(line))
            announced = _LITERAL.search(part[-32:])
            if announced is None:
                line += part.rstrip(b"\r\n")
                break
            if b"\x00" in part or len(literals) >= MAX_LITERALS:
                raise BadAnswer("the server's answer is no IMAP: a NUL, or too many literals")
            line += part[: part.rindex(b"~{" if announced[0][:1] == b"~" else b"{")] + b"\x00"
            literals.append(self._literal(int(announced[1])))
        if line.count(b"\x00") != len(literals):
            raise BadAnswer("the server's answer is no IMAP: it has a NUL")
        return _response(bytes(line), literals)

    def _line(self, room: int) -> bytes:
        part = self._stream.readline(max(room, 0) + 1)
        if not part:
            raise Lost("the server has closed the connection")
        if len(part) > room:
            raise BadAnswer(f"the server's answer has more than {MAX_LINE} octets")
        if not part.endswith(b"\n"):
            raise Lost("the connection ended within an answer")
        return part

    def _literal(self, size: int) -> bytes | Stored:
        if size > self._longest:
            raise BadAnswer(f"the server announces {size} octets in one piece, more than {self._longest}")
        if size <= IN_MEMORY:
            return b"".join(self._blocks(size))
        file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - it becomes a Stored
        try:
            for block in self._blocks(size):
                file.write(block)
        except BaseException:
            file.close()
            raise
        return Stored(file, size)

    def _blocks(self, size: int) -> Iterator[bytes]:
        while size:
            block = self._stream.read(min(size, BLOCK))
            if not block:
                raise Lost("the connection ended within a message")
            size -= len(block)
            yield block


def _response(line: bytes, literals: list[bytes | Stored]) -> Response:
    tag, _, rest = line.partition(b" ")
    name = tag.decode("ascii", "replace")
    if tag == b"+":
        return Response("+", "", [], rest.decode("utf-8", "replace"))
    kind, _, behind = rest.partition(b" ")
    number = 0
    if tag == b"*" and kind.isdigit() and len(kind) < 12:
        number = int(kind)
        kind, _, behind = behind.partition(b" ")
    word = kind.decode("ascii", "replace").upper()
    if word in {"OK", "NO", "BAD", "BYE", "PREAUTH"}:
        return Response(name, word, [], behind.decode("utf-8", "replace"))
    if tag != b"*":
        raise BadAnswer(f"the server's answer is no IMAP: {line[:80]!r}")
    return Response(name, word, parse(behind, literals), "", number)


def parse(text: bytes, literals: list[bytes | Stored] | None = None) -> list[Value]:
    """Values that are separated by spaces; NUL stands for the next literal. BadAnswer."""
    waiting = iter(literals or ())
    levels: list[list[Value]] = [[]]
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or not match[0]:
            raise BadAnswer(f"the server's answer is no IMAP at {text[position : position + 40]!r}")
        position = match.end()
        if match.lastgroup == "open":
            if len(levels) > DEEPEST:
                raise BadAnswer("the server's answer has lists within lists without end")
            levels.append([])
            levels[-2].append(levels[-1])
        elif match.lastgroup == "close":
            if len(levels) == 1:
                raise BadAnswer("the server's answer closes a list that it has not opened")
            levels.pop()
        elif match.lastgroup != "space":
            levels[-1].append(_value(match, waiting))
    if len(levels) != 1:
        raise BadAnswer("the server's answer leaves a list open")
    return levels[0]


def _value(match: re.Match[bytes], literals: Iterator[bytes | Stored]) -> Value:
    if match.lastgroup == "literal":
        return next(literals)
    if match.lastgroup == "quoted":
        return _ESCAPED.sub(rb"\1", match["quoted"])
    atom = match["atom"].decode("utf-8", "surrogateescape")
    return None if atom.upper() == "NIL" else atom
