"""The commands about the shell itself and the server that it would be connected to."""

from __future__ import annotations

import os
import platform
import socket
import sqlite3

from sievemda import __version__
from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import Refused, Session, acting
from sievemda.errors import DataError, NotPermitted, StoreTrouble, Unavailable, UsageError


def version(session: Session, arguments: Arguments) -> None:
    if arguments.words:
        raise UsageError("no arguments are wanted")
    system = os.uname()
    rows = {
        "name": "sievemda",
        "version": __version__,
        "vendor": "sievemda",
        "os": system.sysname,
        "os-version": system.release,
        "environment": f"Python {platform.python_version()}",
    }
    for name, value in rows.items():
        session.say(f"{name:<11}: {value}")
    session.say(f"{'':<13}SQLite {sqlite3.sqlite_version}")


def server(session: Session, arguments: Arguments) -> None:
    """Show the name of the server, or connect to it again."""
    if len(arguments.words) > 1:
        raise UsageError("one server is wanted")
    if arguments.words:
        check_server(session.settings.site.servername, arguments.words[0])
        session.host, session.connected = arguments.words[0], True
    elif session.connected:
        session.say(session.host)
    else:
        raise Refused("no connection to server", Unavailable.exit_code)


def check_server(servername: str, wanted: str) -> None:
    """Refused for another host: what follows would be done here."""
    here = {"localhost", "localhost.localdomain", "127.0.0.1", "::1", servername.lower(), socket.gethostname().lower()}
    here |= {servername.lower().partition(".")[0], os.uname().nodename.lower()}
    if wanted.lower() not in here:
        raise Refused(
            f"{wanted}: cannot connect to server (the shell works on the store of this host; start it on that one)",
            Unavailable.exit_code,
        )


def disconnect(session: Session, arguments: Arguments) -> None:
    if arguments.words:
        raise UsageError("no arguments are wanted")
    session.connected = False


def authenticate(session: Session, arguments: Arguments) -> None:
    """Act as somebody else; without a name, as the administrators. No password: see the chapter of the package.

    Who has been started as a user (`--user alice`) stays that user.
    """
    if len(arguments.words) > 1:
        raise UsageError("one user is wanted")
    if not session.trusted:
        raise NotPermitted("the shell was started for one user")
    try:
        session.authority = acting(session.store, "".join(arguments.words))
    except DataError as error:
        raise Refused(f"Invalid user ({error})") from error


def chdir(_session: Session, arguments: Arguments) -> None:
    """For the files of redirections."""
    if len(arguments.words) != 1:
        raise UsageError("one directory is wanted")
    directory = arguments.words[0]
    try:
        os.chdir(directory)
    except (OSError, ValueError) as error:
        raise Refused(f"{directory}: {getattr(error, 'strerror', None) or error}", StoreTrouble.exit_code) from error


def exit_shell(session: Session, arguments: Arguments) -> int:
    """With the status given, else that of the last command."""
    if len(arguments.words) > 1:
        raise UsageError("one number is wanted")
    session.ended = True
    if not arguments.words:
        return session.status
    number = arguments.words[0]
    return int(number) & 0xFF if number.isascii() and number.isdigit() and len(number) < 10 else 0
