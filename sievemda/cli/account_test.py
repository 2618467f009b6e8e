"""`sievemda account test`: does a password let somebody in, and which back end says so."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

import click

from sievemda.auth.backends import Answer, Verdict
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.cli.account import one_line_of_input
from sievemda.cli.mailbox import print_json
from sievemda.config import Settings
from sievemda.errors import NotPermitted, SievemdaError, TemporaryTrouble

_WORDS = {
    Verdict.RIGHT: "the password is right",
    Verdict.WRONG: "the password is wrong, or may not be used now or from there",
    Verdict.UNKNOWN: "no such user, or a wrong password",
}


def _address(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        return value and str(ipaddress.ip_address(value))
    except ValueError as e:
        raise click.BadParameter(f"{value[:80]!r} is no IP address") from e


@click.command(epilog="Example: sievemda account test alice < password-file")
@click.argument("user")
@click.option(
    "--address", metavar="IP", default="", callback=_address, help="As if he came from there; else from a UNIX socket."
)
@click.option("--service", type=click.Choice(["sieve", "lmtp"]), default="sieve", help="What he would log in to.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: user, userid, accepted and backends.")
@click.pass_obj
def test(settings: Settings, user: str, address: str, service: str, as_json: bool) -> None:
    """Try the password of USER at every back end up to the one that decides, and say what each one said.

    It is asked for on a terminal; otherwise it is the first line of standard input. Exit code 77 when he would be
    refused, 75 when a back end does not answer.
    """
    users = users_of(settings)
    client, password = Client(address, service=service), one_line_of_input()
    said: list[tuple[str, Answer]] = []
    trouble: SievemdaError | None = None
    try:
        said.extend(users.asked(user, password, client))
        userid = users.recognised(user, said[-1][1])
    except TemporaryTrouble as e:
        trouble, userid = e, None
    rows: list[dict[str, Any]] = [{"backend": name, "verdict": answer.verdict.value} for name, answer in said]
    if trouble is not None:
        down = settings.auth.auth_backends[len(said)]
        rows.append({"backend": down, "verdict": "trouble", "text": str(trouble)})
    if as_json:
        print_json({"user": user, "userid": userid, "accepted": userid is not None, "backends": rows})
    else:
        for name, answer in said:
            sys.stdout.write(f"{name}: {_WORDS[answer.verdict]}\n")
    if trouble is not None:
        raise TemporaryTrouble(f"{down}: {trouble}")
    if userid is None:
        raise NotPermitted(f"{user} would be refused")
    if not as_json:
        sys.stdout.write(f"{userid} can log in\n")
