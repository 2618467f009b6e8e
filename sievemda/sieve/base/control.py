"""require, if, elsif, else, stop. RFC 5228 §3."""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.sieve.node import Block, Command, Test, node
from sievemda.sieve.run import Branch, Run, Stop
from sievemda.sieve.text import Texts


@node
class Require(Command):
    """require <capabilities: string-list>, RFC 5228 §3.2. The binder acts on it and drops it."""

    keyword = "require"
    capabilities: Texts


@node
class Link(Command):
    """One link of a chain of if, elsif, else."""

    block: Block


@node
class If(Link):
    """if <test> <block>, RFC 5228 §3.1."""

    keyword = "if"
    test: Test


@node
class Elsif(If):
    """elsif <test> <block>, RFC 5228 §3.1."""

    keyword = "elsif"
    follows = ("if", "elsif")


@node
class Else(Link):
    """else <block>, RFC 5228 §3.1."""

    keyword = "else"
    follows = ("if", "elsif")


@node
class Chain(Command):
    """An if with all its elsif and else: the first link whose test holds is run, and no test behind it is tried."""

    links: tuple[Branch, ...]

    def execute(self, run: Run) -> None:
        for test, commands, place in run.branches(self.links):
            if test is None or run.test(test):
                run.enter(place)
                run.block(commands)
                return

    def attempts(self) -> Sequence[Test] | None:
        tests = [test for test, _, _ in self.links if test is not None]
        return tests if len(tests) == len(self.links) else None


def chain(links: list[Link]) -> Chain:
    """What consecutive links come to."""
    parts = tuple(
        (link.test if isinstance(link, If) else None, link.block.commands, (link.line, link.column)) for link in links
    )
    return Chain(line=links[0].line, column=links[0].column, links=parts)


@node
class StopCommand(Command):
    """stop, RFC 5228 §3.3: ends the script; the implicit keep stays as it is."""

    keyword = "stop"
    ends = True

    def execute(self, run: Run) -> None:
        raise Stop
