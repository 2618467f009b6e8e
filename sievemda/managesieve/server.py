"""The ManageSieve server: visits over sockets that somebody else has bound. RFC 5804 §1.8.

Everything that blocks (files, password hashes, compiling) runs on a small pool of threads, one command of a session
at a time; what comes before login has a pool of its own, so that strangers cannot keep users waiting. Several
processes may accept on the same sockets.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from sievemda.managesieve.arrival import client_of
from sievemda.managesieve.connection import Connection
from sievemda.managesieve.reply import Reply
from sievemda.managesieve.service import Service
from sievemda.managesieve.visit import ENDING, IDLE, House, Visit

if TYPE_CHECKING:
    from collections import Counter

    from sievemda.auth.client import Client
    from sievemda.tls.contexts import Contexts

_log = logging.getLogger("sievemda.managesieve")

_PAUSE = 0.5  # seconds before accepting goes on when no descriptor is left
_FULL = Reply("BYE", "too many sessions; try again later", "TRYLATER")


class Server:
    """Runs from `start` to `stop`."""

    def __init__(self, service: Service, contexts: Contexts | None) -> None:
        self._house = House(service, contexts)
        self._limits = service.settings.managesieve
        self._acceptors: list[asyncio.Task[None]] = []
        self._tasks: dict[asyncio.Task[None], Visit | None] = {}

    @property
    def counts(self) -> Counter[str]:
        """Since this process began."""
        return self._house.counts

    def visits(self) -> list[Visit]:
        """The sessions that are open."""
        return [visit for visit in self._tasks.values() if visit is not None]

    def start(self, sockets: Iterable[socket.socket]) -> None:
        """Accept on these listening sockets; they stay the caller's to close, after `stop_listening`."""
        for sock in sockets:
            sock.setblocking(False)
            self._acceptors.append(asyncio.get_running_loop().create_task(self._accept(sock)))

    async def stop_listening(self) -> None:
        """Accept no more; sessions go on."""
        for acceptor in self._acceptors:
            acceptor.cancel()
        await asyncio.gather(*self._acceptors, return_exceptions=True)

    async def drained(self) -> None:
        """Return when the last session is over."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def stop(self, grace: float) -> None:
        """Accept no more, tell idle clients BYE, let commands under way finish for up to `grace` seconds."""
        self._house.stopping = True
        await self.stop_listening()
        for task, visit in list(self._tasks.items()):
            if visit is None or visit.waiting:
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._house.close()

    # --- connections -------------------------------------------------------------------------------------------

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError as e:
                _log.warning("managesieve: cannot accept: %s", e.strerror)
                await asyncio.sleep(_PAUSE)
                continue
            task = loop.create_task(self._connection(sock))
            self._tasks[task] = None
            task.add_done_callback(self._tasks.pop)

    async def _connection(self, sock: socket.socket) -> None:
        connection, address = Connection(sock), "?"
        try:
            client = await client_of(connection)
            address = client.address
            if len(self._tasks) > self._limits.managesieve_max_connections:
                self.counts["managesieve_connections_refused"] += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await connection.write(bytes(_FULL))
            else:
                await self._visit(connection, client)
        except OSError as e:
            _log.info("managesieve: connection lost: rhost=%s reason=%s", address, e)
        except Exception:  # noqa: BLE001 - the last resort; it is logged
            _log.exception("managesieve: unforeseen: rhost=%s", address)
        finally:
            connection.close()

    async def _visit(self, connection: Connection, client: Client) -> None:
        self.counts["managesieve_connections"] += 1
        visit = Visit(self._house, connection, client)
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = visit
        try:
            await visit.run()
        except TimeoutError:
            await visit.bye(IDLE)
        except asyncio.CancelledError:
            await visit.bye(ENDING)
        finally:
            self.counts["managesieve_logins_failed"] += visit.session.failures
