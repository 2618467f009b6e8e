"""The ManageSieve server: sessions over sockets that somebody else has bound. RFC 5804 §1.8.

Everything that blocks (files, password hashes, compiling) runs on a small pool of threads, one command of a session
at a time; what comes before login has a pool of its own, so that strangers cannot keep users waiting. Several
processes may accept on the same sockets.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from sievemda.auth.client import Client
from sievemda.managesieve.connection import Connection
from sievemda.managesieve.reply import Reply
from sievemda.managesieve.service import Service
from sievemda.managesieve.session import Answer, Session
from sievemda.managesieve.wire import Line, Malformed, Reader

_log = logging.getLogger("sievemda.managesieve")

_THREADS = 4
_LOGIN_THREADS = 2
_AFTER_LOGIN = 3  # a user may be silent so many times as long: with the default 30 minutes, as RFC 5804 §1.2 demands
_WRITE_TIME = 60.0  # seconds for a client to take an answer
_PAUSE = 0.5  # seconds before accepting goes on when no descriptor is left


@dataclass(eq=False, slots=True)
class Visit:
    """A session as seen from outside."""

    address: str
    since: float  # seconds since 1970
    session: Session


class Server:
    """Runs from `start` to `stop`."""

    def __init__(self, service: Service, context: ssl.SSLContext | None) -> None:
        self._service = service
        self._context = context
        self._limits = service.settings.managesieve
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="managesieve")
        self._login_pool = ThreadPoolExecutor(_LOGIN_THREADS, thread_name_prefix="managesieve-login")
        self._acceptors: list[asyncio.Task[None]] = []
        self._sessions: dict[asyncio.Task[None], bool] = {}  # whether it waits for its client
        self._stopping = False
        self._open: set[Visit] = set()
        self.counts: Counter[str] = Counter()  # since this process began

    def visits(self) -> list[Visit]:
        """The sessions that are open."""
        return list(self._open)

    def start(self, sockets: Iterable[socket.socket]) -> None:
        """Accept on these listening sockets; they stay the caller's to close, after `stop`."""
        for sock in sockets:
            sock.setblocking(False)
            self._acceptors.append(asyncio.get_running_loop().create_task(self._accept(sock)))

    async def stop(self, grace: float) -> None:
        """Accept no more, tell idle clients BYE, let commands under way finish for up to `grace` seconds."""
        self._stopping = True
        for acceptor in self._acceptors:
            acceptor.cancel()
        await asyncio.gather(*self._acceptors, return_exceptions=True)
        for task, waiting in list(self._sessions.items()):
            if waiting:
                task.cancel()
        if self._sessions:
            _, late = await asyncio.wait(list(self._sessions), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for pool in (self._pool, self._login_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    # --- connections -------------------------------------------------------------------------------------------

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listener)
            except OSError as e:
                _log.warning("managesieve: cannot accept: %s", e.strerror)
                await asyncio.sleep(_PAUSE)
                continue
            task = loop.create_task(self._connection(sock, _plain_address(str(address[0]))))
            self._sessions[task] = False
            task.add_done_callback(self._sessions.pop)

    async def _connection(self, sock: socket.socket, address: str) -> None:
        connection = Connection(sock)
        try:
            if len(self._sessions) > self._limits.managesieve_max_connections:
                self.counts["managesieve_connections_refused"] += 1
                await self._bye(connection, Reply("BYE", "too many sessions; try again later", "TRYLATER"))
            else:
                await self._visit(connection, Visit(address, time.time(), Session(self._service, Client(address))))
        except TimeoutError:
            await self._bye(connection, Reply("BYE", "idle for too long"))
        except asyncio.CancelledError:
            await self._bye(connection, Reply("BYE", "the server is shutting down; try again later", "TRYLATER"))
        except OSError as e:
            _log.info("managesieve: connection lost: rhost=%s reason=%s", address, e)
        except Exception:  # noqa: BLE001 - the last resort; it is logged
            _log.exception("managesieve: unforeseen: rhost=%s", address)
        finally:
            connection.close()

    async def _visit(self, connection: Connection, visit: Visit) -> None:
        self.counts["managesieve_connections"] += 1
        self._open.add(visit)
        try:
            await self._session(connection, visit.session)
        finally:
            self._open.discard(visit)
            self.counts["managesieve_logins_failed"] += visit.session.failures

    async def _session(self, connection: Connection, session: Session) -> None:
        loop = asyncio.get_running_loop()
        reader = Reader(session.command_size, session.patience)
        login_by = loop.time() + self._limits.timeout
        await self._write(connection, session.greeting())
        while not self._stopping:
            until = loop.time() + self._limits.timeout * _AFTER_LOGIN if session.authenticated else login_by
            item = await self._line(connection, reader, until)
            if item is None:
                return
            was = session.authenticated
            answer = await loop.run_in_executor(self._pool if was else self._login_pool, session.handle, item)
            if was != session.authenticated:
                self.counts["managesieve_logins"] += session.authenticated
                reader.budget, reader.patience = session.command_size, session.patience
                login_by = loop.time() + self._limits.timeout
            if not await self._answer(connection, session, reader, answer):
                return
        await self._bye(connection, Reply("BYE", "the server is shutting down; try again later", "TRYLATER"))

    async def _answer(self, connection: Connection, session: Session, reader: Reader, answer: Answer) -> bool:
        """Send it and do what follows from it; whether the session goes on."""
        if answer.delay:
            await asyncio.sleep(answer.delay)
        await self._write(connection, answer.data)
        if answer.then == "close":
            await connection.finish()
            return False
        if answer.then == "starttls" and self._context is not None:
            reader.clear()
            async with asyncio.timeout(_WRITE_TIME):
                await connection.start_tls(self._context)
            await self._write(connection, session.secured(Client(session.client.address, secure=True)))
        return True

    async def _line(self, connection: Connection, reader: Reader, until: float) -> Line | Malformed | None:
        """The next command, whole, by the time `until` of the loop; None when the client has left."""
        while (item := reader.next()) is None:
            async with asyncio.timeout_at(until):
                block = await self._waiting(connection)
            if not block:
                return None
            reader.feed(block)
        return item

    async def _waiting(self, connection: Connection) -> bytes:
        """Read; while it lasts, `stop` may interrupt this session."""
        task = asyncio.current_task()
        assert task is not None
        self._sessions[task] = True
        try:
            return await connection.read()
        finally:
            self._sessions[task] = False

    async def _write(self, connection: Connection, data: bytes) -> None:
        async with asyncio.timeout(_WRITE_TIME):
            await connection.write(data)

    async def _bye(self, connection: Connection, reply: Reply) -> None:
        """For clients that said nothing worth waiting for: tell them and close."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await connection.write(bytes(reply))


def _plain_address(address: str) -> str:
    """An IPv4 address that came over an IPv6 socket is written as IPv4."""
    return address.removeprefix("::ffff:") if address.startswith("::ffff:") and "." in address else address
