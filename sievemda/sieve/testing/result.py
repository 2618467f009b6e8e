"""What became of one test file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sievemda.sieve.problems import Problem
from sievemda.sieve.testing.cases import FAILED, NOT_RUN, PASSED, Case

# Why a file is an error: it cannot be read, does not compile, stopped with a run-time error, took too long, was
# interrupted by the user, or met a fault of ours.
Trouble = Literal["", "unreadable", "invalid", "aborted", "timed out", "interrupted", "internal"]


@dataclass(slots=True)
class FileResult:
    """`error` is one sentence, `problems` are what is wrong with the text of the file.

    `in_test` says that the error came up inside a test, which then failed. With `expect_failure` the file passes when
    every test that was started fails, or when it does not compile.
    """

    path: Path
    expect_failure: bool = False
    cases: Sequence[Case] = ()
    trouble: Trouble = ""
    error: str | None = None
    problems: tuple[Problem, ...] = ()
    in_test: bool = False
    line: int = 0  # where the error is, 0 when it has no place
    duration: float = 0.0  # seconds

    def fail(self, trouble: Trouble, error: str, line: int = 0) -> None:
        self.trouble, self.error, self.line = trouble, error, line

    def count(self, status: str) -> int:
        return sum(case.status == status for case in self.cases)

    @property
    def passed(self) -> bool:
        return self.status == "passed"

    @property
    def status(self) -> str:
        if self.expect_failure and self.trouble in {"", "invalid", "aborted"}:
            failures = self.count(FAILED) + (self.error is not None and not self.in_test)
            started = len(self.cases) - self.count(NOT_RUN)
            if failures >= max(started, 1) or not (self.cases or self.error):
                return "passed"
            return "error" if self.error is not None else "failed"
        if self.error is not None:
            return "error"
        return "passed" if self.count(PASSED) == len(self.cases) else "failed"


@dataclass(slots=True)
class Totals:
    """The numbers of several files."""

    results: Sequence[FileResult]
    duration: float = 0.0  # seconds
    passed: int = field(init=False)
    failed: int = field(init=False)
    not_run: int = field(init=False)
    errors: int = field(init=False)

    def __post_init__(self) -> None:
        self.passed, self.failed, self.not_run = (
            sum(result.count(status) for result in self.results) for status in (PASSED, FAILED, NOT_RUN)
        )
        self.errors = sum(result.error is not None for result in self.results)

    @property
    def tests(self) -> int:
        return self.passed + self.failed + self.not_run

    @property
    def sentence(self) -> str:
        parts = [f"{self.passed} passed", f"{self.failed} failed"]
        if self.not_run:
            parts.append(f"{self.not_run} not run")
        if self.errors:
            parts.append(f"{self.errors} error{'s' if self.errors > 1 else ''}")
        return f"{', '.join(parts)} in {self.duration:.2f}s"
