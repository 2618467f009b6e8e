"""Binding for the person who wrote the script: what was told counts as mended, and what follows from it is silent.

A capability that is not required is taken as required once that was told, a misspelt `elsif` as an `elsif`; so the
faults behind the first one are found, and the first one is told once. Nothing here decides whether a script is valid.
"""

from __future__ import annotations

from dataclasses import replace

from sievemda.sieve.arguments import Arguments
from sievemda.sieve.base.control import Require
from sievemda.sieve.bind import Binder
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command, Inclusion, Node, Test
from sievemda.sieve.problems import Severity
from sievemda.sieve.signature import signature
from sievemda.sieve.survey import hints
from sievemda.sieve.survey.lexicon import INSTEAD, Lexicon, owners
from sievemda.sieve.text import Text
from sievemda.sieve.tree import Argument, Call, Str, Strings, Tag
from sievemda.sieve.vocabulary import registry

_LINKS = frozenset({"elsif", "else"})


class Surveyor(Binder):
    """`unsure` are the places of commands and tests that could not be read whole."""

    def __init__(
        self,
        limits: Limits,
        allowed: frozenset[str],
        library: Library | None,
        lexicon: Lexicon,
        unsure: set[tuple[int, int]],
    ) -> None:
        super().__init__(limits, allowed, library)
        self._lexicon = lexicon
        self._unsure = unsure
        self._required = 0  # the line of the first require
        self._call: Call | None = None
        self._cls: type[Node] | None = None
        self._one_from: int | None = None  # of the errors from here on only one is told

    # -- what was told counts as mended ------------------------------------------------------------------------

    def block(self, calls: tuple[Call, ...]) -> tuple[Command, ...]:
        return super().block(tuple(self._respelt(call) for call in calls))

    def script(self, calls: tuple[Call, ...]) -> tuple[Command, ...]:
        """With what stands for `require` at the beginning as the `require` that it is."""
        known: list[Call] = []
        for call in calls:
            if call.name != Require.keyword and not self._stands_for_require(call):
                break
            known.append(replace(call, name=Require.keyword))
        return super().script((*known, *calls[len(known) :]))

    def _stands_for_require(self, call: Call) -> bool:
        meant = INSTEAD.get(call.name, "") or hints.close(call.name, {Require.keyword})
        named = [item.value for item in _strings(call)]
        if meant != Require.keyword or not named or not registry().public.issuperset(named):
            return False
        self._tell(call, f"unknown command '{call.name[:80]}'", "unknown-command", "did you mean 'require'?")
        return True

    def _respelt(self, call: Call) -> Call:
        """`elseif`, `elif` and `else if` as the `elsif` that they are."""
        inner = call.tests[0] if call.tests else None
        if call.name == "else" and inner is not None and inner.name == "if":
            self._tell(call, "'else if' is one word in Sieve", "no-if", "write elsif")
            return replace(call, name="elsif", arguments=inner.arguments, tests=inner.tests, listed=inner.listed)
        if call.name in self._lexicon.commands - {"elseif", "elif"} or call.block is None:
            return call
        meant = INSTEAD.get(call.name) or hints.close(call.name, _LINKS) or ("if" if call.tests else "")
        if meant not in {*_LINKS, "if"}:
            return call
        self._tell(call, f"unknown command '{call.name[:80]}'", "unknown-command", f"did you mean '{meant}'?")
        return replace(call, name=meant)

    def _gain(self, capability: str) -> None:
        if capability in registry().public or (capability in self.allowed and capability in registry().extensions):
            self.vocabulary = self.vocabulary.with_([capability])

    def _require(self, call: Call) -> None:
        self._required = self._required or call.line
        if not self._is_unsure(call):
            self._call, self._cls = call, Require
            self._shape(call, Require, self._arguments(call, Require))
            self._call = self._cls = None
        for item in _strings(call):
            if not self._known(item):
                self._gain(item.value)
                self._gain(hints.close(item.value, registry().public))
            else:
                self._gain(item.value)

    def _complete(self, call: Call) -> bool:
        super()._complete(call)
        for item in _strings(call):
            extension = registry().extensions.get(item.value)
            for needed in extension.needs if extension else ():
                self._gain(needed)
        return True

    def _late_require(self, call: Call) -> None:
        super()._late_require(call)
        self._require(call)

    # -- commands and tests ------------------------------------------------------------------------------------

    def _command(self, call: Call, *, dead: bool = False) -> Command | None:
        if call.name not in self.vocabulary.commands and not self._learnt(call, test=False):
            if call.name in self.vocabulary.tests:
                super()._command(call)
            elif call.name not in self._unknown:
                self._report_unknown(call, "command")
            self._walk(call)
            return None
        return super()._command(call, dead=dead)

    def _test(self, call: Call) -> Test | None:
        if call.name not in self.vocabulary.tests and not self._learnt(call, test=True):
            if call.name in self.vocabulary.commands:
                super()._test(call)
            else:
                self._report_unknown(call, "test")
            self._walk(call)
            return None
        return super()._test(call)

    def _learnt(self, call: Call, *, test: bool) -> bool:
        """Whether the word is that of a capability that is not required; told once, and from now on it is."""
        capability = hints.capability_of(call.name, test=test)
        if not capability or capability in self.vocabulary.capabilities:
            return False
        if call.name in self.vocabulary.commands or call.name in self.vocabulary.tests or call.name in INSTEAD:
            return False
        self._report_unknown(call, "test" if test else "command")
        self._gain(capability)
        return True

    def _walk(self, call: Call) -> None:
        """Look at what is under a command or test of which nothing can be said."""
        for test in call.tests:
            if test.name in self._lexicon.tests:
                self._test(test)
        if call.block:
            self.block(call.block)

    def _node(self, call: Call, cls: type[Node], *, dead: bool = False) -> Node | None:
        outer = self._call, self._cls
        self._call, self._cls = call, cls
        try:
            if self._is_unsure(call):
                self._walk(call)
                return None
            self._learn_tags(call, cls)
            found = super()._node(call, cls, dead=dead)
            if call.block and signature(cls).block is None:
                self.block(call.block)
            return found
        finally:
            self._call, self._cls = outer

    def _learn_tags(self, call: Call, cls: type[Node]) -> None:
        known: dict[str, str] | None = None
        for tag in call.arguments:
            if isinstance(tag, Tag):
                known = owners(cls) if known is None else known
                capability = known.get(tag.name, "")
                if capability and capability not in self.vocabulary.capabilities:
                    self._unknown_tag(call, tag)
                    self._gain(capability)

    def _unknown_tag(self, call: Call, tag: Tag) -> None:
        seen = self._tags.setdefault(call.name, set())
        if tag.name not in seen:
            seen.add(tag.name)
            noun = "test" if self._cls is not None and issubclass(self._cls, Test) else "command"
            text = f"unknown tagged argument ':{tag.name[:80]}' for the {call.name} {noun} (it has no such tag)"
            self.report(tag, text, code="unknown-tag")

    def _shape(self, call: Call, cls: type[Node], reader: Arguments) -> bool:
        """What is wrong with the form of a command is told once: the rest most often follows from it."""
        self._one_from = self._reported["error"]
        try:
            return super()._shape(call, cls, reader)
        finally:
            self._one_from = None

    def _is_unsure(self, call: Call) -> bool:
        return (call.line, call.column) in self._unsure

    # -- reporting ---------------------------------------------------------------------------------------------

    def report(
        self, where: Argument | Call | Text | Node | Inclusion, text: str, severity: Severity = "error", code: str = ""
    ) -> None:
        if severity == "error" and self._one_from is not None and self._reported["error"] > self._one_from:
            return
        before = len(self.problems)
        super().report(where, text, severity, code)
        if severity == "error" and len(self.problems) > before:
            self.problems[-1] = replace(self.problems[-1], hint=self._hint(where, text, code))

    def _tell(self, where: Call, text: str, code: str, hint: str) -> None:
        super().report(where, text, "error", code)
        self.problems[-1] = replace(self.problems[-1], hint=hint)

    def _hint(self, where: object, text: str, code: str) -> str:
        call = where if isinstance(where, Call) else self._call
        word = getattr(where, "name", "") or getattr(where, "value", "") or ""
        if code == "unknown-comparator":
            word = _behind(self._call, where)
        inner = isinstance(where, Call) and where is not self._call and code != "stray-tests"
        cls = None if inner else self._cls
        case = hints.Case(
            code, text, str(word), call, cls, self.vocabulary, self.allowed, self._lexicon, self._required
        )  # fmt: skip
        return hints.hint(case)


def _strings(call: Call) -> tuple[Str, ...]:
    """Every string among the arguments."""
    found: list[Str] = []
    for argument in call.arguments:
        found += argument.items if isinstance(argument, Strings) else [argument] if isinstance(argument, Str) else []
    return tuple(found)


def _behind(call: Call | None, tag: object) -> str:
    """The string that follows a tag."""
    arguments = call.arguments if call else ()
    for at, argument in enumerate(arguments[:-1]):
        following = arguments[at + 1]
        if argument is tag and isinstance(following, Str):
            return following.value
    return ""
