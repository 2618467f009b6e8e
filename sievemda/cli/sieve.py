"""`sievemda sieve`: the language tools. They need no server and no configuration; given one, they keep to its limits.

Exit codes: 0 all is well, 1 a script is wrong (or stopped with an error), 2 a file cannot be read, or wrong usage.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from sievemda.cli.sieve_event import event
from sievemda.cli.sieve_format import format_
from sievemda.cli.sieve_input import UNREADABLE, WRONG, Unreadable, language, read
from sievemda.cli.sieve_lsp import lsp
from sievemda.cli.sieve_run import run
from sievemda.cli.sieve_test import test


@click.group(epilog="Example: sievemda sieve check alice.sieve")
def sieve() -> None:
    """Check, try and test Sieve scripts."""


sieve.add_command(test)
sieve.add_command(event)
sieve.add_command(format_)
sieve.add_command(run)
sieve.add_command(lsp)


@sieve.command(epilog="Example: sievemda sieve check ~/sieve/*.sieve")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--include", "include", metavar="DIR", multiple=True, help="Warn of included scripts that are not there.")
@click.option("--cost", "with_cost", is_flag=True, help="What each rule costs, and its share of what a run may spend.")
@click.option("--message", metavar="FILE", help="The costs for this message, in place of the worst case for each KiB.")
@click.option("--set", "local_sets", metavar="KEY=VALUE", multiple=True, help="A setting; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(
    files: tuple[str, ...],
    include: tuple[str, ...],
    with_cost: bool,
    message: str | None,
    local_sets: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say everything that is wrong with each FILE (`-` is standard input).

    Problems are printed as FILE:LINE:COLUMN: error|warning: TEXT. Exit code 0: all are valid, 1: one is not, 2: one
    cannot be read.
    """
    from sievemda.cli.sieve_cost import Pricing
    from sievemda.cli.sieve_report import problem_lines
    from sievemda.cli.sieve_world import Shelf
    from sievemda.sieve.check import check_script
    from sievemda.sieve.report import problem_to_json

    limits, available = language(local_sets)
    shelf = Shelf(tuple(map(Path, include))) if include else None
    pricing = Pricing(limits, available, message) if with_cost or message else None
    code, found = 0, []
    for file in files:
        try:
            text = read(file)
            problems = check_script(text, limits, available, shelf)
        except Unreadable as e:
            e.show()
            code = UNREADABLE
            continue
        valid = not any(problem.severity == "error" for problem in problems)
        code = code if valid else max(code, WRONG)
        costs = pricing.of(file, text) if pricing and valid else None
        told = {"file": file, "valid": valid, "problems": [problem_to_json(problem) for problem in problems]}
        found.append(told | ({"cost": costs.data()} if costs else {}))
        for line in () if as_json else (*problem_lines(file, problems), *(costs.lines() if costs else ())):
            click.echo(line)
    if as_json:
        click.echo(json.dumps({"files": found}))
    return code
