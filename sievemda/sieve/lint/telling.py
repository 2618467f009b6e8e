"""Making a warning, and going through commands and tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from sievemda.sieve.base.control import Chain
from sievemda.sieve.node import Block, Command, Node, Test
from sievemda.sieve.problems import Problem
from sievemda.sieve.text import Text, Texts


class Placed(Protocol):
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def warning(where: Placed, code: str, text: str, hint: str = "") -> Problem:
    return Problem(where.line, where.column, text, "warning", code=code, hint=hint)


def blocks(command: Command) -> Iterator[tuple[Command, ...]]:
    """The blocks of a command."""
    if isinstance(command, Chain):
        yield from (link[1] for link in command.links)
        return
    for field in command.node_fields:
        value = getattr(command, field)
        if isinstance(value, Block):
            yield value.commands


def every(commands: tuple[Command, ...]) -> Iterator[Command]:
    """All commands, those in blocks too, in the order of the script."""
    for command in commands:
        yield command
        for block in blocks(command):
            yield from every(block)


def tests_of(command: Command) -> Iterator[Test]:
    """The tests right under a command."""
    if isinstance(command, Chain):
        yield from (link[0] for link in command.links if link[0] is not None)
    else:
        yield from under(command)


def under(node: Node) -> Iterator[Test]:
    """The tests right under a command or test."""
    for field in node.node_fields:
        value = getattr(node, field)
        if isinstance(value, Test):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Test))


def deep(test: Test) -> Iterator[Test]:
    """A test and all under it."""
    yield test
    for inner in under(test):
        yield from deep(inner)


def meaning(value: Any) -> Any:
    """What a node says, without where it says it: equal for nodes that do the same."""
    if isinstance(value, Text):
        return value.source if value.constant else (value.source, "expanded")
    if isinstance(value, Texts):
        return tuple(meaning(item) for item in value)
    if isinstance(value, Node):
        fields = (getattr(value, field) for field in value.node_fields if field not in {"line", "column"})
        return (type(value).__name__, *map(meaning, fields))
    if isinstance(value, Block):
        return meaning(value.commands)
    if isinstance(value, tuple):
        return tuple(map(meaning, value))
    return repr(value) if not isinstance(value, str | int | bool | None) else value
