"""The rules of a script, as people speak of them: one for each branch of an if, with what to call it.

A rule is told by the comment right above it, when there is one: webmail clients write `# rule:[Invoices]` or
`## Filter: Invoices`, people write a sentence. Without a comment it is called by its test, on one line.

Why from the text and not from the program: a program has no comments, and a rule under a condition that is known to be
false is in the text alone. `Outcome.entered` has the same lines and columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sievemda.sieve.limits import Limits
from sievemda.sieve.literals import number_text
from sievemda.sieve.parse import parse
from sievemda.sieve.tree import Argument, Call, Num, Str, Strings, Tag

BRANCHES = ("if", "elsif", "else")
_COMMENT = re.compile(r"[ \t]*#+[ \t]*(?P<text>[^\r\n]*)")
_NAMED = re.compile(r"(?:rule|filter)[ \t]*:[ \t]*(?:\[(?P<boxed>.*)\]|(?P<plain>.*))[ \t]*", re.IGNORECASE)
_WIDTH = 120  # characters of a title


@dataclass(frozen=True, slots=True)
class Rule:
    """One branch: where its word (`if`, `elsif`, `else`) stands, how deep it lies in others, and what it is called.

    `name` is empty when no comment gives one; `title` is the branch up to its block, on one line.
    """

    line: int
    column: int
    depth: int
    name: str
    title: str

    @property
    def called(self) -> str:
        """The name, or else the title."""
        return self.name or self.title


def rules(text: bytes | str, limits: Limits) -> tuple[Rule, ...]:
    """All rules of a script, in the order of its text. Raises `ScriptError` when it does not parse."""
    source = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    return tuple(rules_of(parse(text, limits), source))


def rules_of(calls: Sequence[Call], source: str) -> Iterator[Rule]:
    """The rules of commands that were read from this source."""
    lines = source.split("\n")
    waiting = [(call, 0) for call in reversed(calls)]
    while waiting:
        call, depth = waiting.pop()
        if call.name in BRANCHES:
            yield Rule(call.line, call.column, depth, name_above(lines, call.line), one_line(call))
        inner = depth + (call.name in BRANCHES)
        waiting.extend((command, inner) for command in reversed(call.block or ()))


def name_above(lines: Sequence[str], line: int) -> str:
    """What the comment lines right above a line call the rule; a marker of a client counts more than a sentence.

    What stands above a line that ends a block (`} else {`) is in that block, and about something else.
    """
    first = ""
    if lines[line - 1].lstrip().startswith("}"):
        return first
    for above in range(line - 2, -1, -1):
        comment = _COMMENT.fullmatch(lines[above].rstrip("\r"))
        if comment is None:
            break
        text = comment["text"].strip()
        if marked := _NAMED.fullmatch(text):
            return (marked["boxed"] or marked["plain"] or "").strip()[:_WIDTH]
        first = first or text
    return first[:_WIDTH]


def one_line(call: Call, width: int = _WIDTH) -> str:
    """A command up to its block, or a test, on one line of at most `width` characters."""
    text = "".join(_pieces(call, width))
    return text if len(text) <= width else text[: width - 1] + "…"


def _pieces(call: Call, width: int) -> Iterator[str]:
    """The words of a call; ends soon after `width` characters, so that a deep or long one costs no more."""
    waiting: list[str | Call | Argument] = [call]
    told = 0
    while waiting and told <= width:
        item = waiting.pop()
        if isinstance(item, Call):
            parts: list[str | Call | Argument] = [item.name]
            for argument in item.arguments:
                parts += [" ", argument]
            for number, test in enumerate(item.tests):
                parts += [", " if number else " (" if item.listed else " ", test]
            waiting.extend(reversed([*parts, ")"] if item.listed else parts))
        elif isinstance(item, Strings):
            waiting.extend(reversed(["[", *_separated(item.items), "]"]))
        else:
            piece = item if isinstance(item, str) else _plain(item, width)
            told += len(piece)
            yield piece


def _separated(items: Sequence[Str]) -> Iterator[str | Str]:
    for number, item in enumerate(items):
        if number:
            yield ", "
        yield item


def _plain(item: Str | Num | Tag, width: int) -> str:
    if isinstance(item, Num):
        return number_text(item.value)
    if isinstance(item, Tag):
        return f":{item.name}"
    text = item.value[: width + 1].replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in text) + '"'
