"""Words of the test language that run scripts and look at what they have decided."""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.sieve.node import Command, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.testing.bench import bench_of
from sievemda.sieve.testing.entries import Entries
from sievemda.sieve.text import Text


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


COMMANDS: tuple[type[Command], ...] = (ResultReset,)
TESTS: tuple[type[Test], ...] = (Compile, RunScript, ResultAction)
