"""The command `sievemda`: global options, one lazily imported module per noun, errors to exit codes.

Why click: options with values that begin with `-`, groups, `--help` and completion are its trade. Commands are
imported when they are called, since `sieve check` must start without loading the server.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sievemda import __version__
from sievemda.errors import ConfigurationError, NotPermitted, SievemdaError, TemporaryTrouble, exit_code

if TYPE_CHECKING:
    from sievemda.config import Settings

# command -> module:attribute, in the order of --help
COMMANDS = {
    "serve": "serve:serve",
    "deliver": "deliver:deliver",
    "mailbox": "mailbox:mailbox",
    "acl": "acl:acl",
    "quota": "quota:quota",
    "account": "account:account",
    "readership": "readership:readership",
    "script": "script:script",
    "sieveshell": "sieveshell.command:sieveshell",
    "admin": "admin.command:admin",
    "import": "import_:import_",
    "export": "export:export",
    "reconstruct": "reconstruct:reconstruct",
    "relink": "relink:relink",
    "backup": "backup:backup",
    "restore": "restore:restore",
    "expire": "expire:expire",
    "prune": "prune:prune",
    "sieve": "sieve:sieve",
    "test": "sieve_test:test",
    "why": "why:why",
    "probe": "probe:probe",
    "stat": "stat:stat",
    "config": "config:config",
    "demo": "demo:demo",
}
WITHOUT_SETTINGS = {"sieve", "sieveshell", "test", "config", "demo", "backup", "restore"}  # or only with some options
ROOT_MAY = {"sieve", "sieveshell", "test", "config", "demo", "reconstruct"}  # the last one gives files to their owners
WITH_THEIR_OWN_CODES = {"sieve", "test"}  # 0, 1, 2 instead of sysexits


class Terminated(BaseException):
    """SIGTERM came."""


def terminate(_number: int, _frame: object) -> None:
    """What SIGTERM does to a command."""
    raise Terminated


class _Help(click.HelpFormatter):
    """An example stays on one line, however narrow the terminal is: it is there to be pasted."""

    def write_text(self, text: str) -> None:
        if text.startswith("Example: "):
            self.write(f"{' ' * self.current_indent}{text}\n")
        else:
            super().write_text(text)


click.Context.formatter_class = _Help  # of all commands, whatever class they are


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["sievemda.help"] = not {"-h", "--help"}.isdisjoint(args)  # help needs no configuration
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"sievemda.cli.{module}"), attribute)
        return command


def _path(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    if value == "":
        raise click.BadParameter("it is empty", ctx, parameter)
    return None if value is None else Path(value)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: sievemda --data ./var mailbox create user/alice",
)
@click.option("--config", "file", metavar="FILE", callback=_path, help="Configuration file (TOML).")
@click.option("--data", metavar="DIR", callback=_path, help="Everything below DIR, with defaults.")
@click.option("--set", "sets", metavar="KEY=VALUE", multiple=True, help="One setting; may be repeated.")
@click.version_option(__version__, prog_name="sievemda")
@click.pass_context
def cli(ctx: click.Context, file: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Mail delivery agent: LMTP in, Sieve, Maildir out; and why a message went where it went."""
    # Kept for `serve`, which reads the settings again on SIGHUP.
    ctx.meta["sievemda.load"] = load = partial(_load, file, data, sets, anybody=ctx.invoked_subcommand in ROOT_MAY)
    if ctx.invoked_subcommand in WITHOUT_SETTINGS:
        return
    try:
        ctx.obj = load()
    except (ConfigurationError, NotPermitted) as e:
        if ctx.meta["sievemda.help"]:
            return
        if ctx.invoked_subcommand == "deliver" and isinstance(e, NotPermitted):
            raise TemporaryTrouble(str(e)) from e  # or the MTA would send the message back
        raise


def _load(file: Path | None, data: Path | None, sets: tuple[str, ...], *, anybody: bool) -> Settings:
    """The settings; the modes that they ask for then hold whatever umask the program was started with."""
    import logging

    from sievemda import configload
    from sievemda.cli.complaints import Warnings
    from sievemda.cli.whose import refuse_others

    settings = configload.load(file, data, sets)
    if not anybody:
        refuse_others(settings.data)
    if not logging.root.handlers:
        logging.root.addHandler(Warnings(tell))
    os.umask(os.umask(0o077) & ~(settings.store.message_mode | settings.store.folder_mode))
    return settings


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    _prepare_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; errors become one line on standard error and an exit code."""
    try:
        return _command(arguments)
    except click.ClickException as e:
        _complain(e)
        return _usage_code(e) if isinstance(e, click.UsageError) else e.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _failed(130, "interrupted")
    except Terminated:
        return _failed(143, "terminated")
    except ConfigurationError as e:
        return _failed(e.exit_code, *e.problems)
    except SievemdaError as e:
        return _failed(exit_code(e), str(e))
    except BrokenPipeError:  # the reader of our output has seen enough
        discard(sys.stdout)
        return 0
    except OSError as e:
        discard(sys.stdout)
        return _failed(os.EX_IOERR, f"{e.filename or 'input or output'}: {e.strerror or e}")


def _command(arguments: list[str]) -> int:
    """Not click's own `main`, which has its own mind about exit codes and broken pipes; for completion it is right."""
    if "_SIEVEMDA_COMPLETE" in os.environ:
        cli.main(arguments, prog_name="sievemda")
    try:
        with cli.make_context("sievemda", [*arguments]) as ctx:
            code: Any = cli.invoke(ctx)
    except click.exceptions.Exit as e:
        code = e.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _failed(code: int, *problems: str) -> int:
    from sievemda.cli.complaints import one_line

    tell(lambda: print(*(f"sievemda: {one_line(problem)}" for problem in problems), sep="\n", file=sys.stderr))
    return code


def _complain(error: click.ClickException) -> None:
    from sievemda.cli.complaints import misuse

    tell(lambda: print(misuse(error), end="", file=sys.stderr))


def tell(say: Callable[[], None]) -> None:
    """Say something on standard error, if that can be; on a terminal in the place of what tells of progress."""
    try:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        say()
    except OSError:  # nobody can be told; the exit code still can
        discard(sys.stderr)


def _usage_code(error: click.UsageError) -> int:
    command = error.ctx.find_root().invoked_subcommand if error.ctx else None
    return 2 if command in WITH_THEIR_OWN_CODES else os.EX_USAGE


def _prepare_streams() -> None:
    """Make 0, 1 and 2 usable however we were started, and any text printable.

    A closed one would be the descriptor of the next file that is opened, a database say, and what is printed would
    go there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            while (found := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            setattr(sys, name, open(found, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard(stream: TextIO) -> None:
    """What is still in the buffer cannot be written; let it not fail once more at the end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
