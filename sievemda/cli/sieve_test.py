"""`sievemda sieve test`, and `sievemda test` for short."""

from __future__ import annotations

import io
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sievemda.sieve.problems import Problem
    from sievemda.sieve.testing.coverage import Coverage
    from sievemda.sieve.testing.result import FileResult, Totals
    from sievemda.sieve.testing.runner import Order
    from sievemda.sieve.testing.world import MakeWorld, World

PASSED, FAILED, USAGE, NO_TEST, INTERRUPTED = 0, 1, 2, 5, 130


@click.command(epilog="Example: sievemda sieve test --format tap filters/*.svtest")
@click.option(
    "--format", "form", type=click.Choice(["text", "tap", "junit", "json"]), default="text", show_default=True
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("-F", "--expect-failure", is_flag=True, help="A file passes when all its tests fail or it is no script.")
@click.option("-E", "--log-errors", is_flag=True, help="Every entry of the error log, on standard error.")
@click.option("--set", "sets", metavar="KEY=VALUE", multiple=True, help="A setting of the test language; repeatable.")
@click.option("--timeout", metavar="SECONDS", type=float, default=60, show_default=True, help="For each file; 0: none.")
@click.option(
    "--work-dir",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the mail store of each file is made, and left; default: a temporary directory.",
)
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option("-k", "pattern", metavar="REGEX", help="Only tests whose name matches.")
@click.option("--coverage", "covered", is_flag=True, help="Say which rules of the scripts no test has reached.")
@click.option("--coverage-file", metavar="FILE", type=click.Path(path_type=Path), help="The same in lcov's format.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def test(
    form: str,
    expect_failure: bool,
    log_errors: bool,
    sets: tuple[str, ...],
    timeout: float,
    work_dir: Path | None,
    fail_fast: bool,
    pattern: str | None,
    covered: bool,
    coverage_file: Path | None,
    files: tuple[Path, ...],
) -> int:
    """Run tests of Sieve scripts, written in Sieve (vnd.dovecot.testsuite).

    Exit status: 0 all tests of all files passed; 1 one failed, or a file does not compile, was aborted or timed out; 2
    wrong usage, or a file cannot be read; 5 there is no test in any file; 130 interrupted.
    """
    from sievemda.sieve.testing.coverage import Coverage
    from sievemda.sieve.testing.result import Totals
    from sievemda.sieve.testing.runner import Order

    if math.isnan(timeout) or timeout < 0:
        _wrong(f"--timeout {timeout:g}: it is a number of seconds, 0 for none")
    coverage = Coverage() if covered or coverage_file else None
    order = Order(
        only=_regex(pattern),
        fail_fast=fail_fast,
        expect_failure=expect_failure,
        settings=_settings(sets),
        timeout=timeout,
        say=_to(sys.stdout if form == "text" else sys.stderr),
        told=_tell if log_errors else None,
        make_world=_maker(work_dir),
        coverage=coverage,
    )
    started = time.perf_counter()
    results = _run(files, order, form)
    totals = Totals(results, time.perf_counter() - started)
    _report(totals, form, coverage if covered else None)
    if coverage is not None and coverage_file is not None:
        try:
            coverage_file.write_text(coverage.lcov(), "utf-8", "replace")
        except OSError as e:
            print(f"sievemda: {coverage_file}: {e.strerror or e}", file=sys.stderr)
            return USAGE
    return _code(results)


def _wrong(text: str) -> None:
    raise click.UsageError(text, click.get_current_context())


def _regex(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern is not None else None
    except re.error as e:
        raise click.UsageError(f"-k {pattern}: {e}", click.get_current_context()) from e


def _maker(work_dir: Path | None) -> MakeWorld:
    """What makes the world of a test file, when it needs one."""
    if work_dir is not None:
        try:
            work_dir.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            _wrong(f"--work-dir {work_dir}: {e.strerror or e}")

    def make() -> World:
        from sievemda.delivery.scratch import ScratchWorld

        return ScratchWorld(work_dir)

    return make


def _settings(sets: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each `KEY=VALUE`, tried once, so that a wrong one is told of before anything runs."""
    from sievemda.sieve.testing.runner import Order, settings_of

    found = []
    for text in sets:
        name, separator, value = text.partition("=")
        if not separator:
            _wrong(f"--set {text}: it is KEY=VALUE")
        found.append((name.strip(), value))
    try:
        settings_of(Order(settings=tuple(found)), Path.cwd())
    except ValueError as e:
        raise click.UsageError(f"--set: {e}", click.get_current_context()) from e
    return tuple(found)


def _run(files: Sequence[Path], order: Order, form: str) -> list[FileResult]:
    """Run the files, and tell of each when it is done."""
    from sievemda.sieve.testing.runner import list_file, run_file

    results: list[FileResult] = []
    for file in files:
        ended = bool(results) and (
            results[-1].trouble == "interrupted" or (order.fail_fast and not all(r.passed for r in results))
        )
        result = list_file(file, order) if ended else run_file(file, order)
        results.append(result)
        _tell_of(result, form)
    return results


def _tell_of(result: FileResult, form: str) -> None:
    from sievemda.cli.sieve_report import problem_lines
    from sievemda.cli.terminal import clean
    from sievemda.sieve.testing.formats import text_block

    for line in problem_lines(str(result.path), result.problems):
        print(line, file=sys.stderr)
    if result.error is not None and not result.problems:
        place = f"{result.path}:{result.line}" if result.line else str(result.path)
        print(clean(f"{place}: error: {result.error}"), file=sys.stderr)
    if form == "text":
        print(*text_block(result), sep="\n", flush=True)


def _report(totals: Totals, form: str, coverage: Coverage | None) -> None:
    from sievemda.sieve.testing.formats import as_json, tap
    from sievemda.sieve.testing.junit import junit

    if form != "text" and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # whatever people read here
    match form:
        case "tap":
            print(tap(totals))
        case "junit":
            print(junit(totals))
        case "json":
            print(as_json(totals, coverage))
        case _:
            print(*(coverage.lines() if coverage else ()), "", totals.sentence, sep="\n")
    if coverage is not None and form in {"tap", "junit"}:
        print(*coverage.lines(), sep="\n", file=sys.stderr)


def _code(results: Sequence[FileResult]) -> int:
    troubles = {result.trouble for result in results}
    if "interrupted" in troubles:
        return INTERRUPTED
    if "unreadable" in troubles:
        return USAGE
    if not all(result.passed for result in results):
        return FAILED
    return PASSED if any(result.cases or result.error is not None for result in results) else NO_TEST


def _tell(problem: Problem) -> None:
    """An entry of an error log."""
    from sievemda.cli.terminal import clean

    place = f"{problem.script}:{problem.line}" if problem.line else problem.script
    print(clean(f"{place}: error: {problem.text}" if place else f"error: {problem.text}"), file=sys.stderr)


def _to(stream: object) -> Callable[[str], None]:
    """What prints there, line by line, whatever strangers have written."""
    from sievemda.cli.terminal import clean

    def say(text: str) -> None:
        for line in text.split("\n"):
            print(clean(line.removesuffix("\r")), file=stream)  # type: ignore[call-overload]

    return say
