"""Where the words end that problems are at: what a caret or an editor underlines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sievemda.sieve.lalr import scanner
from sievemda.sieve.problems import Problem


def with_ends(text: str, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems with their ends: that of the word that is there, or of its first line."""
    lines = text.split("\n")
    return tuple(_with_end(problem, lines) for problem in problems)


def _with_end(problem: Problem, lines: list[str]) -> Problem:
    if not 0 < problem.line <= len(lines) or problem.script:
        return problem
    line = lines[problem.line - 1].removesuffix("\r")
    if problem.end_line:
        over = problem.end_line > problem.line
        end = len(line) + 1 if over else problem.end_column
        return replace(problem, end_line=problem.line, end_column=max(end, problem.column + 1))
    return replace(problem, end_line=problem.line, end_column=problem.column + _width(line, problem.column - 1))


def _width(line: str, start: int) -> int:
    """How many characters the word has that begins there, at least one."""
    if start >= len(line):
        return 1
    found = scanner().match(line, start)
    if found is not None:
        return max(len(found[0]), 1)
    return len(line) - start if line[start] == '"' else 1
