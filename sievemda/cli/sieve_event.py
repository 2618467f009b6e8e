"""`sievemda sieve event`: run the script of an IMAP event on a stored message. RFC 6785.

For an IMAP server that tells another program what its users do, and for trying such a script out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.delivery.event import Happened

WRONG, UNREADABLE = 1, 2
_CAUSES = ("APPEND", "COPY", "FLAG")


@click.command(epilog="Example: sievemda sieve event --user alice --mailbox Lists --cause COPY 1795307048.M1P1.host")
@click.argument("message")
@click.option("--user", required=True, metavar="USER", help="Whose mailbox it is, and who did it.")
@click.option("--mailbox", "name", default="INBOX", metavar="NAME", help="The mailbox, as the user calls it.")
@click.option("--cause", required=True, type=click.Choice(_CAUSES, case_sensitive=False), help="What was done.")
@click.option("--changed-flags", "flags", default="", metavar="FLAGS", help="Those that a FLAG event has changed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def event(ctx: click.Context, message: str, user: str, name: str, cause: str, flags: str, as_json: bool) -> int:
    r"""Run the script of an IMAP event on MESSAGE: its file, the name of its file, or its UID.

    The script is the one that the annotation /shared/imapsieve/script of the mailbox, else of the server, names, among
    the scripts of the user. What it decides is done: keep leaves the message with the flags of the script, what takes
    it away marks it \Deleted, copies and mail go out as at a delivery.

    Exit code 0, also when there is no script; 1 when the script is not valid, stops with an error, or cannot be
    followed; 2 when there is no such user, mailbox or message.
    """
    from sievemda.errors import DataError, NotFound

    settings: Settings = ctx.meta["sievemda.load"]()
    try:
        happened = _happened(settings, message, user, name, cause.upper(), flags)
    except (NotFound, DataError) as e:
        click.echo(f"sievemda: {e}", err=True)
        return UNREADABLE
    told = _told(happened)
    if as_json:
        click.echo(json.dumps(told))
    else:
        _print(told)
    return WRONG if happened.problems or happened.account.failure else 0


def _happened(settings: Settings, message: str, user: str, name: str, cause: str, flags: str) -> Happened:
    from sievemda import assembly
    from sievemda.delivery.event import Event, find_message
    from sievemda.errors import NotFound
    from sievemda.store.mailstore import MailStore

    store = MailStore(settings)
    userid = store.namespace.userid(user)
    mailbox = store.find(store.namespace.parse_user(name, userid))
    if mailbox is None:
        raise NotFound(f"no mailbox {name}")
    changed = tuple(flags.split())
    return assembly.events(settings).handle(Event(userid, mailbox, find_message(mailbox, message), cause, changed))


def _told(happened: Happened) -> dict[str, Any]:
    from sievemda.sieve.report import problem_to_json, to_json, tried_to_json

    outcome, account = happened.outcome, happened.account
    return {
        "script": happened.script,
        "actions": [to_json(effect) for effect in outcome.carried_out] if outcome else [],
        "tests": [tried_to_json(tried) for tried in outcome.tests] if outcome else [],
        "done": account.done,
        "not_done": [{"action": left.action, "line": left.line, "why": left.why} for left in account.not_done],
        "failure": account.failure,
        "flags": list(happened.flags),
        "problems": [problem_to_json(problem) for problem in happened.problems],
    }


def _print(told: dict[str, Any]) -> None:
    if told["script"] is None:
        click.echo("no script for this event")
        return
    click.echo(f"script: {told['script']}")
    for problem in told["problems"]:
        click.echo(f"line {problem['line']}: {problem['severity']}: {problem['text']}")
    for done in told["done"]:
        details = " ".join(f"{key}={value}" for key, value in done.items() if key not in {"action", "line"})
        click.echo(f"done: {done['action']} {details}")
    for left in told["not_done"]:
        click.echo(f"not done: {left['action']}: {left['why']}")
    if told["failure"]:
        click.echo(f"failed: {told['failure']}")
    click.echo(f"flags: {' '.join(told['flags']) or '-'}")
