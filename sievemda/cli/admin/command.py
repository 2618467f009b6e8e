"""The command `sievemda admin`: its options, rc files, and where its lines come from."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from sievemda import __version__
from sievemda.config import Settings
from sievemda.errors import NotPermitted, UsageError
from sievemda.given import open_given

SYSTEM_RC = Path("/etc/sievemda/adminrc")
_MARK = "\ufeff"  # which some editors put in front of a file
_IGNORED = "no meaning here: there is no connection"


def _rc_file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "sievemda" / "adminrc"


@click.command(epilog="Example: sievemda admin -e 'createmailbox user/alice; setquota user/alice 1000000'")
@click.argument("host", metavar="[SERVER]", default="")
@click.option("--user", "-u", metavar="USER", default="", help="Act as USER; else as the administrators.")
@click.option("--authz", metavar="USER", default="", help="Act as USER, for whom --user, an administrator, answers.")
@click.option("--execute", "-e", "commands", multiple=True, metavar="COMMANDS", help="Run these; may be repeated.")
@click.option("--strict", is_flag=True, help="End at the first error, with its exit code.")
@click.option("--verbose", "-v", is_flag=True, help="Say behind errors what is behind them.")
@click.option("--rc/--norc", default=True, help="Whether the two rc files are read first.")
@click.option("--systemrc", type=click.Path(path_type=Path), help=f"Instead of {SYSTEM_RC}.")
@click.option("--userrc", type=click.Path(path_type=Path), help="Instead of ~/.config/sievemda/adminrc.")
@click.option("--server", "server", metavar="SERVER", default="", help="This host, by any of its names.")
@click.option("--port", metavar="PORT", default="", help=f"Of {_IGNORED}.")
@click.option("--auth", metavar="MECHANISM", default="", help=f"Of {_IGNORED}.")
@click.option("--password", metavar="PASSWORD", default="", help=f"Of {_IGNORED}; nobody is asked for one.")
@click.option("--tlskey", metavar="FILE", default="", help=f"Of {_IGNORED}.")
@click.option("--notls", is_flag=True, help=f"Of {_IGNORED}.")
@click.option("--cafile", metavar="FILE", default="", help=f"Of {_IGNORED}.")
@click.option("--cadir", metavar="DIR", default="", help=f"Of {_IGNORED}.")
@click.version_option(__version__, prog_name="sievemda admin")
@click.pass_obj
def admin(
    settings: Settings,
    /,
    host: str,
    user: str,
    authz: str,
    commands: tuple[str, ...],
    strict: bool,
    verbose: bool,
    rc: bool,
    systemrc: Path | None,
    userrc: Path | None,
    server: str,
    **_connection: object,
) -> int:
    """A shell with the commands of cyradm, over the store itself: `help` in it lists them.

    Commands come from -e, else from the terminal, else from standard input. The exit code is that of the last command,
    1 of a list that is empty, and what `exit NUMBER` says. Whoever may write to the store may do everything, so there
    is no login; --user shows what somebody may do.
    """
    from sievemda.cli.admin.connection import check_server
    from sievemda.cli.admin.interactive import interact, is_terminal
    from sievemda.cli.admin.session import Session, acting
    from sievemda.cli.admin.shell import Shell
    from sievemda.store.mailstore import MailStore

    if host and server:
        raise UsageError("may not specify server both with --server and bare arg")
    if host or server:
        check_server(settings.site.servername, host or server)
    settings = settings.with_changes(data=settings.data.absolute())  # `chdir` must not move the store
    store = MailStore(settings)
    authority = acting(store, user)
    trusted = authority.is_admin
    if authz:
        if not authority.is_admin and authz != user:
            raise NotPermitted(f"{user} is no administrator and cannot act as {authz}")
        authority = acting(store, authz)
    session = Session(
        settings, store, authority, host or server or settings.site.servername, verbose=verbose, trusted=trusted
    )
    shell = Shell(session, strict=strict)
    for line in _rc_lines(systemrc, userrc) if rc else ():
        shell.line(line)
        if session.ended:
            return session.status
    if commands:
        return shell.run(commands)
    return interact(shell) if is_terminal() else shell.run(_standard_input())


def _standard_input() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer):
        text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        yield text if number else text.removeprefix(_MARK)


def _rc_lines(system: Path | None, user: Path | None) -> Iterator[str]:
    """The lines of the rc files. UsageError for one that was asked for and cannot be read."""
    for file, usual in ((system, SYSTEM_RC), (user, None)):
        try:
            chosen = file or usual or _rc_file()
            lines = _read(chosen)
        except (OSError, RuntimeError) as error:
            if file is not None:
                raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
            continue
        yield from lines


def _read(file: Path) -> list[str]:
    """Not what others can write: its commands would be run with our rights."""
    with open_given(file) as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISCHR(mode):  # /dev/null is everybody's
            raise UsageError(f"{file} is not read: others than its owner can write it (chmod go-w)")
        return opened.read().decode("utf-8", "surrogateescape").split("\n")
