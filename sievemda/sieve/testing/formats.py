"""The outcome of test files, for people and for programs: plain text, TAP, JSON. JUnit's XML is in `junit`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sievemda.sieve.testing.cases import NOT_RUN, PASSED, Case
from sievemda.sieve.testing.coverage import Coverage
from sievemda.sieve.testing.result import FileResult, Totals

_WORDS = {"passed": "ok  ", "failed": "FAIL", "not run": "not run"}


def plain(text: str) -> str:
    """Text on one line: names and reasons come from files, and may hold anything."""
    return "".join(c if c.isprintable() else " " for c in text)


def title(case: Case) -> str:
    return plain(case.name) or "(unnamed)"


def text_block(result: FileResult) -> Iterator[str]:
    """The lines of one file."""
    yield plain(str(result.path))
    for case in result.cases:
        reason = f": {plain(case.message)}" if case.message else ""
        at = f" (line {case.failed_at})" if case.failed_at else ""
        yield f"{case.index:4} {_WORDS[case.status]}  {title(case)}{reason}{at}"
    if result.error is not None:
        yield f"  !! {plain(result.error)}"
    if result.expect_failure:
        yield "  failed, as expected" if result.passed else "  did not fail as expected"


def tap(totals: Totals) -> str:
    """TAP version 14."""
    lines = ["TAP version 14"]
    number = 0
    for result in totals.results:
        for case in result.cases:
            number += 1
            lines += _tap_point(number, result, case)
        if result.error is not None:
            number += 1
            todo = _todo(result)
            lines += [f"not ok {number} - {_described(str(result.path))}{todo}"]
            lines += _tap_block(result.error, max(result.line, 1), result)
    return "\n".join([*lines, f"1..{number}"])


def _tap_point(number: int, result: FileResult, case: Case) -> list[str]:
    head = f"{number} - {_described(str(result.path))}: {_described(title(case))}"
    if case.status == PASSED:
        return [f"ok {head}"]
    if case.status == NOT_RUN:
        return [f"not ok {head} # not run"]
    return [
        f"not ok {head}{_todo(result)}",
        *_tap_block(case.message or "", case.failed_at or case.line, result),
    ]


def _todo(result: FileResult) -> str:
    """How TAP says that a failure is expected."""
    return " # todo expected to fail" if result.expect_failure and result.passed else ""


def _described(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace("#", "\\#")


def _tap_block(message: str, line: int, result: FileResult) -> list[str]:
    fields = {"message": message, "line": line, "file": str(result.path)}
    return ["  ---", *(f"  {key}: {json.dumps(value)}" for key, value in fields.items()), "  ..."]


def as_json(totals: Totals, coverage: Coverage | None = None) -> str:
    document: dict[str, Any] = {
        "version": 1,
        "files": [_file(result) for result in totals.results],
        "summary": {
            "files": len(totals.results),
            "files_passed": sum(result.passed for result in totals.results),
            "tests": totals.tests,
            "passed": totals.passed,
            "failed": totals.failed,
            "not_run": totals.not_run,
            "errors": totals.errors,
            "duration": round(totals.duration, 4),
        },
    }
    if coverage is not None:
        document["coverage"] = coverage.to_json()
    return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace").decode()


def _file(result: FileResult) -> dict[str, Any]:
    return {
        "path": str(result.path),
        "status": result.status,
        "error": result.error,
        "duration": round(result.duration, 4),
        "tests": _tests(result.cases),
    }


def _tests(cases: Sequence[Case]) -> list[dict[str, Any]]:
    return [
        {
            "index": case.index,
            "name": case.name,
            "line": case.line,
            "status": case.status,
            "message": case.message,
            "duration": round(case.duration, 4),
        }
        for case in cases
    ]
