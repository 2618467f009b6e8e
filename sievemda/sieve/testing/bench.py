"""What a test file works on: the current message and envelope, the script under test, its result, the error log.

A bench belongs to one test file and answers the facts of its scripts. It keeps nothing on disk and sends nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import localtime
from pathlib import Path

from sievemda.sieve.combining import name
from sievemda.sieve.compile import compile_script
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.facts import Unknown
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Inclusion
from sievemda.sieve.problems import RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Run
from sievemda.sieve.run import run as run_script
from sievemda.sieve.surroundings import standard
from sievemda.sieve.testing.cases import Case
from sievemda.sieve.testing.settings import Settings
from sievemda.sieve.testing.site import Library
from sievemda.sieve.testing.subject import Subject

_STAGES = {"parse": "parse failed", "bind": "validation failed", "generate": "code generation failed"}


class Bench(Unknown):
    """The state of one test file."""

    def __init__(self, path: Path, settings: Settings | None = None) -> None:
        self.directory = path.absolute().parent
        self.settings = settings or Settings(self.directory)
        self.cases: list[Case] = []
        self.current: Case | None = None
        self.started = 0
        self.errors: list[str] = []
        self.result: tuple[Effect, ...] = ()
        self.script: Program | None = None
        self.frozen: datetime | None = None  # where the clock stands still
        self.subject = Subject(self.errors.append)

    @property
    def limits(self) -> Limits:
        """As the settings in force have them."""
        return self.settings.site.limits

    @property
    def library(self) -> Library:
        return self.settings.site.library

    def program(self, text: bytes) -> Program:
        """Compile a script that is not the test file itself. Raises `ScriptError`."""
        return compile_script(text, self.limits, self.settings.site.available, self.library)

    # -- facts -------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.frozen or localtime()

    def mailbox_exists(self, name: str) -> bool:
        return name.upper() == "INBOX"

    def own_addresses(self) -> frozenset[str]:
        return frozenset()

    def included(self, location: str, name: str) -> Program | None:
        text = self.library.text(Inclusion(location, name))
        return None if text is None else self.program(text)

    def environment(self, item: str) -> str | None:
        host = os.uname().nodename
        items = {**standard(host, location="MS", phase="post"), "vnd.dovecot.default-mailbox": "INBOX"}
        return {**items, **self.settings.site.environment}.get(item)

    def has_list(self, name: str) -> bool:
        return self.settings.site.lists.has(name)

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        return self.settings.site.lists.find(name, values)

    def list_members(self, name: str, most: int) -> Sequence[str]:
        return self.settings.site.lists.members(name, most)

    # -- scripts under test ------------------------------------------------------------------------------------

    def compile(self, relative: str) -> bool:
        """Make it the script under test; what is wrong with it goes to the error log, with one line that sums up."""
        self.errors.clear()
        try:
            text = (self.directory / relative).read_bytes()
        except OSError:
            self.errors.append(f"script not found: {relative}")
            return False
        try:
            self.script = self.program(text)
        except ScriptError as e:
            self.errors += [p.text for p in e.problems if p.severity == "error"]
            self.errors.append(_STAGES[e.stage])
            return False
        return True

    def run(self, *, append: bool) -> bool:
        """Run the script under test; whether it ended without a run-time error."""
        self.errors.clear()
        if self.script is None:
            raise RunError("no script was compiled")
        outcome = run_script(self.script, self.subject.message, self.subject.envelope, self, self.limits)
        actions = tuple(e for e in outcome.effects if not (isinstance(e, Store) and e.implicit))
        self.result = (*self.result, *actions) if append else actions
        if outcome.failure is not None:
            self.errors.append(outcome.failure.text)
        return outcome.failure is None

    def action_names(self) -> Iterator[str]:
        """The result as the test language calls its entries."""
        other = {"fileinto": "store", "ereject": "reject"}
        for effect in self.result:
            yield other.get(name(effect), name(effect))

    # -- tests -------------------------------------------------------------------------------------------------

    def begin(self) -> Case:
        if self.current is not None:
            raise RunError("a test inside a test")
        self.current = self.cases[self.started]
        self.started += 1
        return self.current


def bench_of(run: Run) -> Bench:
    assert isinstance(run.facts, Bench)
    return run.facts
