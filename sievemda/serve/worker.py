"""One worker process: the LMTP and ManageSieve sessions on one event loop, until it is told to end.

SIGTERM, or the death of the parent: accept no more, finish the transactions under way, for at most GRACE seconds.
SIGUSR1 (RETIRE): accept no more, let the sessions come to their own end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence

import uvloop

from sievemda import assembly
from sievemda.auth.seats import Seats
from sievemda.config import Settings
from sievemda.lmtp.server import LmtpServer
from sievemda.managesieve.server import Server
from sievemda.serve.memory import give_back_after
from sievemda.serve.observation import Observation

log = logging.getLogger(__name__)

GRACE = 15.0  # seconds
RETIRE = signal.SIGUSR1
_LETTING_GO = 0.05  # seconds until nobody waits at a listening socket any more


def run(
    settings: Settings,
    lmtp: Sequence[socket.socket],
    managesieve: Sequence[socket.socket],
    seats: tuple[Seats, Seats],
    lifeline: int,
    ready: int,
) -> int:
    """In the child: serve on these sockets. `lifeline` ends when the parent dies; `ready` is told the beginning."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, lmtp, managesieve, seats, lifeline, ready))
    return os.EX_OK


async def _serve(
    settings: Settings,
    lmtp: Sequence[socket.socket],
    managesieve: Sequence[socket.socket],
    seats: tuple[Seats, Seats],
    lifeline: int,
    ready: int,
) -> None:
    loop = asyncio.get_running_loop()
    retire, end = asyncio.Event(), asyncio.Event()
    _take_signals(loop, retire, end)
    loop.add_reader(lifeline, _orphaned, loop, lifeline, end)

    mail = assembly.lmtp_server(settings, seats[0])
    mail.listen(lmtp)
    scripts = assembly.managesieve_server(settings, seats[1])
    scripts.start(managesieve)
    watched = Observation(settings, mail, scripts)
    await watched.start()
    tidying = loop.create_task(give_back_after(lambda: (scripts.counts.total(), len(scripts.visits()))))
    os.write(ready, b"1")
    os.close(ready)

    await _either(retire, end)
    tidying.cancel()
    mail.stop_listening()
    await scripts.stop_listening()
    await asyncio.sleep(_LETTING_GO)
    for listener in managesieve:
        listener.close()
    if not end.is_set():
        finishing = loop.create_task(_drained(mail, scripts))
        await asyncio.wait([finishing, loop.create_task(end.wait())], return_when=asyncio.FIRST_COMPLETED)
        finishing.cancel()
    await asyncio.gather(mail.stop(GRACE), scripts.stop(GRACE))
    watched.stop()


async def _drained(mail: LmtpServer, scripts: Server) -> None:
    await mail.drained()
    await scripts.drained()


def _take_signals(loop: asyncio.AbstractEventLoop, retire: asyncio.Event, end: asyncio.Event) -> None:
    """SIGINT comes to the whole group of a terminal, SIGHUP too: they are the parent's."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, end.set)
    loop.add_signal_handler(RETIRE, retire.set)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def _orphaned(loop: asyncio.AbstractEventLoop, lifeline: int, end: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    log.warning("the parent has died, ending")
    end.set()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
