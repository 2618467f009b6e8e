"""The outcome of test files, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from sievemda.sieve.testing.cases import Case
from sievemda.sieve.testing.runner import FileResult


def count(results: Sequence[FileResult], status: str) -> int:
    return sum(case.status == status for result in results for case in result.cases)


def text(results: Sequence[FileResult], duration: float) -> str:
    lines = []
    for result in results:
        lines.append(str(result.path))
        for case in result.cases:
            told = {"passed": "ok  ", "failed": "FAIL", "not run": "not run"}[case.status]
            reason = f": {case.message}" if case.message else ""
            lines.append(f"{case.index:4} {told}  {case.name or '(unnamed)'}{reason}")
        if result.error:
            lines += [f"  !! {result.error}", *(f"     {problem}" for problem in result.problems)]
    errors = sum(result.error is not None for result in results)
    last = f"{count(results, 'passed')} passed, {count(results, 'failed')} failed"
    if not_run := count(results, "not run"):
        last += f", {not_run} not run"
    if errors:
        last += f", {errors} error{'s' if errors > 1 else ''}"
    return "\n".join([*lines, "", f"{last} in {duration:.2f}s"])


def tap(results: Sequence[FileResult], _duration: float) -> str:
    """TAP version 14."""
    lines = ["TAP version 14"]
    number = 0
    for result in results:
        for case in result.cases:
            number += 1
            lines += _tap_point(number, result, case)
        if result.error:
            number += 1
            lines += [f"not ok {number} - {result.path}", *_tap_block(result.error, 1, result)]
    return "\n".join([*lines, f"1..{number}"])


def _tap_point(number: int, result: FileResult, case: Case) -> list[str]:
    title = f"{result.path}: {case.name or '(unnamed)'}".replace("#", "\\#").replace("\n", " ")
    if case.status == "passed":
        return [f"ok {number} - {title}"]
    if case.status == "not run":
        return [f"not ok {number} - {title} # not run"]
    return [f"not ok {number} - {title}", *_tap_block(case.message or "", case.line, result)]


def _tap_block(message: str, line: int, result: FileResult) -> list[str]:
    fields = {"message": message, "line": line, "file": str(result.path)}
    return ["  ---", *(f"  {key}: {json.dumps(value)}" for key, value in fields.items()), "  ..."]


def as_json(results: Sequence[FileResult], duration: float) -> str:
    files = [
        {
            "path": str(result.path),
            "status": result.status,
            "error": result.error,
            "duration": round(result.duration, 4),
            "tests": [
                {
                    "index": case.index, "name": case.name, "line": case.line, "status": case.status,
                    "message": case.message, "duration": round(case.duration, 4),
                }
                for case in result.cases
            ],
        }
        for result in results
    ]  # fmt: skip
    summary = {
        "files": len(results),
        "files_passed": sum(result.status == "passed" for result in results),
        "tests": sum(len(result.cases) for result in results),
        "passed": count(results, "passed"),
        "failed": count(results, "failed"),
        "not_run": count(results, "not run"),
        "errors": sum(result.error is not None for result in results),
        "duration": round(duration, 4),
    }
    return json.dumps({"version": 1, "files": files, "summary": summary}, indent=1, ensure_ascii=False)


def junit(results: Sequence[FileResult], duration: float) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites time="{duration:.4f}">']
    for result in results:
        name = _attribute(str(result.path))
        failures = sum(case.status != "passed" for case in result.cases)
        errors = int(result.error is not None)
        lines.append(
            f'<testsuite name={name} tests="{len(result.cases) + errors}" failures="{failures}" errors="{errors}">'
        )
        for case in result.cases:
            head = f'<testcase classname={name} name={_attribute(case.name)} time="{case.duration:.4f}"'
            if case.status == "passed":
                lines.append(head + "/>")
            else:
                lines.append(f"{head}><failure message={_attribute(case.message or case.status)}/></testcase>")
        if result.error:
            lines.append(f"<testcase name={name}><error message={_attribute(result.error)}/></testcase>")
        lines.append("</testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _attribute(value: str) -> str:
    """XML 1.0 has no place for most control characters."""
    return quoteattr("".join(c if c >= " " and c not in "\ufffe\uffff" else " " for c in value))


FORMATS = {"text": text, "tap": tap, "json": as_json, "junit": junit}
