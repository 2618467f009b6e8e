"""The command `sievemda`: global options, one lazily imported module per noun, errors to exit codes.

Why click: options with values that begin with `-`, groups, `--help` and completion are its trade. Commands are
imported when they are called, since `sieve check` must start without loading the server.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from sievemda import __version__
from sievemda.errors import ConfigurationError, SievemdaError

# command -> module:attribute, in the order of --help
COMMANDS = {
    "serve": "serve:serve",
    "deliver": "deliver:deliver",
    "mailbox": "mailbox:mailbox",
    "acl": "acl:acl",
    "quota": "quota:quota",
    "account": "account:account",
    "script": "script:script",
    "sieve": "sieve:sieve",
    "test": "sieve_test:test",
    "why": "why:why",
    "config": "config:config",
    "demo": "demo:demo",
}
WITHOUT_SETTINGS = {"sieve", "test", "config", "demo"}
WITH_THEIR_OWN_CODES = {"sieve", "test"}  # 0, 1, 2 instead of sysexits


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"sievemda.cli.{module}"), attribute)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: sievemda --data ./var mailbox create user/alice",
)
@click.option("--config", "file", metavar="FILE", type=click.Path(path_type=Path), help="Configuration file (TOML).")
@click.option("--data", metavar="DIR", type=click.Path(path_type=Path), help="Everything below DIR, with defaults.")
@click.option("--set", "sets", metavar="KEY=VALUE", multiple=True, help="One setting; may be repeated.")
@click.version_option(__version__, prog_name="sievemda")
@click.pass_context
def cli(ctx: click.Context, file: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Mail delivery agent: LMTP in, Sieve, Maildir out; and why a message went where it went."""
    from sievemda import configload

    # Kept for `serve`, which reads the settings again on SIGHUP.
    ctx.meta["sievemda.load"] = load = partial(configload.load, file, data, sets)
    if ctx.invoked_subcommand in WITHOUT_SETTINGS or {"-h", "--help"} & set(sys.argv[1:]):
        return
    ctx.obj = load()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; errors become one line on standard error and an exit code."""
    try:
        code: Any = cli.main(args=arguments, prog_name="sievemda", standalone_mode=False)
    except click.ClickException as e:
        e.show()
        return _usage_code(arguments) if isinstance(e, click.UsageError) else e.exit_code
    except click.exceptions.Exit as e:
        return e.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("sievemda: interrupted", file=sys.stderr)
        return 130
    except ConfigurationError as e:
        for problem in e.problems:
            print(f"sievemda: {problem}", file=sys.stderr)
        return e.exit_code
    except SievemdaError as e:
        print(f"sievemda: {e}", file=sys.stderr)
        return e.exit_code
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        print(f"sievemda: {e}", file=sys.stderr)
        return os.EX_IOERR
    return code if isinstance(code, int) else 0


def _usage_code(arguments: list[str]) -> int:
    return 2 if WITH_THEIR_OWN_CODES & set(arguments) else os.EX_USAGE
