"""A filter of maildrop as statements and expressions. maildropfilter(7), "Statements", "Expressions"."""

from __future__ import annotations

from dataclasses import dataclass, field

from sievemda.upkeep.conversion.maildrop_tokens import Bad, Token, tokens

_NESTING = 25  # blocks and parentheses in each other
# From the loosest to the tightest; comparisons do not associate.
_LEVELS = (
    ("||",),
    ("&&",),
    ("<", "<=", ">", ">=", "==", "!=", "lt", "le", "gt", "ge", "eq", "ne"),
    ("|",),
    ("&",),
    ("+", "-"),
    ("*", "/"),
    ("=~",),
)
_WITH_BLOCK = {"flock", "dotlock"}
_COMMANDS = {"to", "cc", "xfilter", "system", "log", "logfile", "echo", "include", "import"}


@dataclass(frozen=True, slots=True)
class Text:
    """Texts that stand behind each other are one."""

    parts: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    token: Token


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Expression
    right: Expression


Expression = Text | Pattern | Call | Unary | Binary


@dataclass(slots=True)
class Statement:
    """`word` is its keyword, `set` for an assignment to `name`, `value` for an expression alone.

    Branches are those of `if`: a test, and its block.
    """

    word: str
    line: int
    last: int
    name: str = ""
    value: Expression | None = None
    block: list[Statement] = field(default_factory=list)
    branches: list[tuple[Expression | None, list[Statement], int]] = field(default_factory=list)


def read_maildrop(source: str) -> list[Statement]:
    """Raises `Bad`."""
    return _Parser(tokens(source)).statements(closing=False)


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    # -- tokens --------------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> Token:
        return self._tokens[min(self._at, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._now
        self._at += 1
        return token

    def _is(self, *texts: str) -> bool:
        return self._now.kind in {"sign", "word"} and self._now.text in texts

    def _expect(self, text: str) -> Token:
        if not self._is(text):
            raise Bad(self._now.line, f"'{text}' is missing")
        return self._take()

    def _skip_ends(self) -> None:
        while self._at < len(self._tokens) and (self._now.kind == "end" or self._is(";")):
            self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _NESTING:
            raise Bad(self._now.line, f"more than {_NESTING} blocks or parentheses stand in each other")

    # -- statements ----------------------------------------------------------------------------------------------------

    def statements(self, *, closing: bool) -> list[Statement]:
        found: list[Statement] = []
        while True:
            self._skip_ends()
            if self._at >= len(self._tokens):
                if closing:
                    raise Bad(self._now.line, "'}' is missing")
                return found
            if self._is("}"):
                if not closing:
                    raise Bad(self._now.line, "'}' closes nothing")
                self._take()
                return found
            found.append(self._statement())

    def _statement(self) -> Statement:
        first = self._take()
        if first.kind == "sign" and first.text == "{":
            return Statement("block", first.line, first.line, block=self._block_behind_brace())
        if self._is("=") and first.kind in {"word", "text", "raw"}:
            self._take()
            return self._ended(Statement("set", first.line, first.line, first.text, self._expression()))
        if first.kind != "word":
            return self._bare(first)
        match first.text:
            case "if":
                return self._if(first)
            case "exit":
                return self._ended(Statement("exit", first.line, first.line))
            case "exception":
                return Statement("exception", first.line, first.line, block=self._block())
            case "foreach" | "while":
                value = self._expression()
                return Statement(first.text, first.line, self._now.line, value=value, block=self._block())
        if first.text in _WITH_BLOCK:
            value = self._expression()
            return Statement(first.text, first.line, first.line, value=value, block=self._block())
        if first.text in _COMMANDS:
            return self._ended(Statement(first.text, first.line, first.line, value=self._expression()))
        return self._bare(first)

    def _bare(self, first: Token) -> Statement:
        """An expression that is a statement by itself, as a program that is run between backquotes."""
        self._at -= 1
        return self._ended(Statement("value", first.line, first.line, value=self._expression()))

    def _ended(self, statement: Statement) -> Statement:
        if not (self._now.kind == "end" or self._is(";", "}")):
            raise Bad(self._now.line, f"'{self._now.text[:40]}' does not belong here")
        statement.last = self._now.line
        return statement

    def _block(self) -> list[Statement]:
        """In braces, or one statement alone."""
        self._skip_ends()
        if self._is("{"):
            self._take()
            return self._block_behind_brace()
        self._deeper()
        found = [self._statement()]
        self._depth -= 1
        return found

    def _block_behind_brace(self) -> list[Statement]:
        self._deeper()
        found = self.statements(closing=True)
        self._depth -= 1
        return found

    def _if(self, first: Token) -> Statement:
        statement = Statement("if", first.line, first.line)
        line = first.line
        while True:
            self._expect("(")
            test = self._expression()
            self._expect(")")
            statement.branches.append((test, self._block(), line))
            before = self._at
            self._skip_ends()
            line = self._now.line
            if self._is("elsif"):
                self._take()
                continue
            if self._is("else"):
                self._take()
                statement.branches.append((None, self._block(), line))
                return statement
            self._at = before
            return statement

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._expression(level + 1)
        while self._is(*_LEVELS[level]):
            sign = self._take().text
            left = Binary(sign, left, self._expression(level + 1))
            if level == 2:
                break
        return left

    def _unary(self) -> Expression:
        if self._is("!", "~"):
            self._deeper()
            found = Unary(self._take().text, self._unary())
            self._depth -= 1
            return found
        return self._value()

    def _value(self) -> Expression:
        token = self._now
        if self._is("("):
            self._deeper()
            self._take()
            inner = self._expression()
            self._expect(")")
            self._depth -= 1
            return inner
        if token.kind == "pattern":
            return Pattern(self._take())
        if token.kind == "sign" and token.text == "-" and self._tokens[self._at + 1].kind == "word":
            self._take()
            number = self._take()
            return Text((Token("raw", f"-{number.text}", number.line),))
        if token.kind == "word" and self._next_is("("):
            return self._call()
        parts: list[Token] = []
        while self._now.kind in {"word", "text", "raw", "command"} and not (
            parts and self._now.kind == "word" and self._now.text in _LEVELS[2]
        ):
            parts.append(self._take())
        if not parts:
            raise Bad(token.line, "a value is missing")
        return Text(tuple(parts))

    def _next_is(self, text: str) -> bool:
        follow = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        return follow.kind == "sign" and follow.text == text

    def _call(self) -> Expression:
        name = self._take().text
        self._take()
        self._deeper()
        arguments: list[Expression] = []
        while not self._is(")"):
            arguments.append(self._expression())
            if not self._is(","):
                break
            self._take()
        self._expect(")")
        self._depth -= 1
        return Call(name, tuple(arguments))
