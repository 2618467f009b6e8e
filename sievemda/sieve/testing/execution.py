"""Words of the test language that run scripts and look at what they have decided."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sievemda.sieve.combining import name
from sievemda.sieve.node import Command, Test, node
from sievemda.sieve.report import to_json
from sievemda.sieve.run import Run
from sievemda.sieve.testing.bench import bench_of
from sievemda.sieve.testing.entries import Entries
from sievemda.sieve.text import Text, Texts

_NAMES = {"fileinto": "store", "ereject": "reject"}  # of entries, where they are not those of the actions


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
class RunRow(Test):
    """test_multiscript <paths: string-list>"""

    keyword = "test_multiscript"
    paths: Texts

    def holds(self, run: Run) -> bool:
        return bench_of(run).run_row(run.texts(self.paths))


@node
class SaveBinary(Command):
    """test_binary_save <name: string>"""

    keyword = "test_binary_save"
    name: Text

    def execute(self, run: Run) -> None:
        bench_of(run).save(run.text(self.name))


@node
class LoadBinary(Command):
    """test_binary_load <name: string>"""

    keyword = "test_binary_load"
    name: Text

    def execute(self, run: Run) -> None:
        bench_of(run).load(run.text(self.name))


@node
class ResultAction(Entries):
    """test_result_action, on the result"""

    keyword = "test_result_action"

    def entries(self, run: Run) -> Sequence[str]:
        names = map(name, bench_of(run).result)
        return tuple(_NAMES.get(found, found) for found in names)


@node
class ResultExecute(Test):
    """test_result_execute"""

    keyword = "test_result_execute"

    def holds(self, run: Run) -> bool:
        return bench_of(run).carry_out()


@node
class ResultReset(Command):
    """test_result_reset"""

    keyword = "test_result_reset"

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        bench.reset_result()
        if bench.world_so_far is not None:
            bench.world_so_far.forget_sent()


@node
class ResultPrint(Command):
    """test_result_print"""

    keyword = "test_result_print"

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        lines = [f"  {number}. {_words(to_json(effect))}" for number, effect in enumerate(bench.result, 1)]
        due = "is due" if bench.keep_is_due() else "is not due"
        bench.say("\n".join(["Result:", *lines, f"  The implicit keep {due}."]))


def _words(told: dict[str, object]) -> str:
    """An action and what belongs to it, on one line."""
    details = ((key, value) for key, value in told.items() if key != "action" and value)
    return " ".join(
        [str(told["action"]), *(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in details)]
    )


COMMANDS: tuple[type[Command], ...] = (ResultReset, ResultPrint, SaveBinary, LoadBinary)
TESTS: tuple[type[Test], ...] = (Compile, RunScript, RunRow, ResultAction, ResultExecute)
