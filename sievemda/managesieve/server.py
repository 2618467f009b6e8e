"""The ManageSieve server: visits over sockets that somebody else has bound. RFC 5804 §1.8.

Everything that blocks (files, password hashes, compiling) runs on a small pool of threads, one command of a session
at a time; what comes before login has a pool of its own, so that strangers cannot keep users waiting. Several
processes may accept on the same sockets.

Every session has a seat, counted over all processes. When all are taken, and somebody comes whose address has hardly
any while another's has many that have not logged in, then the oldest of those has to go for him: an address that does
nothing but connect keeps nobody out. Neither do many addresses: else the oldest goes whose client is to say something
and has had some seconds to log in, for who means to has begun by then. For who is trusted even that is too long.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from sievemda.auth.origin import NotProxied, is_within, networks
from sievemda.auth.seats import Seat, Seats
from sievemda.logs import Sparing
from sievemda.managesieve.arrival import client_of
from sievemda.managesieve.connection import Connection
from sievemda.managesieve.room import Room
from sievemda.managesieve.service import Service
from sievemda.managesieve.visit import ENDING, FULL, IDLE, House, Visit

if TYPE_CHECKING:
    from collections import Counter

    from sievemda.auth.client import Client
    from sievemda.auth.guard import Guard
    from sievemda.tls.contexts import Contexts

_log = logging.getLogger("sievemda.managesieve")

_PAUSE = 0.5  # seconds before accepting goes on when no descriptor is left
_STAY = 5.0  # seconds that a stranger has in any case
_LEAVING_TIME = 2.0  # seconds for somebody who has to go


class Server:
    """Runs from `start` to `stop`."""

    def __init__(self, service: Service, contexts: Contexts | None, seats: Seats, room: Room | None = None) -> None:
        """`room` is for what clients hold before login; by default as much as README promises."""
        self._house = House(service, contexts, seats, room=room or Room())
        self._limits = service.settings.managesieve
        self._guard = service.settings.guard
        self._proxies = networks(self._guard.haproxy_trusted_networks)
        self._uncapped = networks(self._guard.lockout_never)
        self._full, self._stray = Sparing(_log.warning), Sparing(_log.warning)  # two lines a minute of each, at most
        self._lost = Sparing(_log.info)
        self._acceptors: list[asyncio.Task[None]] = []
        self._tasks: dict[asyncio.Task[None], Visit | None] = {}

    @property
    def counts(self) -> Counter[str]:
        """Since this process began."""
        return self._house.counts

    @property
    def guard(self) -> Guard:
        return self._house.service.guard

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
            options = self._guard
            client = await client_of(connection, self._proxies, options.haproxy_timeout, believed=options.haproxy_tls)
            address = client.address or "-"
            if seat := await self._seat(client):
                try:
                    await self._visit(connection, client, seat)
                finally:
                    self._house.seats.leave(seat)
            else:
                self.counts["managesieve_connections_refused"] += 1
                self._full("managesieve: too many sessions: rhost=%s", address)
                with suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await connection.write(bytes(FULL))
        except NotProxied as e:
            self.counts["managesieve_connections_refused"] += 1
            self._stray("managesieve: connection without PROXY header refused: rhost=%s: %s", connection.peer, e)
        except OSError as e:
            self._lost("managesieve: connection lost: rhost=%s reason=%s", address, e)
        except Exception:  # noqa: BLE001 - the last resort; it is logged
            _log.exception("managesieve: unforeseen: rhost=%s", address)
        finally:
            connection.close()

    async def _seat(self, client: Client) -> Seat | None:
        """One for him, if need be that of another."""
        limits, seats = self._limits, self._house.seats
        capped = client.address and not is_within(client.address, self._uncapped)
        few = limits.managesieve_max_address_connections if capped else 0
        seat = seats.take(client.address, limits.managesieve_max_connections, few)
        if seat is None and (found := self._who_goes(client, hurried=not capped)):
            task, visit = found
            visit.push_out()
            await asyncio.wait([task], timeout=_LEAVING_TIME)
            return seats.take(client.address, limits.managesieve_max_connections, few)
        return seat

    def _who_goes(self, client: Client, *, hurried: bool) -> tuple[asyncio.Task[None], Visit] | None:
        """Of those here who have not logged in: the oldest of an address that has far more, or who has said nothing for
        a while, or for a client in a hurry at all.
        """
        place = self._house.seats.crowd(client.address)
        latest = time.time() if hurried else time.time() - _STAY
        for task, visit in self._tasks.items():  # in the order in which they came
            if visit is None or visit.session.authenticated or visit.pushed_out:
                continue
            idle = visit.waiting and visit.since <= latest and not is_within(visit.address, self._uncapped)
            if visit.seat.address == place if place else idle:
                return task, visit
        return None

    async def _visit(self, connection: Connection, client: Client, seat: Seat) -> None:
        self.counts["managesieve_connections"] += 1
        visit = Visit(self._house, connection, client, seat)
        task = asyncio.current_task()
        assert task is not None
        self._tasks[task] = visit
        try:
            await visit.run()
        except TimeoutError:
            await visit.bye(IDLE)
        except asyncio.CancelledError:
            await visit.bye(FULL if visit.pushed_out else ENDING)
