"""`sievemda sieve lsp`: the language server that an editor starts."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sievemda.lsp.document import Shelf


def _address(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """HOST:PORT of this machine. The protocol knows no password, and who speaks it can read files by name."""
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise click.BadParameter(f"not HOST:PORT: {value}", ctx, parameter)
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        text = f"{host} is not an address of this machine alone: use 127.0.0.1 or ::1, and a tunnel from elsewhere"
        raise click.BadParameter(text, ctx, parameter)
    return host, int(port)


@click.command(epilog="Example: sievemda sieve lsp --mailbox Lists --include ~/sieve")
@click.option("--stdio", is_flag=True, help="Speak over standard input and output; the default.")
@click.option("--tcp", "address", metavar="HOST:PORT", callback=_address, help="Serve one client over TCP instead.")
@click.option("--include", "include", metavar="DIR", multiple=True, help="Where scripts to include are; repeatable.")
@click.option("--mailbox", "mailboxes", metavar="NAME", multiple=True, help="A mailbox to offer; repeatable.")
@click.option("--set", "local_sets", metavar="KEY=VALUE", multiple=True, help="A setting; repeatable.")
def lsp(
    stdio: bool,
    address: tuple[str, int] | None,
    include: tuple[str, ...],
    mailboxes: tuple[str, ...],
    local_sets: tuple[str, ...],
) -> int:
    """Serve an editor: problems, completion, help, navigation and layout of scripts (Language Server Protocol).

    An editor starts it; how, for five of them, is in conf/editors. Scripts to include are looked for in each DIR, else
    beside the script. Exit code 0 when the editor has said that it is done, 1 when it just went.
    """
    from sievemda.cli.sieve_input import language
    from sievemda.cli.sieve_world import Shelf as Files
    from sievemda.lsp.document import World
    from sievemda.lsp.server import serve

    if stdio and address:
        raise click.UsageError("--stdio and --tcp exclude each other", click.get_current_context())

    def shelves(directories: tuple[Path, ...]) -> Shelf:
        return Files(directories)

    limits, available = language(local_sets)
    return serve(World(limits, shelves, available, include, mailboxes), address)
