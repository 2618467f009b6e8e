"""require, if, elsif, else, stop. RFC 5228 §3."""

from __future__ import annotations

from sievemda.sieve.node import Block, Command, Test, node
from sievemda.sieve.run import Run, Stop
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

    def chosen(self, run: Run) -> bool:
        return True

    def decides(self) -> bool:
        """Whether no later link of the chain can be reached."""
        return True


@node
class If(Link):
    """if <test> <block>, RFC 5228 §3.1."""

    keyword = "if"
    test: Test

    def chosen(self, run: Run) -> bool:
        return run.test(self.test)

    def decides(self) -> bool:
        return self.test.settled() is True


@node
class Elsif(If):
    keyword = "elsif"
    follows = ("if", "elsif")


@node
class Else(Link):
    keyword = "else"
    follows = ("if", "elsif")


@node
class Chain(Command):
    """An if with all its elsif and else: the first link whose test holds is run, and no test behind it is tried."""

    links: tuple[Link, ...]

    def execute(self, run: Run) -> None:
        for link in self.links:
            run.line = link.line
            if link.chosen(run):
                run.block(link.block.commands)
                return


@node
class StopCommand(Command):
    """stop, RFC 5228 §3.3: ends the script; the implicit keep stays as it is."""

    keyword = "stop"

    def execute(self, run: Run) -> None:
        raise Stop
