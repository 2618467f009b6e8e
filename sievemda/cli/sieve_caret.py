"""A problem with the line it is in and a caret under the place.

    alice.sieve:3:1: error: unknown command 'fileinto'
        fileinto "Lists";
        ^~~~~~~~
        hint: add require ["fileinto"];

The first line has the fixed form; those that explain it are indented, so that programs which read FILE:LINE:COLUMN are
not misled. Why on a pipe too: build logs and web pages are read by people as well; `--brief` leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sievemda.cli.terminal import Screen, clean, columns

if TYPE_CHECKING:
    from sievemda.sieve.problems import Problem, Severity

_INDENT = 4
_TAB = 4
_WIDTH = 100  # columns of an excerpt where the stream has no width
_COLOURS = {"error": "red", "warning": "yellow"}


def explained(file: str, text: bytes, problems: Iterable[Problem], where: Screen) -> Iterator[str]:
    """Every problem of a script, with its line, a caret and a hint."""
    lines = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    for problem in problems:
        yield headline(file, problem, where)
        if not problem.script and 0 < problem.line <= len(lines):
            for line in excerpt(lines[problem.line - 1], problem, (where.width or _WIDTH) - _INDENT):
                yield " " * _INDENT + _coloured(line, where)
        if problem.hint:
            yield " " * _INDENT + where.style("hint:", bold=True) + " " + clean(problem.hint)


def headline(file: str, problem: Problem, where: Screen) -> str:
    """FILE:LINE:COLUMN: severity: TEXT."""
    place = f"{clean(problem.script or file)}:{problem.line}:{problem.column}:"
    severity = where.style(f"{problem.severity}:", fg=_COLOURS[problem.severity], bold=True)
    return f"{place} {severity} {clean(problem.text)}".rstrip()


def excerpt(line: str, problem: Problem, width: int) -> tuple[str, ...]:
    """The line and the marks under it, both cut to the width around the place; nothing for an empty line."""
    line = line.removesuffix("\r")
    if not line.strip():
        return ()
    start = min(problem.column - 1, len(line))
    end = problem.end_column - 1 if problem.end_line == problem.line else start + 1
    cells = _cells(line)
    first, last = _window(cells, start, max(width, 20))
    before = columns("".join(cells[first:start]))
    marked = columns("".join(cells[start : min(end, last)])) or 1
    lead, tail = "…" if first else "", "…" if last < len(cells) else ""
    shown = lead + "".join(cells[first:last]) + tail
    return shown, " " * (before + len(lead)) + "^" + "~" * (marked - 1)


def _cells(line: str) -> list[str]:
    """Each character as it is shown: a tab as blanks, what moves the cursor as one."""
    found: list[str] = []
    column = 0
    for character in line:
        cell = " " * (_TAB - column % _TAB) if character == "\t" else clean(character) or " "
        found.append(cell)
        column += columns(cell)
    return found


def _window(cells: list[str], start: int, width: int) -> tuple[int, int]:
    """The cells to show: as many as fit, the place among them, with a third of the room before it."""
    if columns("".join(cells)) <= width:
        return 0, len(cells)
    first, room = start, width // 3
    while first > 0 and room > 0:
        first -= 1
        room -= columns(cells[first])
    last, room = first, width - 2
    while last < len(cells) and room >= columns(cells[last]):
        room -= columns(cells[last])
        last += 1
    return first, last


def _coloured(line: str, where: Screen) -> str:
    return where.style(line, fg="green", bold=True) if line.lstrip().startswith("^") else line


def summary(counts: Mapping[Severity, int], files: int) -> str:
    """`2 errors, 1 warning in 3 files`."""
    told = [f"{count} {kind}{'s' if count != 1 else ''}" for kind, count in sorted(counts.items())]
    return f"{', '.join(told)} in {files} file{'s' if files != 1 else ''}"
