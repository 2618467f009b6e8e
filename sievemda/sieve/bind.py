"""From tree to nodes: every name looked up, every argument checked, every fault reported.

One walk, in source order, depth first. A fault in a command does not stop the walk: its tests and its block are looked
at all the same, and so is what follows. What is reported once per script and not at each use: an unknown command or
test, and an unknown tag of a command. A block under a condition that is known to be false is not looked at.

Why this order of checks within one command (tags, number of arguments, tests, block, kinds of arguments, rules of its
own): a forgotten semicolon shows as tests that nobody asked for, and should be named as such before anything that
follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sievemda.sieve.arguments import Arguments, Wrong
from sievemda.sieve.base.control import Else, Link, Require
from sievemda.sieve.base.control import chain as joined
from sievemda.sieve.base.tests import FalseTest
from sievemda.sieve.library import GLOBAL, Library, missing
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import Matching, MatchType
from sievemda.sieve.node import Block, Command, Context, Fault, Inclusion, Node, Option, Test
from sievemda.sieve.problems import Problem, Severity
from sievemda.sieve.signature import Kind, signature
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.tree import Argument, Call, Str, Strings
from sievemda.sieve.vocabulary import Vocabulary, base_vocabulary, registry

_NOTHING = FalseTest()  # stands in where the rules of a node are asked before its tests are bound
_EMPTY = Block()


class TooMany(Exception):
    """More errors than are reported of one script: binding has ended, and `Binder.problems` says so."""


class Binder:
    """Binds one script; `problems` and `includes` grow as it goes. `allowed` are the capabilities one may require.

    With a library, a script that is to be included and is not there is a problem.
    """

    def __init__(self, limits: Limits, allowed: frozenset[str], library: Library | None = None) -> None:
        self.problems: list[Problem] = []
        self.includes: list[Inclusion] = []
        self.vocabulary: Vocabulary = base_vocabulary()
        self.limits = limits
        self.allowed = allowed
        self._library = library
        self._unknown: set[str] = set()
        self._tags: dict[str, set[str]] = {}
        self._declared: set[str] = set()
        self._open: tuple[Command, ...] = ()  # whose blocks are being bound
        self._context: Context | None = None
        self._taken = False  # whatever is in the block of the link just read, no later link of its chain is reached
        self._alone = False  # the command that comes must follow another one, and does not
        self._lacking = False  # an `ihave` found a capability missing, and what it guards need not be understood
        self._reported: dict[Severity, int] = {"error": 0, "warning": 0}

    # -- blocks ------------------------------------------------------------------------------------------------

    def script(self, calls: tuple[Call, ...]) -> tuple[Command, ...]:
        """All commands of a script: `require` may stand only at its beginning. RFC 5228 §3.2."""
        start = 0
        while start < len(calls) and calls[start].name == Require.keyword:
            self._require(calls[start])
            start += 1
        if not all(self._complete(call) for call in calls[:start]):
            return ()
        return self.block(calls[start:])

    def block(self, calls: tuple[Call, ...]) -> tuple[Command, ...]:
        commands: list[Command] = []
        chain: list[Link] = []  # the links read so far of the chain under way
        previous, decided = "", False
        for call in calls:
            cls = self.vocabulary.commands.get(call.name)
            follows = cls.follows if cls else ()
            if not follows:
                decided = False
            self._taken = False
            self._alone = bool(follows) and previous not in follows
            bound = self._command(call, dead=decided)
            decided = decided or self._taken
            previous = call.name
            if chain and bound is not None and not follows:
                commands.append(joined(chain))
                chain = []
            if isinstance(bound, Link):
                chain.append(bound)
            elif bound is not None:
                commands.append(bound)
            if self._lacking and decided and isinstance(bound, Link) and _ends(bound.block):
                break  # an `if not ihave ... { stop; }`: what follows is for who has it
        if chain:
            commands.append(joined(chain))
        return tuple(commands)

    def _require(self, call: Call) -> None:
        reader = self._arguments(call, Require)
        if self._shape(call, Require, reader):
            known = [item for item in _required(call) if self._known(item)]
            self.vocabulary = self.vocabulary.with_(item.value for item in known)

    def _complete(self, call: Call) -> bool:
        """Whether each required capability has those that it needs; that it has none that it excludes ends nothing."""
        extensions, have = registry().extensions, self.vocabulary.capabilities
        for item in _required(call):
            extension = extensions.get(item.value) if item.value in have else None
            for other in extension.needs if extension else ():
                if other not in have:
                    text = f"the capability '{item.value}' needs '{other}', which is not required"
                    self.report(item, text, code="missing-capability")
                    return False
            for other in extension.excludes if extension else ():
                if other in have and not (item.value > other and item.value in extensions[other].excludes):
                    text = f"the capabilities '{item.value}' and '{other}' cannot be used together"
                    self.report(item, text, code="conflicting-capabilities")
        return True

    def _known(self, item: Str) -> bool:
        extensions = registry().extensions
        name = item.value
        if name and name in extensions and name in self.allowed:
            return True
        if name in registry().public and name:
            self.report(item, f"the capability '{name}' is not allowed here", code="forbidden-capability")
        elif name in self.vocabulary.commands or name in self.vocabulary.tests:
            self.report(item, f"'{name}' is part of the base language: it needs no require", code="needless-require")
        else:
            self.report(item, f"unknown capability '{name[:80]}'", code="unknown-capability")
        return False

    # -- one command or test -----------------------------------------------------------------------------------

    def _command(self, call: Call, *, dead: bool = False) -> Command | None:
        cls = self.vocabulary.commands.get(call.name)
        if cls is Require:
            if self._shape(call, Require, self._arguments(call, Require)):
                self._late_require(call)
            return None
        if cls is not None:
            bound = self._node(call, cls, dead=dead)
            if isinstance(bound, Command) and (inclusion := bound.inclusion()):
                self._include(inclusion)
            return bound if isinstance(bound, Command) else None
        if call.name in self.vocabulary.tests:
            self.report(call, f"cannot use test '{call.name}' as a command", code="test-as-command")
        else:
            self._report_unknown(call, "command")
        return None

    def _late_require(self, call: Call) -> None:
        self.report(call, "require must come before all other commands, outside of any block", code="late-require")

    def _include(self, inclusion: Inclusion) -> None:
        self.includes.append(inclusion)
        if self._library is not None and not inclusion.optional and not self._library.has(inclusion):
            severity: Severity = "error" if self._library.strict else "warning"
            self.report(inclusion, missing(inclusion), severity, "missing-script")

    @property
    def shared(self) -> frozenset[str]:
        """The variables that the script says are global."""
        return frozenset(name.removeprefix(GLOBAL) for name in self._declared if name.startswith(GLOBAL))

    def _test(self, call: Call) -> Test | None:
        cls = self.vocabulary.tests.get(call.name)
        if cls is not None:
            bound = self._node(call, cls)
            return self._resolved(bound) if isinstance(bound, Test) else None
        if call.name in self.vocabulary.commands:
            self.report(call, f"cannot use command '{call.name}' as a test", code="command-as-test")
        else:
            self._report_unknown(call, "test")
        return None

    def _resolved(self, test: Test) -> Test:
        if type(test).resolved is Test.resolved:
            return test
        resolved, gained = test.resolved(self.context)
        if resolved is not test:
            self._lacking = self._lacking or resolved.settled() is False
        if gained:
            self.vocabulary = self.vocabulary.with_(gained)
        return resolved

    def _report_unknown(self, call: Call, noun: str) -> None:
        if call.name not in self._unknown:
            self._unknown.add(call.name)
            self.report(call, f"unknown {noun} '{call.name[:80]}'", code=f"unknown-{noun}")

    def _node(self, call: Call, cls: type[Node], *, dead: bool = False) -> Node | None:
        alone, self._alone = self._alone, False
        reader = self._arguments(call, cls)
        good = self._shape(call, cls, reader)
        if good and alone and issubclass(cls, Command):
            self.report(call, f"{call.name} must follow {' or '.join(cls.follows)}", code="no-if")
            good = False
        if good:
            good = self._own_rules(call, cls, reader)
        dead = dead and good
        tests, good_tests = self._subtests(call, cls) if not dead else (None, True)
        settled = tests.settled() if isinstance(tests, Test) else None
        outer = self._open
        if good and reader.signature.block and not issubclass(cls, Link):
            around = self._make(call, cls, reader, None, _EMPTY)
            assert isinstance(around, Command)  # nothing else has a block
            self._open = (*outer, around)
        block, good_block = self._subblock(call, cls, dead=dead or settled is False)
        self._open, self._taken = outer, settled is True or cls is Else
        if not (good and good_tests and good_block):
            return None
        return reader.node or self._make(call, cls, reader, tests, block)

    def _shape(self, call: Call, cls: type[Node], reader: Arguments) -> bool:
        good = True
        try:
            reader.take()
        except Wrong:
            good = False
        good = self._shape_of_tests(call, cls, reader) and good
        wants_block = reader.signature.block is not None
        if good and wants_block != (call.block is not None):
            need = "requires a block" if wants_block else "takes no block, yet one is specified"
            self.report(call, f"{reader.title} {need}", code="block")
            good = False
        try:
            if good:
                reader.check()
        except Wrong:
            good = False
        return good

    def _shape_of_tests(self, call: Call, cls: type[Node], reader: Arguments) -> bool:
        slot = reader.signature.tests
        if slot is None:
            if call.tests:
                self._stray_test(call, reader)
            return not call.tests
        if slot.kind is Kind.TEST and (call.listed or len(call.tests) != 1):
            found = "a list of tests was found" if call.tests else "none was found"
            self.report(call, f"{reader.title} requires a single test, but {found}", code="tests")
            return False
        if slot.kind is Kind.TESTS and not call.listed:
            found = "a single test without parentheses was found" if call.tests else "none was found"
            self.report(call, f"{reader.title} requires a list of tests, but {found}", code="tests")
            return False
        return True

    def _stray_test(self, call: Call, reader: Arguments) -> None:
        """Tests where none may be: most often a forgotten semicolon, whose next word then reads as a test."""
        word = call.tests[0].name
        code, text = "missing-semicolon", f"missing semicolon after {reader.title}"
        if word in self.vocabulary.tests:
            code, text = "stray-tests", f"{reader.title} accepts no sub-tests, yet some are specified"
        elif word in reader.tags():
            code, text = "missing-colon", f"missing colon in front of the {word} tag of {reader.title}"
        self.report(call.tests[0], text, code=code)

    def _own_rules(self, call: Call, cls: type[Node], reader: Arguments) -> bool:
        """The rules of the node and of the options on it; they look at literals, not at tests or blocks."""
        if not self._keys_fit(cls, reader):
            return False
        if cls.problems is Node.problems and cls.warnings is Node.warnings and not reader.options:
            return True  # it has none
        node = self._make(call, cls, reader, None, _EMPTY)
        if reader.signature.tests is None and reader.signature.block is None:
            reader.node = node  # as it will be
        context = self.context
        for part in (node, *reader.options):
            for fault in part.warnings(context):
                self._fault(part, fault, "warning")
            for fault in part.problems(context):
                self._fault(part, fault, "error")
                return False
        for option in reader.options:
            assert isinstance(node, Command | Test)  # nothing else has options
            if missing := _lacks_its_tag(node, option, reader.options):
                text = f"':{option.keyword}' is possible on {reader.title} only together with {missing}"
                self.report(option, text, code="argument")
                return False
            for fault in option.misuse(node, context):
                self._fault(option, fault, "error")
                return False
        return True

    def _keys_fit(self, cls: type[Node], reader: Arguments) -> bool:
        """Whether the match type can work with the constant keys; they are the last positional argument."""
        slot = reader.signature.matching
        if slot is None:
            return True
        how: Matching = reader.values[slot.field]
        if type(how.type).key_fault is MatchType.key_fault:
            return True  # it can work with any
        keys = reader.values[reader.signature.positionals[-1].field]
        for key in keys if isinstance(keys, Texts) else (keys,) if isinstance(keys, Text) else ():
            fault = how.type.key_fault(key.source, how, self.limits) if key.constant else ""
            if fault:
                self.report(key, fault, code="key")
                return False
        return True

    def _subtests(self, call: Call, cls: type[Node]) -> tuple[Test | tuple[Test, ...] | None, bool]:
        slot = signature(cls).tests
        if slot is None:
            return None, True
        bound: list[Test | None] = []
        for test in call.tests:
            one = self._test(test)
            bound.append(one)
            if self._lacking and one is not None and _decides(cls, one):
                break  # the tests behind it are for who has what `ihave` found missing
        found = tuple(test for test in bound if test is not None)
        if len(found) != len(bound):
            return None, False
        if slot.kind is Kind.TESTS:
            return found, True
        return (found[0], True) if len(found) == 1 else (None, False)

    def _subblock(self, call: Call, cls: type[Node], *, dead: bool) -> tuple[Block, bool]:
        if signature(cls).block is None or call.block is None or dead:
            return _EMPTY, True
        before = self._reported["error"]
        block = Block(self.block(call.block))
        return block, self._reported["error"] == before

    def _make(
        self, call: Call, cls: type[Node], reader: Arguments, tests: Test | tuple[Test, ...] | None, block: Block
    ) -> Node:
        described = reader.signature
        values: dict[str, Any] = dict(reader.values, line=call.line, column=call.column)
        if reader.options:
            values["options"] = tuple(reader.options)
        if described.tests:
            several = described.tests.kind is Kind.TESTS
            values[described.tests.field] = tests if tests is not None else (() if several else _NOTHING)
        if described.block:
            values[described.block.field] = block
        return cls(**values)

    # -- reporting ---------------------------------------------------------------------------------------------

    def _arguments(self, call: Call, cls: type[Node]) -> Arguments:
        seen = self._tags.setdefault(call.name, set())
        return Arguments(call, cls, self.context, self.report, seen)

    @property
    def context(self) -> Context:
        known = self._context
        if known is None or known.vocabulary is not self.vocabulary or known.enclosing is not self._open:
            known = Context(self.limits, self.vocabulary, self._declared, self.allowed, self._open)
            self._context = known
        return known

    def report(
        self, where: Argument | Call | Text | Node | Inclusion, text: str, severity: Severity = "error", code: str = ""
    ) -> None:
        """Note a problem. Raises `TooMany` at an error too many; a warning too many is dropped."""
        if self._reported[severity] < self.limits.problems:
            self._reported[severity] += 1
            self.problems.append(Problem(where.line, where.column, text, severity, code=code))
        elif severity == "error":
            text = "too many errors: the rest was not checked"
            self.problems.append(Problem(where.line, where.column, text, code="too-many"))
            raise TooMany

    def _fault(self, node: Node, fault: Fault, severity: Severity) -> None:
        where, text = (node, fault) if isinstance(fault, str) else fault
        self.report(where, text, severity, "argument" if severity == "error" else "odd-argument")


def _required(call: Call) -> tuple[Str, ...]:
    """The capabilities that one `require` names; none when it is not as it must be."""
    argument = call.arguments[0] if len(call.arguments) == 1 else None
    return argument.items if isinstance(argument, Strings) else (argument,) if isinstance(argument, Str) else ()


def _lacks_its_tag(owner: Command | Test, option: Option, given: Sequence[Option]) -> str:
    """The tags of which one must be there for this one to mean anything; empty when all is well. RFC 8580 §3.1."""
    if owner.keyword in option.extends or any(f":{other.keyword}" in option.extends for other in given):
        return ""
    return " or ".join(f"'{tag}'" for tag in option.extends if tag.startswith(":"))


def _ends(block: Block) -> bool:
    return bool(block.commands) and block.commands[-1].ends


def _decides(cls: type[Node], test: Test) -> bool:
    """Whether no test behind this one is tried in an `anyof` or `allof`."""
    wanted = cls.decided_by if issubclass(cls, Test) else None
    return wanted is not None and test.settled() is wanted
