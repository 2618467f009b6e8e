"""The command `sievemda sieveshell`: its options, and where its lines come from."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from sievemda.errors import DataError, UsageError
from sievemda.given import read_given

_FILE = click.Path(path_type=Path)


def _port(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch("[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        text = "it is no port; a password is never taken from the command line (--password-file, or it is asked for)"
        raise click.BadParameter(text, ctx, parameter)
    return int(value)


@click.command(epilog="Example: sievemda sieveshell --ca ca.pem alice@mail.example.org -e 'list; put alice.sieve work'")
@click.argument("server", metavar="[USER@]HOST[:PORT]")
@click.option("--user", "-u", metavar="USER", default="", help="Whose scripts; else those of who logs in.")
@click.option("--authname", "-a", metavar="USER", default="", help="Who logs in; else USER@, or the user of this host.")
@click.option("--realm", "-r", metavar="REALM", default="", help="Put behind a login name that has none.")
@click.option("--mech", "-m", "mechanism", metavar="NAME", default="", help="The SASL mechanism; else the best.")
@click.option("--port", "-p", metavar="PORT", callback=_port, help="Else by SRV records, 4190, or 2000 of old.")
@click.option("--execute", "--exec", "-e", "commands", metavar="COMMANDS", multiple=True, help="Run these; repeatable.")
@click.option("--execfile", "-f", type=_FILE, metavar="FILE", help="Run the commands in FILE; - is standard input.")
@click.option("--starttls", "mode", flag_value="starttls", default=True, help="TLS by STARTTLS, which must work.")
@click.option("--tls", "mode", flag_value="tls", help="TLS from the beginning.")
@click.option("--no-tls", "mode", flag_value="none", help="No TLS: to this host, else only with --insecure.")
@click.option("--insecure", is_flag=True, help="Take any certificate: whoever is between sees everything.")
@click.option("--ca", type=_FILE, metavar="FILE", help="Certificates of authorities to trust, beside the system's.")
@click.option("--cert", type=_FILE, metavar="FILE", help="Our own certificate, for EXTERNAL.")
@click.option("--key", type=_FILE, metavar="FILE", help="Its key, when that is not in the same file.")
@click.option("--password-file", type=_FILE, metavar="FILE", help="Its first line; - is standard input.")
@click.option("--token-file", type=_FILE, metavar="FILE", help="A token of OAuth, for OAUTHBEARER; - as above.")
@click.option("--follow", is_flag=True, help="Go to another host that the server or the DNS names, without asking.")
@click.option("--no-srv", is_flag=True, help="Do not ask the DNS for SRV records.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=30.0, show_default=True, help="For an answer.")
@click.option("--keep-going", "-k", is_flag=True, help="Go on after a command that failed.")
@click.option("--json", "as_json", is_flag=True, help="What is listed as JSON.")
def sieveshell(server: str, commands: tuple[str, ...], execfile: Path | None, **options: Any) -> int:
    """Look after the Sieve scripts on a ManageSieve server, ours or any: `help` in it lists the commands.

    Commands come from -e or -f, else from the terminal, else from standard input. The server is found by the SRV record
    of HOST, must speak TLS and show a certificate for its name. A password is asked for, or comes from --password-file
    or SIEVEMDA_PASSWORD in the environment, a token from --token-file or SIEVEMDA_TOKEN.

    Exit codes are those of sysexits.h, of the first command that failed, which ends the run: 65 a script is not valid,
    67 there is no such script, 69 the server is not there, 73 a script of that name exists, 75 try later, 77 not let in
    or not allowed.
    """
    from sievemda.cli.sieveshell.access import Access
    from sievemda.cli.sieveshell.commands import BY_NAME
    from sievemda.cli.sieveshell.interactive import agrees, choose, interact
    from sievemda.cli.sieveshell.shell import Context, Shell

    _show_warnings()
    from_terminal = not commands and execfile is None and _is_terminal()
    _check_standard_input(commands, execfile, options)
    access = Access(_wanted(server, options), agrees if from_terminal else None)
    context = Context(access, access.open(), options["as_json"], choose if _is_terminal() else None)
    try:
        shell = Shell(context, BY_NAME, options["keep_going"])
        if from_terminal:
            session = context.session
            context.say(f"connected to {session.where}, logged in by {session.mechanism}; help lists the commands")
            shell.keep_going = True
            return interact(shell)
        return shell.run(commands or _lines(execfile))
    finally:
        context.session.close()


def _show_warnings() -> None:
    """What the client has to say beside, a line each."""
    import logging

    from sievemda.cli.complaints import Warnings
    from sievemda.cli.main import tell

    if not logging.root.handlers:
        logging.root.addHandler(Warnings(tell))


def _wanted(server: str, options: dict[str, Any]) -> Any:
    from sievemda.cli.sieveshell.access import PASSWORD, TOKEN, Wanted, check_protection, secret
    from sievemda.managesieve.client.discovery import parse_host
    from sievemda.managesieve.client.sasl import Identity
    from sievemda.managesieve.client.tls import Protection

    user, _, place = server.rpartition("@")
    host, port = parse_host(place)
    if port is not None and options["port"] not in {None, port}:
        raise UsageError("the port is said twice")
    port = port or options["port"]
    _check_options(host, options)
    wanted = options["mechanism"].upper()
    token = None
    if options["token_file"] or wanted in {"OAUTHBEARER", "XOAUTH2"} or not wanted:
        token = secret(options["token_file"], TOKEN)
    if wanted in {"OAUTHBEARER", "XOAUTH2"} and not token:
        raise DataError(
            f"{wanted} needs a token: --token-file FILE, or {TOKEN} in the environment ({PASSWORD} is none)"
        )
    name = options["authname"] or user or getpass.getuser()
    identity = Identity(name, options["user"] if options["user"] != name else "", None, token or None, options["realm"])
    protection = Protection(options["mode"], not options["insecure"], options["ca"], options["cert"], options["key"])
    check_protection(host, protection)
    protection.context()  # what is wrong with its files is said before anybody is connected to
    return Wanted(
        host,
        port,
        identity,
        protection,
        wanted,
        options["timeout"],
        not options["no_srv"],
        options["follow"],
        options["password_file"],
    )


def _check_options(host: str, options: dict[str, Any]) -> None:
    """Without a check of certificates anybody can be the server."""
    from sievemda.cli.sieveshell.access import is_here

    if options["key"] and not options["cert"]:
        raise UsageError("--key goes with --cert")
    if options["insecure"] and not (options["mode"] == "none" and is_here(host)):
        what = "nothing is encrypted" if options["mode"] == "none" else "the certificate of the server is not checked"
        click.echo(f"sieveshell: warning: {what} (--insecure)", err=True)


def _check_standard_input(commands: tuple[str, ...], execfile: Path | None, options: dict[str, Any]) -> None:
    """It can be one thing only."""
    users = [name for name in ("password_file", "token_file") if str(options[name] or "") == "-"]
    if str(execfile or "") == "-" or (not commands and execfile is None and users):
        users.append("commands")
    if len(users) > 1:
        raise UsageError(f"standard input cannot be several things: {', '.join(users).replace('_', ' ')}")


def _lines(file: Path | None) -> Iterable[str]:
    from sievemda.cli.sieveshell.shell import lines_of

    if file is not None and str(file) != "-":
        try:
            return lines_of(read_given(file).decode("utf-8-sig"))
        except (OSError, UnicodeDecodeError) as e:
            raise DataError(f"{file}: {getattr(e, 'strerror', None) or 'this is not UTF-8'}") from e
    return (line.decode("utf-8", "surrogateescape").rstrip("\r\n") for line in sys.stdin.buffer)


def _is_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except ValueError:
        return False
