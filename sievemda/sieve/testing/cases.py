"""The tests of one test file, and how each of them ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sievemda.sieve.problems import RunError

PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"


@dataclass(slots=True)
class Case:
    """One `test`, from not run to its end. `failed_at` is the line that failed it, 0 while nothing has."""

    index: int
    name: str
    line: int
    status: str = NOT_RUN
    message: str | None = None
    failed_at: int = 0
    duration: float = 0.0

    def fail(self, why: str, line: int = 0) -> None:
        self.status, self.message, self.failed_at = FAILED, why, line


class TestFailed(Exception):
    """The test under way failed: out of its block, on behind it."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line


class Cases(Sequence[Case]):
    """The tests of a file in the order of its text; `current` is the one under way, `started` how many have been.

    The runner says which one `comes` next. A test of an included script, which is not in the text of the file, takes
    its place when it is reached.
    """

    def __init__(self, found: Sequence[Case] = ()) -> None:
        self._cases = list(found)
        self._coming: Case | None = None
        self.current: Case | None = None
        self.started = 0

    def __getitem__(self, at: int) -> Case:  # type: ignore[override]
        return self._cases[at]

    def __len__(self) -> int:
        return len(self._cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self._cases)

    def comes(self) -> None:
        self._coming = self._cases[self.started]

    def begin(self, name: str, line: int) -> Case:
        """The test that is reached now. Raises `RunError` inside another one."""
        if self.current is not None:
            raise RunError("a test inside a test")
        case, self._coming = self._coming or self._insert(line), None
        case.name = name
        self.current = case
        self.started += 1
        return case

    def end(self) -> None:
        self.current = None

    def _insert(self, line: int) -> Case:
        case = Case(0, "", line)
        self._cases.insert(self.started, case)
        for index, each in enumerate(self._cases, 1):
            each.index = index
        return case
