"""The Sieve that is written: tests, commands, and their text with the `require` that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sievemda.upkeep.conversion.report import Impossible, printable

_WIDTH = 100
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Check:
    """A test as it is written."""

    text: str
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """A test whose result is certain."""

    holds: bool


@dataclass(frozen=True, slots=True)
class Not:
    test: Test


@dataclass(frozen=True, slots=True)
class Several:
    """`allof` or `anyof`."""

    word: str
    tests: tuple[Test, ...]


Test = Check | Known | Not | Several
TRUE, FALSE = Known(True), Known(False)


def all_of(tests: Iterable[Test]) -> Test:
    return _several("allof", tests, FALSE, TRUE)


def any_of(tests: Iterable[Test]) -> Test:
    return _several("anyof", tests, TRUE, FALSE)


def _several(word: str, tests: Iterable[Test], decides: Known, empty: Known) -> Test:
    flat: list[Test] = []
    for test in tests:
        if test == decides:
            return decides
        parts = test.tests if isinstance(test, Several) and test.word == word else (test,)
        flat += [part for part in parts if part != empty and part not in flat]
    return empty if not flat else flat[0] if len(flat) == 1 else Several(word, tuple(flat))


def negated(test: Test) -> Test:
    match test:
        case Known(holds):
            return Known(not holds)
        case Not(inner):
            return inner
    return Not(test)


@dataclass(frozen=True, slots=True)
class Do:
    """A command as it is written, with its semicolon."""

    text: str
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Remark:
    lines: tuple[str, ...]


@dataclass(slots=True)
class If:
    """`otherwise` becomes `elsif` when it is one If alone, `remark` stands above it."""

    test: Test
    body: list[Command]
    otherwise: list[Command] = field(default_factory=list)


Command = Do | Remark | If
STOP = Do("stop;")
KEEP = Do("keep;")
DISCARD = Do("discard;")


def do(text: str, *requires: str) -> Do:
    return Do(text, frozenset(requires))


def when(test: Test, body: Sequence[Command]) -> list[Command]:
    """The body under a test; without it when the test says nothing."""
    if isinstance(test, Known):
        return list(body) if test.holds else []
    return [If(test, list(body))]


# -- text ------------------------------------------------------------------------------------------------------------


def quote(text: str) -> str:
    """A string literal for what is meant literally. Raises `Impossible`."""
    if "${" in text:
        raise Impossible("'${' in a text means a variable in Sieve")
    return quote_open(text)


def quote_open(text: str) -> str:
    """A string literal in which `${name}` stands for a variable. Raises `Impossible`."""
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Impossible("a text has octets that no Sieve script may have")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_list(texts: Sequence[str]) -> str:
    quoted = [quote_open(text) for text in texts]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def test_text(test: Test) -> str:
    """On one line."""
    match test:
        case Check(text):
            return text
        case Known(holds):
            return "true" if holds else "false"
        case Not(inner):
            return f"not {test_text(inner)}"
        case Several(word, tests):
            return f"{word}({', '.join(map(test_text, tests))})"


def _test_lines(test: Test, indent: str) -> Iterator[str]:
    """Broken where it is too long for one line; the first line is not indented."""
    one, sign = test_text(test), ""
    if isinstance(test, Not):
        test, sign = test.test, "not "
    if len(indent) + len(one) <= _WIDTH or not isinstance(test, Several):
        yield one
        return
    yield f"{sign}{test.word}("
    for number, part in enumerate(test.tests, 1):
        lines = list(_test_lines(part, indent + _INDENT))
        lines[-1] += "," if number < len(test.tests) else ""
        yield f"{indent}{_INDENT}{lines[0]}"
        yield from lines[1:]
    yield f"{indent})"


def command_lines(commands: Sequence[Command], indent: str = "") -> Iterator[str]:
    for command in commands:
        match command:
            case Do(text):
                yield f"{indent}{text}"
            case Remark(lines):
                yield from (f"{indent}# {line}".rstrip() for line in lines)
            case If():
                yield from _if_lines(command, indent)


def _if_lines(command: If, indent: str) -> Iterator[str]:
    word = "if"
    while True:
        first, *more = _test_lines(command.test, indent)
        yield from _with_brace([f"{indent}{word} {first}", *more])
        yield from command_lines(command.body, indent + _INDENT)
        yield f"{indent}}}"
        rest = command.otherwise
        chained = [one for one in rest if isinstance(one, If)]
        if len(chained) != 1 or any(isinstance(one, Do) for one in rest):
            break
        yield from command_lines([one for one in rest if isinstance(one, Remark)], indent)
        if chained[0].test == TRUE:
            rest = chained[0].body
            break
        command, word = chained[0], "elsif"
    if rest:
        yield f"{indent}else {{"
        yield from command_lines(rest, indent + _INDENT)
        yield f"{indent}}}"


def _with_brace(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]} {{"]


def requirements(commands: Sequence[Command]) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for command in commands:
        if isinstance(command, Do):
            found |= command.requires
        elif isinstance(command, If):
            found |= _of_test(command.test) | requirements(command.body) | requirements(command.otherwise)
    return found


def _of_test(test: Test) -> frozenset[str]:
    match test:
        case Check(_, requires):
            return requires
        case Not(inner):
            return _of_test(inner)
        case Several(_, tests):
            return frozenset().union(*map(_of_test, tests))
    return frozenset()


def script_text(commands: Sequence[Command], heading: Sequence[str] = ()) -> str:
    """A whole script; an empty line between its rules."""
    lines = [f"# {printable(line)}".rstrip() for line in heading]
    if requires := sorted(requirements(commands)):
        lines.append(f"require {quote_list(requires)};" if len(requires) > 1 else f'require "{requires[0]}";')
    before: Command | None = None
    for command in commands:
        if not isinstance(before, Remark):
            lines.append("")
        lines += command_lines([command])
        before = command
    return "\n".join(lines).lstrip("\n") + "\n"
