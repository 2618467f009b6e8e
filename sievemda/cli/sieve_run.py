"""`sievemda sieve run`: what a script would do with a message, and why. Nothing is done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.sieve_input import WRONG, language, read

if TYPE_CHECKING:
    from sievemda.cli.sieve_world import Shelf
    from sievemda.sieve.compile import ProgramCache
    from sievemda.sieve.problems import Problem
    from sievemda.sieve.run import Outcome
    from sievemda.sieve.sequence import Stage


@click.command(
    epilog="Example: sievemda sieve run --from bob@example.net --to alice+lists@example.org alice.sieve message.eml"
)
@click.argument("script")
@click.argument("message")
@click.option("--from", "sender", metavar="A", help="Envelope sender; <> is the null one. Default: from the header.")
@click.option("--to", "recipient", metavar="A", help="Envelope recipient. Default: from the header.")
@click.option("--mailbox", "mailboxes", metavar="NAME", multiple=True, help="A mailbox that exists; may be repeated.")
@click.option("--mailbox-id", "ids", metavar="ID", multiple=True, help="An identifier that a mailbox has; repeatable.")
@click.option("--now", metavar="DATE", help="The time of the run: 2026-11-22T10:00:00+01:00, or as in a Date field.")
@click.option("--own", metavar="A", multiple=True, help="An address of the user's beside the recipient; repeatable.")
@click.option("--include", "include", metavar="DIR", multiple=True, help="Where scripts to include are; repeatable.")
@click.option("--before", metavar="SCRIPT", multiple=True, help="A script that runs before SCRIPT; repeatable.")
@click.option("--after", metavar="SCRIPT", multiple=True, help="A script that runs after SCRIPT; repeatable.")
@click.option("--env", "environment", metavar="NAME=VALUE", multiple=True, help="An item of the environment test.")
@click.option("--seen", metavar="ID", multiple=True, help="What the duplicate test has seen before; repeatable.")
@click.option("--special-use", "uses", metavar="MAILBOX=USE", multiple=True, help="A special use; repeatable.")
@click.option("--metadata", "annotations", metavar="[MAILBOX]ENTRY=VALUE", multiple=True, help="An annotation.")
@click.option("--list", "lists", metavar="NAME=A,B", multiple=True, help="An external list; repeatable.")
@click.option("--set", "local_sets", metavar="KEY=VALUE", multiple=True, help="A setting; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def run(
    script: str,
    message: str,
    sender: str | None,
    recipient: str | None,
    include: tuple[str, ...],
    before: tuple[str, ...],
    after: tuple[str, ...],
    local_sets: tuple[str, ...],
    as_json: bool,
    **world: Any,
) -> int:
    """Run SCRIPT on MESSAGE and say which tests were tried, and what would be done. Nothing is done.

    Either may be `-` for standard input. Line ends of the message may be LF or CRLF; a `From ` line of an mbox is
    passed over. Scripts to include are looked for in each DIR, else beside SCRIPT: included/NAME.sieve or NAME.sieve,
    for global ones included-global/NAME.sieve. Exit code 0; 1 when a script is not valid or stops with an error; 2
    when a file cannot be read.
    """
    from sievemda.cli.sieve_world import Shelf, World, envelope_of
    from sievemda.sieve.compile import ProgramCache
    from sievemda.sieve.problems import ScriptError
    from sievemda.sieve.rehearsal import message_of
    from sievemda.sieve.sequence import run_all

    limits, available = language(local_sets)
    mail = message_of(read(message))
    envelope = envelope_of(mail, sender, recipient)
    own_folder = () if script == "-" else (str(Path(script).absolute().parent),)
    shelf = Shelf(tuple(map(Path, include or own_folder)))
    programs = ProgramCache(limits, available)
    facts = World(**world).facts(shelf.loader(programs.get))
    stages, warnings, wrong = [], [], []
    for file in (*before, script, *after):
        try:
            stage, problems = _stage(file, script, shelf, programs)
        except ScriptError as e:
            wrong += _named(e.problems, "" if file == script else file)
            continue
        stages.append(stage)
        warnings += problems
    if wrong:
        _print_problems(script, tuple(wrong), as_json)
        return WRONG
    outcome = run_all(stages, mail, envelope, facts, limits)
    _print_outcome(script, outcome, tuple(warnings), as_json)
    return WRONG if outcome.failure else 0


def _stage(file: str, script: str, shelf: Shelf, programs: ProgramCache) -> tuple[Stage, list[Problem]]:
    """One script of the row, and its warnings. Raises ScriptError."""
    from sievemda.sieve.run import Origin
    from sievemda.sieve.sequence import Stage

    program = programs.get(read(file))
    name = Path(file).stem
    path = shelf.path("personal", name)
    included_as = ("personal", name) if path and path.absolute() == Path(file).absolute() else None
    label = "" if file == script else file
    return Stage(lambda: program, Origin(label, included_as)), _named(program.problems, label)


def _named(problems: tuple[Problem, ...], script: str) -> list[Problem]:
    return [replace(problem, script=script) for problem in problems]


def _print_problems(script: str, problems: tuple[Problem, ...], as_json: bool) -> None:
    from sievemda.cli.sieve_report import problem_lines
    from sievemda.sieve.report import outcome_to_json
    from sievemda.sieve.run import Outcome

    if as_json:
        broken = Outcome((), implicit_keep=True, failure=problems[0], tests=())
        click.echo(json.dumps(outcome_to_json(broken, problems)))
        return
    for line in problem_lines(script, problems):
        click.echo(line)


def _print_outcome(script: str, outcome: Outcome, warnings: tuple[Problem, ...], as_json: bool) -> None:
    from sievemda.cli.sieve_report import outcome_lines
    from sievemda.sieve.report import outcome_to_json

    if as_json:
        problems = (*warnings, *((outcome.failure,) if outcome.failure else ()))
        click.echo(json.dumps(outcome_to_json(outcome, problems)))
        return
    for line in outcome_lines(script, outcome, warnings):
        click.echo(line)
