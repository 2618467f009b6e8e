"""The commands and tests of the test language, as an extension that only the test runner loads.

What they mean is in `bench`; the facts of a running test file are its bench.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone

from sievemda.mail.dates import read_date
from sievemda.sieve.node import Block, Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run, Stop
from sievemda.sieve.testing import configuration, execution, stored
from sievemda.sieve.testing.bench import Bench, bench_of
from sievemda.sieve.testing.cases import FAILED, PASSED, TestFailed
from sievemda.sieve.testing.entries import Entries
from sievemda.sieve.testing.site import ALIAS, NAME
from sievemda.sieve.text import Text, octets
from sievemda.sieve.vocabulary import Extension


def _freeze(bench: Bench, value: str) -> None:
    """Let the clock stand still at that date, whose zone is then the local one; empty lets it go on."""
    bench.frozen = None
    if value.strip():
        found = read_date(value)
        if found is None:
            raise RunError(_NO_DATE.format(value[:80]))
        bench.frozen = found.shown.replace(tzinfo=timezone(timedelta(minutes=found.offset)))


_NO_DATE = "'{}' is no date, such as 'Mon, 5 Jan 2026 10:00:00 +0100'"
_OBJECTS: dict[str, Callable[[Bench, str], None]] = {
    "message": lambda bench, value: bench.subject.set_message(octets(value)),
    "envelope": lambda _bench, _value: None,
    "envelope.from": lambda bench, value: bench.subject.set_sender(value),
    "envelope.to": lambda bench, value: bench.subject.set_recipient(value),
    "envelope.orig_to": lambda bench, value: bench.subject.set_original(value),
    "envelope.auth": lambda bench, value: bench.subject.set_identity(value),
    "currentdate": _freeze,
}
_QUIET = ("envelope", "currentdate")  # the message stays as it is, with its edits


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
        name = self.object.source.lower()
        if not self.object.constant:
            yield self.object, "the object of test_set must be a constant string"
        elif name not in _OBJECTS:
            yield self.object, f"unknown object '{self.object.source[:80]}': it is one of {', '.join(_OBJECTS)}"
        elif name == "currentdate" and self.value.constant and not _is_date(self.value.source):
            yield self.value, _NO_DATE.format(self.value.source[:80])

    def execute(self, run: Run) -> None:
        bench, name = bench_of(run), self.object.source.lower()
        _OBJECTS[name](bench, run.text(self.value))
        if name not in _QUIET:
            bench.presented()


def _is_date(text: str) -> bool:
    return not text.strip() or read_date(text) is not None


@dataclass(frozen=True, slots=True)
class About:
    """${tst.path}, the directory of the test file. Whatever else is asked for is empty."""

    name: str

    def value(self, run: Run) -> str:
        return str(bench_of(run).directory) if self.name == "path" else ""


def about(name: str) -> About:
    """Raises `ValueError` for what is no identifier."""
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"the namespace 'tst' can have no variable '{name[:80]}'")
    return About(name)


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
        namespaces={"tst": about},
        advertised=False,
        private=True,
    )
    for name in (NAME, ALIAS)
)
