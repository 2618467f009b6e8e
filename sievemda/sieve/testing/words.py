"""The commands and tests of the test language, as an extension that only the test runner loads.

What they mean is in `bench`; the facts of a running test file are its bench.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from sievemda.sieve.matching import OCTET, Is, Matching, match
from sievemda.sieve.node import Block, Command, Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run, Stop
from sievemda.sieve.testing.bench import Bench, TestFailed
from sievemda.sieve.text import Text, Texts, octets
from sievemda.sieve.vocabulary import Extension

NAME = "vnd.dovecot.testsuite"
_EXACTLY = Matching(Is(), OCTET)

_OBJECTS: dict[str, Callable[[Bench, str], None]] = {
    "message": lambda bench, value: bench.set_message(octets(value)),
    "envelope": lambda _bench, _value: None,
    "envelope.from": Bench.set_sender,
    "envelope.to": Bench.set_recipient,
    "envelope.orig_to": Bench.set_original,
    "envelope.auth": Bench.set_identity,
}


def bench_of(run: Run) -> Bench:
    assert isinstance(run.facts, Bench)
    return run.facts


@node
class TestCommand(Command):
    """test <name: string> <block>"""

    keyword = "test"
    name: Text
    block: Block

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        case = bench.begin()
        case.name = run.text(self.name)
        started = time.perf_counter()
        case.status = "failed"  # unless it comes to its end
        try:
            run.block(self.block.commands)
            case.status = "passed"
        except TestFailed as e:
            case.message = str(e)
        except Stop:
            case.status = "passed"
            raise
        except RunError as e:
            case.message = f"{e.text} (line {e.line or run.line})"
            raise
        finally:
            case.duration = time.perf_counter() - started
            bench.current = None


@node
class TestFail(Command):
    """test_fail <reason: string>"""

    keyword = "test_fail"
    reason: Text

    def execute(self, run: Run) -> None:
        reason = run.text(self.reason)
        if bench_of(run).current is None:
            raise RunError(f"test_fail outside of a test: {reason}", self.line)
        raise TestFailed(f"{reason} (line {self.line})")


@node
class TestSet(Command):
    """test_set <object: string> <value: string>"""

    keyword = "test_set"
    object: Text
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if not self.object.constant or self.object.source.lower() not in _OBJECTS:
            yield self.object, f"unknown object '{self.object.source}': it is one of {', '.join(sorted(_OBJECTS))}"

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        _OBJECTS[self.object.source.lower()](bench, run.text(self.value))
        run.message, run.envelope = bench.message, bench.envelope


@node
class Compile(Test):
    """test_script_compile <path: string>"""

    keyword = "test_script_compile"
    path: Text

    def holds(self, run: Run) -> bool:
        return bench_of(run).compile(run.text(self.path))


@node
class RunScript(Test):
    """test_script_run [":append_result"]"""

    keyword = "test_script_run"
    append_result: bool = False

    def holds(self, run: Run) -> bool:
        return bench_of(run).run(append=self.append_result)


@node
class Entries(Test):
    """[MATCH-TYPE] [COMPARATOR] [":index" <number>] <keys: string-list>: one of a list, counted from 1, or any."""

    matching: Matching = _EXACTLY
    index: int = 0
    keys: Texts

    def entries(self, run: Run) -> Sequence[str]:
        """What the keys are compared with, in order."""
        return ()

    def holds(self, run: Run) -> bool:
        entries = self.entries(run)
        chosen = entries[self.index - 1 : self.index] if self.index else entries
        return match(run, self.matching, chosen, run.texts(self.keys), len(chosen))


@node
class ErrorTest(Entries):
    """test_error, on the error log"""

    keyword = "test_error"

    def entries(self, run: Run) -> Sequence[str]:
        return bench_of(run).errors


@node
class ResultAction(Entries):
    """test_result_action, on the result"""

    keyword = "test_result_action"

    def entries(self, run: Run) -> Sequence[str]:
        return tuple(bench_of(run).action_names())


@node
class ResultReset(Command):
    """test_result_reset"""

    keyword = "test_result_reset"

    def execute(self, run: Run) -> None:
        bench_of(run).result = ()


EXTENSIONS = (
    Extension(
        NAME,
        "the test language of Pigeonhole",
        commands=(TestCommand, TestFail, TestSet, ResultReset),
        tests=(Compile, RunScript, ErrorTest, ResultAction),
        advertised=False,
        private=True,
    ),
)
