"""ihave, error: use an extension where there is one. RFC 5463.

A script is checked as it will run: what a missing capability guards is not looked at, and from a successful `ihave` on
its capabilities are there for the rest of the script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from sievemda.sieve.node import Command, Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import BASE, Extension, registry
from sievemda.sieve.wording import presence


@node
class Ihave(Test):
    """ihave <capabilities: string-list>, RFC 5463 §4."""

    keyword = "ihave"
    capabilities: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        for item in self.capabilities:
            if not item.constant:
                yield item, "the capabilities of ihave must be constant strings"

    def resolved(self, context: Context) -> tuple[Test, frozenset[str]]:
        wanted = frozenset(item.source for item in self.capabilities)
        known, have = registry().extensions, context.vocabulary.capabilities - {BASE}
        together = context.vocabulary.with_(wanted & known.keys()).capabilities
        missing = tuple(
            name
            for name in sorted(wanted)
            if name == BASE
            or name not in known
            or _is_for_readers(known[name])
            or (name not in have and (name not in context.allowed or not _fits(known[name], together)))
        )
        found = Found(line=self.line, column=self.column, wanted=tuple(sorted(wanted)), missing=missing)
        return found, frozenset() if missing else wanted

    def holds(self, run: Run) -> bool:
        raise AssertionError("it is resolved when the script is compiled")


@node
class Found(Test):
    """An `ihave` of which it is known what it comes to."""

    keyword = "ihave"
    wanted: tuple[str, ...]
    missing: tuple[str, ...]

    def holds(self, run: Run) -> bool:
        run.saw([name for name in self.wanted if name not in self.missing], self.wanted)
        return not self.missing

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(seen, result, "the capability {} is there", "the capability {} is not there")

    def settled(self) -> bool | None:
        return not self.missing


@node
class Error(Command):
    """error <message: string>, RFC 5463 §5: ends the script with a run-time error."""

    keyword = "error"
    ends = True
    message: Text

    def execute(self, run: Run) -> NoReturn:
        raise RunError(run.text(self.message), self.line)


def _fits(extension: Extension, together: frozenset[str]) -> bool:
    """Whether it may come so late, among those that would be there with it.

    Not when it gives words of the script another meaning, or lacks one it needs.
    """
    clash = not together.isdisjoint(extension.excludes)
    clash = clash or any(extension.name in registry().extensions[other].excludes for other in together)
    return not clash and together.issuperset(extension.needs)


def _is_for_readers(extension: Extension) -> bool:
    """Whether it changes how the text of a script is read: then the test fails, required or not. RFC 5463 §4."""
    return bool(extension.decode or extension.read)


EXTENSIONS = (Extension("ihave", "RFC 5463", commands=(Error,), tests=(Ihave,)),)
