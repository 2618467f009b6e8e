"""`sievemda probe`: does mail get through, and how long does it take?"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.seconds import Seconds
from sievemda.cli.terminal import clean
from sievemda.errors import SievemdaError, UsageError, exit_code

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.mail.address import Address
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.probing.doors import Place
    from sievemda.upkeep.probing.round import Imap, Report, Way

_PLACE = re.compile(r"(?:inet:)?(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]:]+)):([0-9]{1,5})")
_OK, _WARNING, _CRITICAL = 0, 1, 2  # of monitoring plug-ins
_NAMES = ("OK", "WARNING", "CRITICAL")
_LARGEST = 64 << 20


@click.command(epilog="Example: sievemda probe alice --warning 1 --critical 10")
@click.argument("user")
@click.option("--lmtp", metavar="PLACE", help="unix:PATH or inet:HOST:PORT; the server's own socket by default.")
@click.option("--smtp", metavar="HOST:PORT", help="Through this mail server instead, which hands it on.")
@click.option("--managesieve", metavar="HOST:PORT", help="This server must greet, too.")
@click.option("--imap", metavar="HOST:PORT", help="The message must be seen there, too.")
@click.option("--imaps", is_flag=True, help="IMAP with TLS from the beginning.")
@click.option("--imap-user", metavar="NAME", help="Who logs in there; USER by default.")
@click.option("--password-file", type=click.Path(path_type=Path), help="His password; else SIEVEMDA_PASSWORD.")
@click.option("--warning", type=Seconds(), metavar="SECONDS", help="More for the whole way is worth a warning.")
@click.option("--critical", type=Seconds(), metavar="SECONDS", help="More for the whole way is a failure.")
@click.option("--timeout", type=Seconds(0.1, 86_400), default=30.0, show_default=True, help="Seconds for a hop.")
@click.option(
    "--size", type=click.IntRange(0, _LARGEST), default=2048, show_default=True, help="Octets of the message."
)
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True, help="So many messages.")
@click.option("--interval", type=Seconds(), default=1.0, show_default=True, help="Seconds between them.")
@click.option("--keep", is_flag=True, help="Leave the message where it was found.")
@click.option("--nagios", is_flag=True, help="One line and the exit codes 0, 1, 2 of monitoring plug-ins.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a message.")
@click.pass_obj
def probe(settings: Settings, /, user: str, **options: Any) -> int:
    """Send a message to USER (an address, also with a detail), find it in his Maildir, read it back and remove it.

    Each hop is shown with its time. Exit codes: 0 when all went well; 75 when the message is late, refused for now or
    slower than --critical; 67 no such user; 65 refused for good, or not what was sent; 69 a server is not there; 77 not
    let in. With --nagios 0 all well, 1 slower than --warning, 2 everything else.
    """
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.probing.round import probe as send

    limits = (options["warning"], options["critical"])
    store = MailStore(settings)
    try:
        way = _way(settings, store, user, options)
    except SievemdaError as error:
        if not options["nagios"]:
            raise
        click.echo(f"PROBE CRITICAL - {clean(str(error))}")
        return _CRITICAL
    worst = os.EX_OK
    for number in range(options["count"]):
        if number:
            time.sleep(options["interval"])
        report = send(store, way)
        level = _level(report, limits)
        worst = max(worst, level) if options["nagios"] else worst or _code(report, level)
        _show(report, level, limits, options)
    return worst


def _way(settings: Settings, store: MailStore, user: str, options: dict[str, Any]) -> Way:
    from sievemda.upkeep.probing.round import Way

    recipient, userid = _recipient(settings, store, user)
    place: Path | Place = settings.lmtp_socket
    if given := options["lmtp"]:
        place = Path(given.removeprefix("unix:")) if given.startswith("unix:") else _place("--lmtp", given)
    smtp = _place("--smtp", options["smtp"]) if options["smtp"] else None
    sieve = _place("--managesieve", options["managesieve"]) if options["managesieve"] else None
    return Way(
        recipient, userid, place, smtp, sieve, _imap(userid, options),
        size=options["size"], patience=options["timeout"], keep=options["keep"],
    )  # fmt: skip


def _recipient(settings: Settings, store: MailStore, user: str) -> tuple[Address, str]:
    """The address, and the user id that it leads to."""
    from sievemda.mail.address import parse_address

    address = parse_address(user)
    if address is None:
        raise UsageError(f"probe: {user!r} is not the address of a user")
    local = address.local
    for delimiter in settings.delivery.recipient_delimiter:
        local = local.partition(delimiter)[0] if local.find(delimiter) > 0 else local
    domain = address.domain if settings.site.virtdomains != "off" else ""
    return address, store.namespace.user(local, domain)


def _imap(userid: str, options: dict[str, Any]) -> Imap | None:
    from sievemda.given import read_given
    from sievemda.upkeep.probing.round import Imap

    if not options["imap"]:
        return None
    password = os.environ.get("SIEVEMDA_PASSWORD", "")
    if file := options["password_file"]:
        password = read_given(file).decode("utf-8", "surrogateescape").partition("\n")[0].rstrip("\r")
    if not password:
        raise UsageError("probe: --imap wants a password: name a file with --password-file, or set SIEVEMDA_PASSWORD")
    return Imap(_place("--imap", options["imap"]), options["imap_user"] or userid, password, options["imaps"])


def _place(option: str, text: str) -> Place:
    from sievemda.upkeep.probing.doors import Place

    match = _PLACE.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 65536:
        raise UsageError(f"probe: {option} {text!r}: write HOST:PORT")
    return Place(match[1] or match[2], int(match[3]))


def _level(report: Report, limits: tuple[float | None, float | None]) -> int:
    warning, critical = limits
    if report.error is not None or (critical is not None and report.seconds > critical):
        return _CRITICAL
    return _WARNING if warning is not None and report.seconds > warning else _OK


def _code(report: Report, level: int) -> int:
    if report.error is not None:
        return exit_code(report.error)
    return os.EX_TEMPFAIL if level == _CRITICAL else os.EX_OK


def _show(report: Report, level: int, limits: Sequence[float | None], options: dict[str, Any]) -> None:
    if options["as_json"]:
        hops = [{"hop": hop.name, "seconds": round(hop.seconds, 6), "said": hop.said} for hop in report.hops]
        state = {"state": _NAMES[level].lower(), "seconds": round(report.seconds, 6), "failed": report.failed or None}
        click.echo(json.dumps({**state, "hops": hops}))
        return
    last = clean(report.hops[-1].said) if report.hops else ""
    if options["nagios"]:
        text = f"{report.failed}: {last}" if report.error else f"{report.seconds:.3f} s"
        bounds = ";".join("" if limit is None else f"{limit:g}" for limit in limits)
        figures = " ".join(f"{hop.name}={hop.seconds:.3f}s" for hop in report.hops)
        text = text.replace("|", "/")
        click.echo(f"PROBE {_NAMES[level]} - {text} | time={report.seconds:.3f}s;{bounds} {figures}")
        return
    for hop in report.hops:
        failed = " FAILED" if hop.name == report.failed else ""
        click.echo(f"{hop.name:12} {hop.seconds:8.3f} s{failed}  {clean(hop.said)}")
    word = {_OK: "ok", _WARNING: "slow"}.get(level, "failed" if report.error else "too slow")
    click.echo(f"{'all':12} {report.seconds:8.3f} s  {word}")
