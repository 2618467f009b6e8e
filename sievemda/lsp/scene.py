"""What stands around a place of a script, whether the script is right or wrong.

The words of the text are read one after the other; a stack says which blocks, commands, tests and lists are open. It
is kept as it was before the word at the cursor, so a script that is half written is as good as a whole one. Nothing
recurses, and a text is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sievemda.sieve.scanner import Lexeme

STRINGS = ("QUOTED_STRING", "MULTI_LINE")
WORDS = ("IDENTIFIER", "TAG", "NUMBER", "COLON")


@dataclass(frozen=True, slots=True)
class Given:
    """One argument: a tag, a number, a string, or a list of strings, with the words it is made of."""

    kind: Literal["tag", "number", "string", "strings"]
    words: tuple[Lexeme, ...]

    @property
    def name(self) -> str:
        """Of a tag, in lower case."""
        return self.words[0].text[1:].lower()


@dataclass(slots=True)
class Frame:
    """A construct that is open: a block of commands, a call (command or test), a list of strings or of tests."""

    kind: Literal["block", "call", "strings", "tests"]
    at: int = 0  # where its first word begins
    name: str = ""  # of a call
    test: bool = False  # a call that stands where a test does
    listed: bool = False  # it lies in a list of tests that no block inside it hides
    given: list[Given] = field(default_factory=list)  # of a call
    items: list[Lexeme] = field(default_factory=list)  # of a list of strings
    inner: int = 0  # tests that a call has, or commands that a block has
    previous: str = ""  # the last command of a block that is complete
    owner: Frame | None = None  # the command that a block belongs to
    end: int = 0  # behind the word that ended it


Stack = tuple[Frame, ...]


class Reader:
    """Reads words; `stack` is what is open, the outermost block first, and `closed` the calls and blocks that ended.

    Each word costs a constant and what it closes, however deep a script is nested.
    """

    def __init__(self) -> None:
        self.stack: list[Frame] = [Frame("block")]
        self.closed: list[Frame] = []
        self._acts: dict[str, Callable[[Lexeme], None]] = {
            "IDENTIFIER": self._open_call,
            **dict.fromkeys(("TAG", "NUMBER", *STRINGS), self._argument),
            "LSQB": self._open_strings,
            "RSQB": self._close_strings,
            "LPAR": self._open_tests,
            "COMMA": self._end_test,
            "RPAR": self._close_tests,
            **dict.fromkeys(("SEMICOLON", "LBRACE", "RBRACE"), self._end_command),
        }

    def feed(self, word: Lexeme) -> None:
        if act := self._acts.get(word.kind):
            act(word)

    def _open_strings(self, word: Lexeme) -> None:
        if self.stack[-1].kind == "call":
            self._open("strings", word)

    def _open_tests(self, word: Lexeme) -> None:
        self._open("tests", word)

    def _end_test(self, word: Lexeme) -> None:
        while self.stack[-1].kind == "call" and self.stack[-1].listed:
            self._pop(word)

    def _open(self, kind: Literal["call", "strings", "tests"], word: Lexeme) -> Frame:
        top = self.stack[-1]
        listed = top.kind == "tests" or (top.listed and top.kind != "block")
        frame = Frame(kind, word.offset, listed=listed)
        self.stack.append(frame)
        return frame

    def _pop(self, word: Lexeme) -> Frame:
        ended = self.stack.pop()
        ended.end = word.offset + len(word.text)
        if ended.kind in {"call", "block"}:
            self.closed.append(ended)
        return ended

    def _open_call(self, word: Lexeme) -> None:
        if self.stack[-1].kind == "strings":
            self._pop(word)  # a list that was never closed
        around = self.stack[-1]
        around.inner += 1
        call = self._open("call", word)
        call.name, call.test = word.text.lower(), around.kind != "block"

    def _argument(self, word: Lexeme) -> None:
        top = self.stack[-1]
        if top.kind == "strings" and word.kind in STRINGS:
            top.items.append(word)
        elif top.kind == "call":
            top.given.append(Given(_GIVEN[word.kind], (word,)))

    def _close_strings(self, word: Lexeme) -> None:
        if self.stack[-1].kind == "strings":
            items = self._pop(word).items
            self.stack[-1].given.append(Given("strings", tuple(items)))

    def _close_tests(self, word: Lexeme) -> None:
        if not (self.stack[-1].listed or self.stack[-1].kind == "tests"):
            return
        while self._pop(word).kind != "tests":
            pass

    def _end_command(self, word: Lexeme) -> None:
        ended: Frame | None = None
        while self.stack[-1].kind != "block":
            ended = self._pop(word)
        if ended:
            self.stack[-1].previous = ended.name
        if word.kind == "LBRACE":
            self.stack.append(Frame("block", word.offset, owner=ended))
        elif word.kind == "RBRACE" and len(self.stack) > 1:
            self._pop(word)


_GIVEN: dict[str, Literal["tag", "number", "string"]] = {
    "TAG": "tag",
    "NUMBER": "number",
    "QUOTED_STRING": "string",
    "MULTI_LINE": "string",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """`stack` is what is open before `word`, the word that the place is in or at the end of, if there is one.

    `inside` is true when the place is within a string; `comment` when it is within a comment.
    """

    stack: Stack
    word: Lexeme | None = None
    inside: bool = False
    comment: bool = False

    @property
    def call(self) -> Frame | None:
        """The innermost command or test that is open here."""
        for frame in reversed(self.stack):
            if frame.kind == "call":
                return frame
            if frame.kind in {"block", "tests"}:
                return None
        return None


def scene(words: Sequence[Lexeme], offset: int, length: int) -> Scene:
    """What stands around an offset. `words` are those of the text with its comments, `length` is that of the text."""
    reader = Reader()
    for word in words:
        end = length if word.kind == "BROKEN" else word.offset + len(word.text)
        if word.offset >= offset:
            break
        if word.kind == "COMMENT":
            if end > offset or (end == offset and word.text.startswith("#")):
                return Scene(tuple(reader.stack), None, comment=True)
        elif word.kind == "BROKEN":
            comment = word.text.startswith("/*")
            return Scene(tuple(reader.stack), word, inside=not comment, comment=comment)
        elif end > offset or (end == offset and word.kind in WORDS):
            return Scene(tuple(reader.stack), word, inside=word.kind in STRINGS)
        else:
            reader.feed(word)
    return Scene(tuple(reader.stack))


def closed(words: Iterable[Lexeme]) -> tuple[Frame, ...]:
    """Every call and block of a text, in the order in which they end; what never ends is taken to end with the text."""
    reader = Reader()
    last: Lexeme | None = None
    for word in words:
        if word.kind not in {"COMMENT", "BROKEN"}:
            reader.feed(word)
        last = word
    if last is None:
        return ()
    reader.feed(Lexeme("SEMICOLON", "", last.offset + len(last.text)))
    return tuple(reader.closed)
