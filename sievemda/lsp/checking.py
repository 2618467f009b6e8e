"""What is wrong with a script: every problem that `sievemda sieve check` tells, with the text that it is about."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol.types import Diagnostic, DiagnosticSeverity, DiagnosticTag

from sievemda.lsp.document import Document
from sievemda.sieve.check import check_script
from sievemda.sieve.problems import Problem

SOURCE = "sievemda"
_SEVERITY = {"error": DiagnosticSeverity.Error, "warning": DiagnosticSeverity.Warning}
_TAGS = {
    "unreachable": DiagnosticTag.Unnecessary,
    "unused": DiagnosticTag.Unnecessary,
    "deprecated": DiagnosticTag.Deprecated,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and the text that it is about, as offsets."""

    problem: Problem
    start: int
    end: int


def findings(document: Document) -> tuple[Finding, ...]:
    """Every problem of the script, by its place. A text that is too large is one problem, and is not read."""
    octets = document.text.encode("utf-8", "surrogatepass")
    library = None if document.testing else document.shelf
    available = document.allowed if document.testing or document.world.available is not None else None
    problems = check_script(octets, document.world.limits, available, library)
    return tuple(Finding(problem, *_extent(document, problem)) for problem in problems)


def diagnostics(document: Document) -> list[Diagnostic]:
    """The problems as the protocol has them."""
    return [diagnostic(document, finding) for finding in findings(document)]


def diagnostic(document: Document, finding: Finding) -> Diagnostic:
    problem = finding.problem
    tags = [tag for word, tag in _TAGS.items() if word in problem.code]
    return Diagnostic(
        document.lines.range(finding.start, finding.end),
        problem.sentence,
        severity=_SEVERITY[problem.severity],
        code=problem.code or None,
        source=SOURCE,
        tags=tags or None,
    )


def _extent(document: Document, problem: Problem) -> tuple[int, int]:
    """From the first to behind the last character that is wrong: at least one where the line has one."""
    lines, text = document.lines, document.text
    mark = text.startswith("\ufeff")  # which the parser does not count
    start = lines.told(problem.line, problem.column + (mark and problem.line == 1))
    if problem.end_line:
        end = lines.told(problem.end_line, problem.end_column + (mark and problem.end_line == 1))
    else:
        number = document.word_at(start)
        word = document.words[number] if number is not None else None
        whole = word is not None and word.kind != "BROKEN" and word.offset == start
        end = document.end(word) if whole and word is not None else start + 1
    end = min(max(end, start), len(text))
    if end == start:
        begin = lines.start_of_line(start)
        return (start - 1, start) if start > begin else (start, min(start + 1, lines.end_of_line(start)))
    return start, end
