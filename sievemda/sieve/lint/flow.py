"""Where a script goes: commands that are never reached, branches that an earlier one takes, texts of strangers.

A match variable holds what the sender wrote, unless the test that set it looked at something else: the date, the
environment, a string of the script. Where such a text names the address of a redirect, or a mailbox that is made on
the way, the sender decides. The walk is in the order of the script; behind branches a variable is a stranger's when it
is in one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.base.control import Chain
from sievemda.sieve.extensions.variables import Capture, Set, StringTest, Variable
from sievemda.sieve.lint.telling import blocks, deep, meaning, warning
from sievemda.sieve.matching import Matching
from sievemda.sieve.node import Command, Test
from sievemda.sieve.problems import Problem
from sievemda.sieve.text import Text

_OWN = frozenset({"currentdate", "environment", "date", "notify_method_capability", "metadata", "servermetadata"})
_CAPTURING = frozenset({"matches", "regex", "list"})


class Flow:
    """One walk through one script."""

    def __init__(self) -> None:
        self._strange: set[str] = set()  # variables with a text of a stranger
        self._captured = False  # the match variables are such

    def walk(self, commands: tuple[Command, ...]) -> Iterator[Problem]:
        ended: Command | None = None
        seen: dict[object, int] = {}
        for command in commands:
            if ended is not None:
                text = f"this is never reached: '{ended.keyword or 'if'}' in line {ended.line} goes before it"
                yield warning(command, "unreachable", text, "remove it, or move it up")
                return
            yield from self._command(command)
            if isinstance(command, Chain):
                yield from _branches(command, seen)
            if _ends(command):
                ended = command

    def _command(self, command: Command) -> Iterator[Problem]:
        if isinstance(command, Set):
            self._assign(command.name.source, strange=self._is_strange(command.value))
        elif command.keyword == "extracttext":
            name = getattr(command, "name", None)
            if isinstance(name, Text):
                self._assign(name.source, strange=True)
        yield from self._names(command)
        if not isinstance(command, Chain):
            for block in blocks(command):
                yield from self.walk(block)
            return
        before, captured = set(self._strange), self._captured
        after = set(before)
        for test, block, *_ in command.links:
            if test is not None:
                self._test(test)
            self._strange = set(before)
            yield from self.walk(block)
            after |= self._strange
            captured = captured or self._captured
        self._strange, self._captured = after, captured

    def _assign(self, name: str, *, strange: bool) -> None:
        (self._strange.add if strange else self._strange.discard)(name.lower())

    def _test(self, test: Test) -> None:
        for one in deep(test):
            matching = getattr(one, "matching", None)
            if not isinstance(matching, Matching) or matching.type.name not in _CAPTURING:
                continue
            if isinstance(one, StringTest):
                self._captured = any(map(self._is_strange, one.source))
            else:
                self._captured = one.keyword not in _OWN

    def _is_strange(self, text: Text) -> bool:
        return any(
            (isinstance(part, Capture) and self._captured)
            or (isinstance(part, Variable) and part.name.lower() in self._strange)
            for part in text.parts
        )

    def _names(self, command: Command) -> Iterator[Problem]:
        address = getattr(command, "address", None)
        if command.keyword == "redirect" and isinstance(address, Text) and self._is_strange(address):
            text = "the sender of a message decides where it is redirected to"
            yield warning(address, "stranger-redirect", text, "compare with addresses that you know, and name those")
        mailbox = getattr(command, "mailbox", None)
        creates = any(option.keyword == "create" for option in command.options)
        if creates and isinstance(mailbox, Text) and self._is_strange(mailbox):
            text = "the sender of a message decides which mailboxes are made"
            yield warning(mailbox, "stranger-mailbox", text, "leave :create out, or compare with names that you know")


def _ends(command: Command) -> bool:
    """Whether nothing behind it in its block is reached."""
    if not isinstance(command, Chain):
        return command.ends
    complete = command.links[-1][0] is None
    return complete and all(block and _ends(block[-1]) for block in blocks(command))


def _branches(chain: Chain, seen: dict[object, int]) -> Iterator[Problem]:
    """Branches that an earlier one takes, and rules that stand there twice."""
    tests: dict[object, int] = {}
    for test, block, *_ in chain.links:
        if test is None or test.settled() is not None:
            continue
        what = meaning(test)
        line = test.line
        if what in tests:
            text = f"this branch is never taken: the test is that of line {tests[what]}"
            yield warning(test, "shadowed", text, "remove it, or change the test")
        tests.setdefault(what, line)
        if len(chain.links) == 1 and block and not _remembers(test):
            rule = (what, meaning(block))
            if rule in seen:
                text = f"the same rule stands in line {seen[rule]}"
                yield warning(chain, "duplicate-rule", text, "remove one of them")
            seen.setdefault(rule, chain.line)


def _remembers(test: Test) -> bool:
    """Whether asking twice is not the same as asking once."""
    return any(one.keyword == "duplicate" for one in deep(test))
