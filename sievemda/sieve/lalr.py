"""The LALR parser: the only module that knows Lark. It is imported when the first script is compiled (60 ms).

Why the tree is built by callbacks and not from Lark's own trees: half the time, and no recursion, so that a script
nested ten thousand deep is a fault of the script and not a stack overflow of ours. Positions come with the tokens, so
`propagate_positions` has nothing to add. Why words are cut by `Words` and not by Lark: one match for each with the
pattern that `Scanner` has anyway, and marks such as `;`, which no callback sees, made once; half the time again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from lark import Lark, Token, Transformer
from lark.exceptions import LexError, UnexpectedInput
from lark.lexer import Lexer

from sievemda.sieve.literals import number_value, string_value
from sievemda.sieve.scanner import Scanner
from sievemda.sieve.tree import Argument, Call, Num, Str, Strings, Tag

if TYPE_CHECKING:
    from lark.common import LexerConf
    from lark.lexer import TerminalDef

_Arguments = tuple[tuple[Argument, ...], tuple[Call, ...], bool]


class Word(Token):
    """A token with its place, which is all that is asked of it."""

    __slots__ = ()
    line: int
    column: int
    start_pos = end_line = end_column = end_pos = None

    def __new__(cls, kind: str, value: str, line: int, column: int) -> Self:
        word = str.__new__(cls, value)
        word.type, word.value, word.line, word.column = kind, value, line, column
        return word


class Words(Lexer):
    """Cuts a text into words. Raises `LexError` where none begins."""

    def __init__(self, conf: LexerConf) -> None:
        self._scanner = _scanner(conf.terminals, conf.ignore)
        self._marks = {t.name: Word(t.name, t.pattern.value, 1, 1) for t in conf.terminals if t.pattern.type == "str"}

    def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # Lark's interface for those of others
        match, marks, ignored = self._scanner.match, self._marks, self._scanner.ignored
        line, start, at, end = 1, 0, 0, len(text)  # `start` is where the line begins
        while at < end:
            found = match(text, at)
            if found is None:
                raise LexError(f"no word begins at {at}")
            kind, after = found.lastgroup or "", found.end()
            if kind in marks:
                yield marks[kind]
            else:
                if kind not in ignored:
                    yield Word(kind, found[0], line, at - start + 1)
                lines = text.count("\n", at, after)
                if lines:
                    line, start = line + lines, text.rindex("\n", at, after) + 1
            at = after


class Builder(Transformer):  # type: ignore[type-arg]
    """Called bottom-up while Lark parses, with what is below; one method for each rule of the grammar."""

    def start(self, found: list[tuple[Call, ...]]) -> tuple[Call, ...]:
        return found[0]

    def commands(self, found: list[Call]) -> tuple[Call, ...]:
        return tuple(found)

    block = start

    def command(self, found: list[Any]) -> Call:
        name, (arguments, tests, listed) = found[0], found[1]
        return Call(
            name.lower(), arguments, tests, listed, found[2] if len(found) > 2 else None, name.line, name.column
        )

    test = command

    def test_list(self, found: list[Call]) -> tuple[Call, ...]:
        return tuple(found)

    def arguments(self, found: list[Any]) -> _Arguments:
        last = found[-1] if found else None
        if isinstance(last, Call):
            return tuple(found[:-1]), (last,), False
        if isinstance(last, tuple):
            return tuple(found[:-1]), last, True
        return tuple(found), (), False

    def string_list(self, found: list[Str]) -> Strings:
        return Strings(tuple(found), found[0].line, found[0].column)

    def string(self, found: list[Word]) -> Str:
        (token,) = found
        return Str(string_value(token), token.line, token.column)

    def NUMBER(self, token: Word) -> Num:  # noqa: N802 - the name of a terminal
        return Num(number_value(token), token.line, token.column)

    def TAG(self, token: Word) -> Tag:  # noqa: N802
        return Tag(token[1:].lower(), token.line, token.column)


def read(text: str) -> tuple[Call, ...] | None:
    """The commands of a text that follows the grammar, else `None`."""
    try:
        return cast("tuple[Call, ...]", parser().parse(text))
    except (LexError, UnexpectedInput):
        return None


@lru_cache(maxsize=1)
def parser() -> Lark:
    return Lark(grammar(), parser="lalr", lexer=Words, transformer=Builder())


@lru_cache(maxsize=1)
def scanner() -> Scanner:
    """The same terminals once more, for reading on after a fault; the most particular ones first."""
    return _scanner(parser().terminals, parser().ignore_tokens)


def _scanner(terminals: Iterable[TerminalDef], ignored: Iterable[str]) -> Scanner:
    order = sorted(terminals, key=lambda terminal: -terminal.priority)
    return Scanner([(t.name, t.pattern.to_regexp()) for t in order], frozenset(ignored))


def grammar() -> str:
    """The text of the grammar: inside the installed package, or `grammar/` of the source tree."""
    packaged = resources.files("sievemda").joinpath("grammar", "sieve.lark")
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return Path(__file__).parents[2].joinpath("grammar", "sieve.lark").read_text("utf-8")
