"""Words of the test language that change settings."""

from __future__ import annotations

from sievemda.sieve.extensions.extlists import ListMatch
from sievemda.sieve.node import Command, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.testing.bench import bench_of
from sievemda.sieve.text import Text


@node
class ConfigSet(Command):
    """test_config_set <setting: string> <value: string>: from the next reload on"""

    keyword = "test_config_set"
    setting: Text
    value: Text

    def execute(self, run: Run) -> None:
        bench_of(run).settings.set(run.text(self.setting), run.text(self.value))


@node
class ConfigUnset(Command):
    """test_config_unset <setting: string>: its default, from the next reload on"""

    keyword = "test_config_unset"
    setting: Text

    def execute(self, run: Run) -> None:
        bench_of(run).settings.unset(run.text(self.setting))


@node
class ConfigReload(Command):
    """test_config_reload [":extension" <name: string>]: what was recorded for the engine, or for that extension"""

    keyword = "test_config_reload"
    extension: Text | None = None

    def execute(self, run: Run) -> None:
        bench = bench_of(run)
        name = "" if self.extension is None else run.text(self.extension)
        try:
            if self.extension is not None and not name:
                raise ValueError("the name of an extension is empty")
            bench.settings.reload(name)
        except ValueError as e:
            raise RunError(f"test_config_reload: {e}", self.line) from e
        run.kept.pop(ListMatch, None)  # answers of lists as they were before
        bench.settle(bench.settings.site)


COMMANDS: tuple[type[Command], ...] = (ConfigSet, ConfigUnset, ConfigReload)
TESTS: tuple[type[Test], ...] = ()
