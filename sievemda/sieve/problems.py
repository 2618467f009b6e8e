"""What is wrong with a script, and where: one value for ManageSieve, the command line, the journal and the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
Stage = Literal["parse", "bind", "generate"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. Line and column count from 1, the column in characters.

    `script` says which script it is in, when that is not the one that was asked about. `code` is the kind of problem,
    stable from release to release (`findings` lists them all); `hint` says how to mend it, as far as anybody can guess.
    The end is where the words end that are wrong, behind their last character; 0 where nobody has worked it out.
    """

    line: int
    column: int
    text: str
    severity: Severity = "error"
    script: str = ""
    code: str = ""
    hint: str = ""
    end_line: int = 0
    end_column: int = 0

    @property
    def sentence(self) -> str:
        """What is wrong and how to mend it, where there is one line for both."""
        return f"{self.text} ({self.hint})" if self.hint else self.text

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
