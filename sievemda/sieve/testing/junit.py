"""The outcome of test files as JUnit's XML, which most systems of continuous integration read.

A test that did not run is `skipped`, one that failed has a `failure`; a file that does not compile, was aborted or
timed out is one more test case with an `error`. What was expected to fail is `skipped` too when it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from sievemda.sieve.testing.cases import FAILED, NOT_RUN, PASSED, Case
from sievemda.sieve.testing.formats import title
from sievemda.sieve.testing.result import FileResult, Totals


def junit(totals: Totals) -> str:
    counts = sum((_counts(result) for result in totals.results), Counter[str]())
    head = f'<testsuites name="sievemda sieve test"{_numbers(counts)} time="{totals.duration:.4f}">'
    body = [line for result in totals.results for line in _suite(result)]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *body, "</testsuites>"])


def _counts(result: FileResult) -> Counter[str]:
    expected = result.expect_failure and result.passed
    error, failed = int(result.error is not None), result.count(FAILED)
    return Counter(
        tests=len(result.cases) + error,
        failures=0 if expected else failed,
        errors=0 if expected else error,
        skipped=result.count(NOT_RUN) + (failed + error if expected else 0),
    )


def _numbers(counts: Counter[str]) -> str:
    return "".join(f' {name}="{counts[name]}"' for name in ("tests", "failures", "errors", "skipped"))


def _suite(result: FileResult) -> Iterator[str]:
    name = _attribute(str(result.path))
    yield f' <testsuite name={name}{_numbers(_counts(result))} time="{result.duration:.4f}">'
    expected = result.expect_failure and result.passed
    for case in result.cases:
        head = f"  <testcase classname={name} name={_attribute(title(case))} file={name}"
        head += f' line="{case.line}" time="{case.duration:.4f}"'
        yield head + _body(case, expected=expected)
    if result.error is not None:
        fault = _skipped("expected to fail") if expected else _fault("error", result.error, result)
        place = f'file={name} line="{max(result.line, 1)}"'
        yield f'  <testcase classname={name} name={name} {place} time="0">{fault}</testcase>'
    yield " </testsuite>"


def _body(case: Case, *, expected: bool) -> str:
    if case.status == PASSED:
        return "/>"
    if case.status == NOT_RUN:
        return f">{_skipped('not run')}</testcase>"
    message = case.message or "failed"
    if expected:
        return f">{_skipped(f'failed as expected: {message}')}</testcase>"
    where = f"line {case.failed_at}: " if case.failed_at else ""
    return f">{_element('failure', message, where + message)}</testcase>"


def _fault(kind: str, message: str, result: FileResult) -> str:
    return _element(kind, message, "\n".join([message, *(f"{result.path}:{problem}" for problem in result.problems)]))


def _element(kind: str, message: str, body: str) -> str:
    return f"<{kind} message={_attribute(message)}>{escape(_legal(body))}</{kind}>"


def _skipped(why: str) -> str:
    return f"<skipped message={_attribute(why)}/>"


def _attribute(value: str) -> str:
    return quoteattr(_legal(value).replace("\n", " "))


def _legal(value: str) -> str:
    """XML 1.0 has no place for most control characters, and none for what is not UTF-8."""
    return "".join(c if c == "\n" or (c >= " " and not _impossible(c)) else " " for c in value)


def _impossible(character: str) -> bool:
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff\x7f"
