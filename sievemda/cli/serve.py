"""`sievemda serve`: the server, in the foreground."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.serve.supervisor import Plan


@click.command(
    epilog="Example: sievemda --data ./var serve --lmtp inet:127.0.0.1:2424 --managesieve inet:127.0.0.1:4190"
)
@click.option("--lmtp", metavar="PLACE", multiple=True, help="unix:PATH or inet:HOST:PORT; may be repeated.")
@click.option("--managesieve", metavar="PLACE", multiple=True, help="unix:PATH or inet:HOST:PORT; may be repeated.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; one per processor by default.")
@click.pass_context
def serve(ctx: click.Context, lmtp: tuple[str, ...], managesieve: tuple[str, ...], workers: int | None) -> int:
    """Deliver what arrives over LMTP, take scripts over ManageSieve, send what goes out.

    LMTP is always served at the socket of `lmtpsocket` (run/lmtp below the data directory), too. SIGHUP reads the
    configuration again, SIGTERM ends after the transactions under way.
    """
    from sievemda import logs
    from sievemda.serve.supervisor import Supervisor

    logs.setup()
    reload: Callable[[], Settings] = ctx.meta["sievemda.load"]
    return Supervisor(lambda: _plan(reload(), lmtp, managesieve, workers)).run()


def _plan(settings: Settings, lmtp: tuple[str, ...], managesieve: tuple[str, ...], workers: int | None) -> Plan:
    """The settings, and what the command line adds to them."""
    from sievemda.serve.listeners import parse_place
    from sievemda.serve.supervisor import Plan

    texts = [f"unix:{settings.lmtp_socket}", *settings.lmtp.lmtp_listen, *lmtp]
    places = [parse_place("lmtp", text) for text in texts]
    places += [parse_place("managesieve", text) for text in (*settings.managesieve.managesieve_listen, *managesieve)]
    processors = len(os.sched_getaffinity(0))
    return Plan(settings, list(dict.fromkeys(places)), workers or settings.lmtp.workers or processors)
