"""`sievemda sieve test`, and `sievemda test` for short."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import click


@click.command(epilog="Example: sievemda sieve test --format tap filters/*.svtest")
@click.option(
    "--format", "form", type=click.Choice(["text", "tap", "junit", "json"]), default="text", show_default=True
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("-k", "pattern", metavar="REGEX", help="Only tests whose name matches.")
@click.option("-x", "--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def test(form: str, pattern: str | None, fail_fast: bool, files: tuple[Path, ...]) -> int:
    """Run tests of Sieve scripts, written in Sieve (vnd.dovecot.testsuite).

    A first cut: test, test_fail, test_set (message, envelope), test_script_compile, test_script_run, test_error,
    test_result_action and test_result_reset. What carries actions out (test_result_execute, test_message, the mail
    store), settings, several scripts in a row and saved programs are not there yet: a file that uses them does not
    compile and counts as an error.

    Exit status: 0 all passed, 1 not all, 2 wrong usage or unreadable file, 5 no test found.
    """
    from sievemda.sieve.testing.formats import FORMATS
    from sievemda.sieve.testing.runner import run_file

    try:
        only = re.compile(pattern) if pattern else None
    except re.error as e:
        raise click.UsageError(f"-k {pattern}: {e}", click.get_current_context()) from e
    started = time.perf_counter()
    results = []
    for file in files:
        try:
            results.append(run_file(file, only=only, fail_fast=fail_fast))
        except OSError as e:
            print(f"sievemda: {file}: {e.strerror}", file=sys.stderr)
            return 2
        if fail_fast and results[-1].status != "passed":
            break
    print(FORMATS[form](results, time.perf_counter() - started))
    if any(result.status != "passed" for result in results):
        return 1
    return 0 if any(result.cases for result in results) else 5
