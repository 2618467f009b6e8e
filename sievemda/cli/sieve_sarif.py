"""Problems in the form of code-review tools: SARIF 2.1.0 (OASIS)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sievemda import __version__
from sievemda.sieve.findings import FINDINGS
from sievemda.sieve.problems import Problem
from sievemda.sieve.report import shown

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(found: Iterable[tuple[str, tuple[Problem, ...]]], unreadable: Iterable[str]) -> dict[str, Any]:
    """One run over some files; `unreadable` says what could not be looked at."""
    results = [(file, problem) for file, problems in found for problem in problems]
    codes = sorted({problem.code or "argument" for _, problem in results})
    failures = [{"level": "error", "message": {"text": text}} for text in unreadable]
    run = {
        "tool": {"driver": {"name": "sievemda", "version": __version__, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not failures, "toolExecutionNotifications": failures}],
        "results": [_result(file, problem, codes) for file, problem in results],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    text = FINDINGS[code]
    return {"id": code, "shortDescription": {"text": text}, "help": {"text": text}}


def _result(file: str, problem: Problem, codes: list[str]) -> dict[str, Any]:
    code = problem.code or "argument"
    region = {"startLine": problem.line, "startColumn": problem.column}
    if problem.end_line:
        region |= {"endLine": problem.end_line, "endColumn": problem.end_column}
    place = {"artifactLocation": {"uri": _uri(problem.script or file)}, "region": region}
    return {
        "ruleId": code,
        "ruleIndex": codes.index(code),
        "level": problem.severity,
        "message": {"text": shown(problem.sentence)},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    """A path as SARIF wants it: relative ones relative, others as file URIs."""
    if file == "-":
        return "stdin"
    return Path(file).as_uri() if Path(file).is_absolute() else quote(Path(file).as_posix())
