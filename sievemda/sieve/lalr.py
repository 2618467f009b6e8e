"""The LALR parser: the only module that knows Lark. It is imported when the first script is compiled (60 ms).

Why the tree is built by Lark's inlined callbacks and not from Lark's own trees: half the time, and no recursion, so
that a script nested ten thousand deep is a fault of the script and not a stack overflow of ours. Positions come with
the tokens, hence `propagate_positions` has nothing to add.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from sievemda.sieve.literals import number_value, string_value
from sievemda.sieve.scanner import Scanner
from sievemda.sieve.tree import Argument, Call, Num, Str, Strings, Tag

_Arguments = tuple[tuple[Argument, ...], tuple[Call, ...], bool]


@v_args(inline=True)
class Builder(Transformer):  # type: ignore[type-arg]
    """Called bottom-up while Lark parses; one method for each rule of the grammar."""

    def start(self, commands: tuple[Call, ...]) -> tuple[Call, ...]:
        return commands

    def commands(self, *commands: Call) -> tuple[Call, ...]:
        return commands

    def block(self, commands: tuple[Call, ...]) -> tuple[Call, ...]:
        return commands

    def command(self, name: Token, arguments: _Arguments, block: tuple[Call, ...] | None = None) -> Call:
        return _call(name, arguments, block)

    def test(self, name: Token, arguments: _Arguments) -> Call:
        return _call(name, arguments, None)

    def test_list(self, *tests: Call) -> tuple[Call, ...]:
        return tests

    def arguments(self, *parts: Argument | Call | tuple[Call, ...]) -> _Arguments:
        last = parts[-1] if parts else None
        if isinstance(last, Call):
            return cast("tuple[Argument, ...]", parts[:-1]), (last,), False
        if isinstance(last, tuple):
            return cast("tuple[Argument, ...]", parts[:-1]), last, True
        return cast("tuple[Argument, ...]", parts), (), False

    def string_list(self, *items: Str) -> Strings:
        return Strings(items, items[0].line, items[0].column)

    def string(self, token: Token) -> Str:
        return Str(string_value(token), token.line or 1, token.column or 1)

    def NUMBER(self, token: Token) -> Num:  # noqa: N802 - the name of a terminal
        return Num(number_value(token), token.line or 1, token.column or 1)

    def TAG(self, token: Token) -> Tag:  # noqa: N802
        return Tag(token[1:].lower(), token.line or 1, token.column or 1)


def _call(name: Token, arguments: _Arguments, block: tuple[Call, ...] | None) -> Call:
    return Call(name.lower(), *arguments, block, name.line or 1, name.column or 1)


def read(text: str) -> tuple[Call, ...] | None:
    """The commands of a text that follows the grammar, else `None`."""
    try:
        return cast("tuple[Call, ...]", parser().parse(text))
    except UnexpectedInput:
        return None


@lru_cache(maxsize=1)
def parser() -> Lark:
    return Lark(grammar(), parser="lalr", lexer="basic", transformer=Builder())


@lru_cache(maxsize=1)
def scanner() -> Scanner:
    """The same terminals once more, for reading on after a fault; the most particular ones first."""
    terminals = sorted(parser().terminals, key=lambda terminal: -terminal.priority)
    return Scanner([(t.name, t.pattern.to_regexp()) for t in terminals], frozenset(parser().ignore_tokens))


def grammar() -> str:
    """The text of the grammar: inside the installed package, or `grammar/` of the source tree."""
    packaged = resources.files("sievemda").joinpath("grammar", "sieve.lark")
    if packaged.is_file():
        return packaged.read_text("utf-8")
    return Path(__file__).parents[2].joinpath("grammar", "sieve.lark").read_text("utf-8")
