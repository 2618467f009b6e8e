"""`sievemda sieve`: the language tools. They need no server and no configuration; given one, they keep to its limits.

Exit codes: 0 all is well, 1 a script is wrong (or stopped with an error), 2 a file cannot be read, or wrong usage.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.sieve_event import event
from sievemda.cli.sieve_test import test

if TYPE_CHECKING:
    from sievemda.mail.address import Address
    from sievemda.mail.envelope import Envelope
    from sievemda.mail.message import Message
    from sievemda.sieve.limits import Limits
    from sievemda.sieve.problems import Problem
    from sievemda.sieve.run import Outcome

WRONG, UNREADABLE = 1, 2


class Unreadable(click.ClickException):
    exit_code = UNREADABLE


@click.group(epilog="Example: sievemda sieve check alice.sieve")
def sieve() -> None:
    """Check, try and test Sieve scripts."""


sieve.add_command(test)
sieve.add_command(event)


@sieve.command(epilog="Example: sievemda sieve check ~/sieve/*.sieve")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(files: tuple[str, ...], as_json: bool) -> int:
    """Say everything that is wrong with each FILE (`-` is standard input).

    Problems are printed as FILE:LINE:COLUMN: error|warning: TEXT. Exit code 0: all are valid, 1: one is not, 2: one
    cannot be read.
    """
    from sievemda.sieve.check import check_script
    from sievemda.sieve.report import problem_to_json, shown

    limits, available = _language()
    code, found = 0, []
    for file in files:
        try:
            problems = check_script(_read(file), limits, available)
        except Unreadable as e:
            e.show()
            code = UNREADABLE
            continue
        valid = not any(problem.severity == "error" for problem in problems)
        code = code if valid else max(code, WRONG)
        found.append({"file": file, "valid": valid, "problems": [problem_to_json(problem) for problem in problems]})
        for problem in () if as_json else problems:
            click.echo(f"{file}:{shown(str(problem))}")
    if as_json:
        click.echo(json.dumps({"files": found}))
    return code


@sieve.command(
    epilog="Example: sievemda sieve run --from bob@example.net --to alice+lists@example.org alice.sieve message.eml"
)
@click.argument("script")
@click.argument("message")
@click.option("--from", "sender", metavar="A", help="Envelope sender; <> is the null one. Default: from the header.")
@click.option("--to", "recipient", metavar="A", help="Envelope recipient. Default: from the header.")
@click.option("--mailbox", "mailboxes", metavar="NAME", multiple=True, help="A mailbox that exists; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def run(
    script: str, message: str, sender: str | None, recipient: str | None, mailboxes: tuple[str, ...], as_json: bool
) -> int:
    """Run SCRIPT on MESSAGE and say which tests were tried, and what would be done. Nothing is done.

    Either may be `-` for standard input. Line ends of the message may be LF or CRLF; a `From ` line of an mbox is
    passed over. Exit code 0; 1 when the script is not valid or stops with an error; 2 when a file cannot be read.
    """
    from sievemda.sieve.compile import compile_script
    from sievemda.sieve.problems import ScriptError
    from sievemda.sieve.rehearsal import message_of
    from sievemda.sieve.run import run as run_program

    limits, available = _language()
    mail = message_of(_read(message))
    envelope = _envelope(mail, sender, recipient)
    try:
        program = compile_script(_read(script), limits, available)
    except ScriptError as e:
        _print_problems(script, e.problems, as_json)
        return WRONG
    outcome = run_program(program, mail, envelope, _facts(mailboxes), limits)
    if as_json:
        problems = (*program.problems, *((outcome.failure,) if outcome.failure else ()))
        click.echo(json.dumps(_outcome_to_json(outcome, problems)))
    else:
        _print_outcome(script, outcome, program.problems)
    return WRONG if outcome.failure else 0


def _language() -> tuple[Limits, frozenset[str] | None]:
    """The limits and capabilities of the site when one is named on the command line, else the defaults."""
    from sievemda.sieve.limits import Limits

    given = click.get_current_context().find_root().params
    file, data, sets = given.get("file"), given.get("data"), given.get("sets", ())
    if not (file or data or sets):
        return Limits(), None
    from sievemda.configload import load
    from sievemda.language import language_extensions, language_limits

    settings = load(file, data or (None if file else Path.cwd()), sets)
    return language_limits(settings), language_extensions(settings)


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as e:
        raise Unreadable(f"cannot read {file}: {e.strerror or e}") from e


def _facts(mailboxes: tuple[str, ...]) -> Any:
    from datetime import UTC, datetime

    from sievemda.sieve.rehearsal import Imagined

    return Imagined(datetime.now(UTC).astimezone(), frozenset({"INBOX", *mailboxes}))


def _envelope(message: Message, sender: str | None, recipient: str | None) -> Envelope:
    from sievemda.mail.envelope import Envelope, Recipient, Sender
    from sievemda.sieve.rehearsal import recipient_of, sender_of

    null = sender is not None and sender.strip() in {"", "<>"}
    reverse_path = None if null else sender_of(message) if sender is None else _address("--from", sender)
    return Envelope(
        Sender(reverse_path), Recipient(recipient_of(message) if recipient is None else _address("--to", recipient))
    )


def _address(option: str, text: str) -> Address:
    from sievemda.mail.address import parse_address, strip_route

    path = text.strip()
    found = parse_address(strip_route(path[1:-1] if path.startswith("<") and path.endswith(">") else path))
    if found is None:
        raise click.UsageError(f"{option}: not an address: {text}", click.get_current_context())
    return found


def _outcome_to_json(outcome: Outcome, problems: tuple[Problem, ...]) -> dict[str, Any]:
    from sievemda.sieve.report import problem_to_json, to_json, tried_to_json

    return {
        "actions": [to_json(effect) for effect in outcome.carried_out],
        "implicit_keep": outcome.implicit_keep,
        "tests": [tried_to_json(tried) for tried in outcome.tests],
        "problems": [problem_to_json(problem) for problem in problems],
    }


def _print_problems(script: str, problems: tuple[Problem, ...], as_json: bool) -> None:
    from sievemda.sieve.report import shown
    from sievemda.sieve.run import Outcome

    if as_json:
        broken = Outcome((), implicit_keep=True, failure=problems[0], tests=())
        click.echo(json.dumps(_outcome_to_json(broken, problems)))
        return
    for problem in problems:
        click.echo(f"{script}:{shown(str(problem))}")


def _print_outcome(script: str, outcome: Outcome, warnings: tuple[Problem, ...]) -> None:
    from sievemda.sieve.report import shown, to_json, tried_to_json

    for warning in warnings:
        click.echo(f"{script}:{shown(str(warning))}")
    click.echo("tests:" if outcome.tests else "no test was tried")
    for tried in outcome.tests:
        data = tried_to_json(tried)
        click.echo(f"  line {tried.line}: {tried.test} is {str(tried.result).lower()}")
        for one in data["compared"]:
            values, keys = (", ".join(map(_quoted, texts)) or "nothing" for texts in (one["values"], one["keys"]))
            click.echo(f"      {values}  compared with  {keys}")
    if outcome.failure:
        click.echo(f"{script}:{shown(str(outcome.failure))}")
    click.echo("actions:")
    for effect in outcome.carried_out:
        data = to_json(effect)
        action, line = data.pop("action"), f"line {effect.line}" if effect.line else "no line"
        details = ", ".join(f"{key} {_worded(value)}" for key, value in data.items() if value not in (None, [], False))
        click.echo(f"  {action}" + (f" {details}" if details else "") + f"  ({line})")


def _worded(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "yes" if value is True else _quoted(str(value))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
