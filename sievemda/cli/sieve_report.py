"""Problems of scripts for people; `report` has the form for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sievemda.cli.terminal import clean

if TYPE_CHECKING:
    from sievemda.sieve.problems import Problem


def problem_lines(script: str, problems: Iterable[Problem]) -> Iterator[str]:
    """Each problem as FILE:LINE:COLUMN: severity: TEXT, on one line whatever the script has put into it."""
    for problem in problems:
        yield clean(f"{problem.script or script}:{problem}".rstrip())
