"""The commands and tests of the test language, as an extension that only the test runner loads.

What they mean is in `bench`; the facts of a running test file are its bench.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from sievemda.sieve.node import Block, Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run, Stop
from sievemda.sieve.testing import configuration, execution, stored
from sievemda.sieve.testing.bench import bench_of
from sievemda.sieve.testing.cases import FAILED, PASSED, TestFailed
from sievemda.sieve.testing.entries import Entries
from sievemda.sieve.testing.site import ALIAS, NAME
from sievemda.sieve.testing.subject import Subject
from sievemda.sieve.text import Text, octets
from sievemda.sieve.vocabulary import Extension

_OBJECTS: dict[str, Callable[[Subject, str], None]] = {
    "message": lambda subject, value: subject.set_message(octets(value)),
    "envelope": lambda _subject, _value: None,
    "envelope.from": Subject.set_sender,
    "envelope.to": Subject.set_recipient,
    "envelope.orig_to": Subject.set_original,
    "envelope.auth": Subject.set_identity,
}


@node
class TestCommand(Command):
    """test <name: string> <block>"""

    keyword = "test"
    name: Text
    block: Block

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        if bench.under_test:
            raise RunError("a script under test cannot have tests: only a test file can", self.line)
        case = bench.cases.begin(run.text(self.name), self.line)
        started, loops = time.perf_counter(), len(run.loops)
        case.status = FAILED  # unless it comes to its end
        try:
            run.block(self.block.commands)
            case.status = PASSED
        except TestFailed as e:
            case.fail(str(e), e.line)
        except Stop:
            case.status = PASSED
            bench.cases.end()
            raise
        except RunError as e:
            case.fail(e.text, e.line or run.line)
            raise
        finally:
            del run.loops[loops:]
            case.duration = time.perf_counter() - started
        bench.cases.end()


@node
class TestFail(Command):
    """test_fail <reason: string>"""

    keyword = "test_fail"
    reason: Text

    def execute(self, run: Run) -> None:
        bench_of(run).fail(run.text(self.reason), self.line)


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
        _OBJECTS[self.object.source.lower()](bench.subject, run.text(self.value))
        bench.presented()


@node
class ErrorTest(Entries):
    """test_error, on the error log"""

    keyword = "test_error"

    def entries(self, run: Run) -> Sequence[str]:
        return bench_of(run).errors


EXTENSIONS = tuple(
    Extension(
        name,
        "the test language of Pigeonhole",
        commands=(TestCommand, TestFail, TestSet, *configuration.COMMANDS, *execution.COMMANDS, *stored.COMMANDS),
        tests=(ErrorTest, *execution.TESTS, *stored.TESTS),
        advertised=False,
        private=True,
    )
    for name in (NAME, ALIAS)
)
