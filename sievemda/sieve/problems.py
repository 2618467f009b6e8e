"""What is wrong with a script, and where: one value for ManageSieve, the command line, the journal and the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
Stage = Literal["parse", "bind", "generate"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. Line and column count from 1, the column in characters.

    `script` says which script it is in, when that is not the one that was asked about.
    """

    line: int
    column: int
    text: str
    severity: Severity = "error"
    script: str = ""

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.severity}: {self.text}"


class ScriptError(Exception):
    """A script that is not valid; `problems` lists every fault that `stage` found, in the order they were found.

    Why not part of the exception tree of the package: an invalid script is the answer to a question, which each
    caller words in its own way, not a command that failed.
    """

    def __init__(self, problems: tuple[Problem, ...], stage: Stage = "bind") -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.stage = stage


class RunError(Exception):
    """A run-time error (RFC 5228 §2.10.6): raised inside a run, and turned into `Outcome.failure` by it.

    `script` is set on its way out of an included script.
    """

    def __init__(self, text: str, line: int = 0, script: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        self.script = script
