"""What a client sends, as octets to lines of tokens. No I/O: feed blocks of any size, take lines. RFC 5804 §1.2, §4.

An atom or number is a `str`, a string is `bytes`. Tolerated beyond the grammar: a bare LF as line end, quoted strings
of more than 1024 octets, and literals written `{n}`, which are not waited for either.

After a mistake the reader goes on behind the end of that line, its literals skipped, so that what they hold is never
taken for commands. A line that is too long is skipped the same way without being kept; only one whose end cannot be
told, or that goes on beyond patience, is fatal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Token = str | bytes
Line = tuple[Token, ...]

MAX_NUMBER = (1 << 32) - 1
_ATOM = rb"[!#-'*-\[\]-z|-~]{1,1024}"
_QUOTED = rb'"(?:[^"\\\x00\r]++|\\["\\])*+"'
_NAME = re.compile(_ATOM)
_CLOSED = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)  # a string, whatever is in it
_TOKEN = re.compile(rb"(?P<quoted>%s)|(?P<atom>%s)|\{(?P<literal>[0-9]+)\+?\}\Z" % (_QUOTED, _ATOM))
_LITERAL_AT_END = re.compile(rb"\{([0-9]+)\+?\}\Z")
_MOST_TOKENS = 32  # of one line; no command has a quarter of them, and thousands of short ones would take megabytes
_TAIL = 64  # octets at the end of a line that is thrown away: enough to see whether a literal follows
_ESCAPE = re.compile(rb"\\(.)")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that is none. `tokens` came before the mistake; after a `fatal` one nothing can be read any more."""

    reason: str
    tokens: Line = field(default=(), repr=False)  # a password may be among them
    too_large: bool = False
    fatal: bool = False


class Reader:
    """Takes octets in, gives lines out. `budget` is how many octets one line may hold, its literals included.

    `patience` is how many octets beyond that are read and thrown away to reach the line's end.
    """

    def __init__(self, budget: int, patience: int) -> None:
        self.budget = budget
        self.patience = patience
        self._buffer = bytearray()
        self._searched = 0  # octets of the buffer known to hold no LF
        self._begin()

    def _begin(self) -> None:
        self._tokens: list[Token] = []
        self._used = 0
        self._literal: int | None = None  # octets of the literal that comes next
        self._spaced = True  # a token may begin here
        self._wrong: Malformed | None = None

    @property
    def held(self) -> int:
        """Octets that were fed and not given out."""
        return len(self._buffer) + sum(map(len, self._tokens))

    def feed(self, block: bytes | bytearray | memoryview) -> None:
        self._buffer += block

    def clear(self) -> None:
        """Forget everything that was fed and not taken: what came before TLS must not be acted on after it."""
        self._buffer.clear()
        self._searched = 0
        self._begin()

    def next(self) -> Line | Malformed | None:
        """The next line, the next mistake, or None when more octets are needed."""
        while self._used + (self._literal or 0) <= self.budget + self.patience:
            if self._literal is not None:
                if not self._take_literal():
                    return None
                continue
            segment = self._take_segment()
            if segment is None and self._used <= self.budget + self.patience:
                return None
            if segment is not None and self._read_segment(segment):
                found = self._wrong or tuple(self._tokens)
                self._begin()
                return found
        before = self._wrong.tokens if self._wrong else tuple(self._tokens)
        return Malformed("the command is much too long", before, too_large=True, fatal=True)

    # --- literals ----------------------------------------------------------------------------------------------

    def _take_literal(self) -> bool:
        """Take the literal under way off the buffer; False when more octets are needed."""
        wanted = self._literal or 0
        if self._wrong is None and self._used + wanted > self.budget:
            self._fail("the command is too long", too_large=True)
        if self._wrong is not None:
            there = min(wanted, len(self._buffer))
            self._drop(there)
            self._literal = wanted - there or None
            return not wanted - there
        if len(self._buffer) < wanted:
            return False
        self._tokens.append(bytes(memoryview(self._buffer)[:wanted]))
        self._drop(wanted)
        self._literal, self._spaced = None, False
        return True

    # --- the parts of a line between literals --------------------------------------------------------------------

    def _take_segment(self) -> bytes | None:
        """The octets up to the next LF, without the line end; None when it has not come yet."""
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            if self._used + self._searched > self.budget:
                self._too_long()
                self._drop(max(self._searched - _TAIL, 0))
            return None
        if self._used + end > self.budget:
            self._too_long()
        segment = bytes(memoryview(self._buffer)[:end])
        self._drop(end + 1)
        return segment.removesuffix(b"\r")

    def _read_segment(self, segment: bytes) -> bool:
        """Tokens of one segment; True when the line ends with it, False when a literal follows."""
        at = 0
        while self._wrong is None and at < len(segment):
            if segment[at] == 0x20:
                self._spaced, at = True, at + 1
                continue
            token = _TOKEN.match(segment, at) if self._spaced else None
            if token is None:
                self._fail(_mistake(segment, at, spaced=self._spaced))
                if segment[at] == 0x22 and not _CLOSED.match(segment, at):  # in a string without end, braces are text
                    return True
                break
            at, self._spaced = token.end(), False
            self._take_token(token)
        if self._literal is None and self._wrong is not None and (literal := _LITERAL_AT_END.search(segment)):
            self._expect_literal(literal[1])
        return self._literal is None

    def _take_token(self, token: re.Match[bytes]) -> None:
        if len(self._tokens) >= _MOST_TOKENS:
            self._fail("the command has too many arguments")
        elif token["atom"] is not None:
            self._tokens.append(token["atom"].decode("ascii"))
        elif token["quoted"] is not None:
            self._tokens.append(_ESCAPE.sub(rb"\1", token["quoted"][1:-1]))
        else:
            self._expect_literal(token["literal"])

    def _expect_literal(self, digits: bytes) -> None:
        self._literal = int(digits) if len(digits) <= 10 else MAX_NUMBER + 1

    def _too_long(self) -> None:
        """Of a line that is not read to its end, the command is known all the same."""
        if not self._tokens and (name := _NAME.match(self._buffer)):
            self._tokens.append(name[0].decode("ascii"))
        self._fail("the command is too long", too_large=True)

    def _fail(self, reason: str, *, too_large: bool = False) -> None:
        if self._wrong is None:
            self._wrong = Malformed(reason, tuple(self._tokens), too_large)
            self._tokens = []

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._used += count
        self._searched = 0


def _mistake(segment: bytes, at: int, *, spaced: bool) -> str:
    if not spaced:
        return "a space is missing between arguments"
    if segment[at] == 0x22:
        return "a quoted string is not closed, or holds a backslash that escapes nothing"
    return "there is an octet that no argument begins with"


def number(token: Token) -> int | None:
    """An atom as a number without leading zeros, else None. RFC 5804 §4 gives it 32 bits; larger ones are all alike."""
    if not isinstance(token, str) or not re.fullmatch("0|[1-9][0-9]*", token):
        return None
    return min(int(token[:11]), MAX_NUMBER + 1)
