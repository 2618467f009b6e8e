"""foreverypart, break: a block for every part of the message. RFC 5703 §3.

The first part is the message itself, with its own header; what is in it follows, depth first, the message inside a
message/rfc822 part too. A loop inside a loop goes through what is below the part of the outer one, and a part without
parts has no turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NoReturn

from sievemda.sieve.loops import Loop, loop
from sievemda.sieve.node import Block, Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension


class _Break(Exception):
    """The loop is to end."""

    def __init__(self, ended: Loop) -> None:
        super().__init__()
        self.ended = ended


@node
class ForEveryPart(Command):
    """foreverypart [":name" string] block, §3."""

    keyword = "foreverypart"
    name: Text | None = None
    block: Block

    def problems(self, context: Context) -> Iterator[Fault]:
        most = context.limits.loops
        if sum(isinstance(command, ForEveryPart) for command in context.enclosing) >= most:
            yield f"too many foreverypart loops inside each other: the limit is {most}"
        yield from constant(self.name)

    def execute(self, run: Run) -> None:
        with closing(loop(run, self.name.source if self.name else "", self.line)) as turns:
            for turn in turns:
                try:
                    run.block(self.block.commands)
                except _Break as gone:
                    if gone.ended is not turn:
                        raise
                    return


@node
class Break(Command):
    """break [":name" string], §3: "It is an error if there is no enclosing loop with that name"."""

    keyword = "break"
    ends = True
    name: Text | None = None

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from constant(self.name)
        around = [command for command in context.enclosing if isinstance(command, ForEveryPart)]
        if not around:
            yield "the break command is not placed inside a foreverypart loop"
        elif self.name is not None and not any(each.name and each.name.source == self.name.source for each in around):
            yield (
                self.name,
                f"the break command is not placed inside a foreverypart loop named '{self.name.source[:80]}'",
            )

    def execute(self, run: Run) -> NoReturn:
        for state in reversed(run.loops):
            if self.name is None or state.name == self.name.source:
                raise _Break(state)
        raise RunError("the break command is not placed inside a foreverypart loop", self.line)


def constant(name: Text | None) -> Iterator[Fault]:
    """Names of loops are looked up when the script is compiled."""
    if name is not None and not name.constant:
        yield name, "the name of a loop must be a constant string"


def in_loop(context: Context) -> bool:
    """Whether a command stands in the block of a loop."""
    return any(isinstance(command, ForEveryPart) for command in context.enclosing)


EXTENSIONS = (Extension("foreverypart", "RFC 5703 §3", commands=(ForEveryPart, Break)),)
