"""One client at the server, from the first octet to the end: the socket's side of a session.

TLS and plain text share the port. The first octet decides: a TLS hello begins with 0x16, as no command does. Who says
nothing for a moment waits for the greeting. A hello that comes behind the greeting is too late, for the client would
take the greeting for TLS: he is told so, and does not wait in vain.

Answers to commands that came together go out together, before anything is waited for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sievemda.auth.client import Client
from sievemda.auth.guard import word
from sievemda.auth.lanes import CROWDED_PAUSE, Crowded, Lanes, Turn
from sievemda.auth.origin import networks
from sievemda.auth.seats import Seat, Seats
from sievemda.logs import Sparing
from sievemda.managesieve.connection import Connection
from sievemda.managesieve.leaving import Leavers
from sievemda.managesieve.reply import Reply
from sievemda.managesieve.room import Room
from sievemda.managesieve.service import Service
from sievemda.managesieve.session import Answer, Session
from sievemda.managesieve.wire import Line, Malformed, Reader
from sievemda.tls.error import TlsError

if TYPE_CHECKING:
    from sievemda.tls.contexts import Contexts

_log = logging.getLogger("sievemda.managesieve")

T = TypeVar("T")

ALPN = b"managesieve"
HELLO = b"\x16"  # what TLS begins with
_HELLO_TIME = 0.3  # seconds to wait for it before the greeting
_AFTER_LOGIN = 3  # a user may be silent so many times as long
_LEAST = 1800  # seconds that he may be in any case: RFC 5804 §1.2
_WRITE_TIME = 60.0  # seconds for a client to take an answer
_HANDSHAKE_TIME = 30.0  # seconds
_HANDSHAKE_ROOM = 27 << 10  # octets that it takes beyond what TLS takes afterwards
_BEFORE_LOGIN = 512 << 10  # octets of a session before login, and a command more
_TOGETHER = 32 << 10  # octets of answers that are held back for those to the next commands
_TOGETHER_BEFORE_LOGIN = 4 << 10  # the same for strangers, hundreds of whom may never read

_THREADS = 4
_LARGE = 32 << 10  # octets of a script: to check it may take the processor tenths of a second, 1 MiB some seconds
_LOGIN_THREADS = 16  # most of them wait: for a hash, of which one is made at a time, or for a back end elsewhere
_CROWDED = Reply("NO", "too many clients try to log in; try again later", "TRYLATER")

ENDING = Reply("BYE", "the server is shutting down; try again later", "TRYLATER")
IDLE = Reply("BYE", "idle for too long")
FULL = Reply("BYE", "too many sessions; try again later", "TRYLATER")
_TOO_MANY = Reply("BYE", "you have too many sessions already; try again later", "TRYLATER")
_TOO_MUCH = Malformed("log in first, and with fewer words", fatal=True)
_LATE_HELLO = Malformed("the session has begun in clear: TLS comes at once or by STARTTLS", fatal=True)


@dataclass(slots=True)
class House:
    """What all visits of a server share."""

    service: Service
    contexts: Contexts | None
    seats: Seats
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "managesieve"))
    long: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "managesieve-long"))  # what takes so
    room: Room = field(default_factory=Room)  # of those who have not logged in
    full: Sparing = field(default_factory=lambda: Sparing(_log.warning))
    lanes: Lanes = field(init=False)  # of those who have not logged in
    leavers: Leavers = field(default_factory=Leavers)  # of those who wait in them
    counts: Counter[str] = field(default_factory=Counter)  # since this process began
    stopping: bool = False

    def __post_init__(self) -> None:
        trusted = networks(self.service.settings.guard.lockout_never)
        self.lanes = Lanes("managesieve-login", _LOGIN_THREADS, trusted)

    def pool_for(self, item: Line | Malformed) -> ThreadPoolExecutor:
        """Where a user's command is carried out. Large scripts wait for each other, so that nobody waits for them."""
        large = isinstance(item, tuple) and any(isinstance(token, bytes) and len(token) > _LARGE for token in item)
        return self.long if large else self.pool

    def close(self) -> None:
        for pool in (self.pool, self.long):
            pool.shutdown(wait=False, cancel_futures=True)
        self.lanes.close()
        self.leavers.close()


class Visit:
    """`waiting` says that it waits for its client and can be interrupted, `pushed_out` that its place is wanted.

    Made in the task that will run it.
    """

    def __init__(self, house: House, connection: Connection, client: Client, seat: Seat) -> None:
        self.seat = seat
        self.pushed_out = False
        self._octets = 0  # that came before login
        self._exchanged = 0  # octets of the client's in the exchange under way
        self._task = asyncio.current_task()
        self._house = house
        self._connection = connection
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._idle = house.service.settings.managesieve.timeout
        self._login_by = self._loop.time() + self._idle
        self._patience = max(self._idle * _AFTER_LOGIN, _LEAST)  # after login
        self._shaking = False  # hands, for TLS: no text can be sent
        self._out = bytearray()
        self._fresh = True  # the client has said nothing yet
        self.session = Session(house.service, client)
        self.since = time.time()  # seconds since 1970
        self.waiting = False
        self._reader = Reader(self.session.command_size, self.session.patience)

    @property
    def address(self) -> str:
        return self._client.address

    def push_out(self) -> None:
        """End it: its place is wanted."""
        self.pushed_out = True
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Until the client or the server ends it. Raises TimeoutError when he was idle, OSError when he is lost."""
        try:
            await self._serve()
        finally:
            self._house.room.hold(self, 0)
            if self.session.refused:
                await self._house.lanes.submit(self.address, self.session.left, bound=False).awaited()

    async def _serve(self) -> None:
        await self._begin()
        while not self._house.stopping:
            session = self.session
            until = self._loop.time() + self._patience if session.authenticated else self._login_by
            item = await self._next(until)
            if item is None:
                await self._connection.end()
                return
            if (
                not session.authenticated and self._loop.time() >= self._login_by
            ):  # who always says something is never idle
                raise TimeoutError
            was = session.authenticated
            answer = await self._handled(item)
            if was != session.authenticated:
                self._house.counts["managesieve_logins"] += session.authenticated
                if not self._named():
                    answer = Answer(bytes(_TOO_MANY), "close")
                self._reader.budget, self._reader.patience = session.command_size, session.patience
                self._login_by = self._loop.time() + self._idle
            if not await self._answer(answer):
                return
        self._out += bytes(ENDING)
        await self._flush()

    async def _handled(self, item: Line | Malformed) -> Answer:
        """Before login it is a matter of turns. RFC 5804 §1.3 (TRYLATER)."""
        session, lanes = self.session, self._house.lanes
        if session.authenticated:
            return await self._loop.run_in_executor(self._house.pool_for(item), session.handle, item)
        if session.is_light(item) and self._house.service.users.at_hand:
            await asyncio.sleep(0)  # others come between two of them
            return session.handle(item)
        failures, size = session.failures, _size(item)
        self._hold(size)
        try:
            turn = lanes.submit(self.address, session.handle, item, bound=not session.under_way)
            answer = await self._given(turn)
        except Crowded:
            self._house.counts["managesieve_logins_refused"] += 1
            self._house.full("managesieve: too many logins at once: rhost=%s", word(self.address))
            return Answer(bytes(_CROWDED), delay=CROWDED_PAUSE)
        self._exchanged = self._exchanged + size if session.under_way else 0
        if session.failures > failures:
            lanes.suspect(self.address)
            return replace(answer, delay=max(answer.delay, turn.penance))
        if session.owner:
            lanes.welcome(self.address)
        return answer

    async def _given(self, turn: Turn[T]) -> T:
        """What it gives. Raises OSError when the client has gone before it began."""
        silent = partial(self._house.lanes.defer, turn)
        with self._house.leavers.watch(self._connection.sock, turn.leave, silent):
            return await turn.awaited()

    def _named(self) -> bool:
        """Whether there is room for one more session of this user, who is in now; or he is out again."""
        most = self._house.service.settings.managesieve.managesieve_max_user_connections
        self._connection.trust()
        self._house.room.hold(self, 0)
        if self._house.seats.name(self.seat, self.session.owner, most):
            return True
        self._house.counts["managesieve_logins_refused"] += 1
        self._house.full(
            "managesieve: too many sessions: user=%s rhost=%s", word(self.session.owner), word(self.address)
        )
        return False

    def _hold(self, octets: int = 0) -> None:
        """What it takes of the memory now, with so many octets more."""
        if not self.session.authenticated:
            self._house.room.hold(self, self._reader.held + self._connection.held + self._exchanged + octets)

    async def bye(self, reply: Reply) -> None:
        """For clients that said nothing worth waiting for: tell them and end; at once, if their place is wanted."""
        if self._shaking:
            return
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(0 if self.pushed_out else 1):
                await self._connection.write(bytes(self._out) + bytes(reply))
                await self._connection.end()

    # --- the beginning -----------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Greet, in clear or behind TLS."""
        if self._house.contexts is not None and not (self._client.socket_user or self._client.secure):
            self.waiting = True
            first = await self._connection.first(_HELLO_TIME)
            self.waiting = False
            if first == HELLO:
                await self._secure()
                return
        self._out += await self._offered(self.session.greeting)

    async def _offered(self, capabilities: Callable[..., bytes], *arguments: Any) -> bytes:
        """What is offered; on a thread where a file has to be looked at for it."""
        if self._house.service.users.at_hand:
            return capabilities(*arguments)
        return await self._given(self._house.lanes.submit(self.address, capabilities, *arguments, bound=False))

    async def _secure(self) -> None:
        """The handshake, and the capabilities behind it."""
        if self._house.contexts is None:
            raise ValueError("there is no certificate")
        from sievemda.tls.channel import Channel  # noqa: PLC0415 - who has no certificate does not load it
        from sievemda.tls.people import user_of  # noqa: PLC0415 - as above

        channel = Channel(self._house.contexts.default)
        self.waiting = self._shaking = True
        self._hold(_HANDSHAKE_ROOM)
        try:
            async with asyncio.timeout_at(min(self._login_by, self._loop.time() + _HANDSHAKE_TIME)):
                await self._connection.start_tls(channel)
        except TimeoutError as e:
            raise TlsError("the TLS handshake took too long") from e
        finally:
            self.waiting = False
        self._shaking = False
        shown = channel.certificate()
        user = user_of(shown, self._house.service.settings.lmtp.tls_client_user) if shown else ""
        bindings: Mapping[str, bytes] = MappingProxyType(channel.bindings())
        self._client = replace(self._client, secure=True, bindings=bindings, certificate=user)
        self._out += await self._offered(self.session.secured, self._client)

    # --- commands and answers ----------------------------------------------------------------------------------

    async def _next(self, until: float) -> Line | Malformed | None:
        """The next command, whole, by the time `until` of the loop; None when the client has left."""
        while (item := self._reader.next()) is None:
            await self._flush()
            self._hold()
            self.waiting = True
            try:
                async with asyncio.timeout_at(until):
                    block = await self._connection.read()
            finally:
                self.waiting = False
            if block is None:
                continue
            if not block:
                return None
            if self._fresh and block[:1] == HELLO and not self.session.secure:
                return _LATE_HELLO
            self._fresh = False
            self._octets += len(block)
            if not self.session.authenticated and self._octets > _BEFORE_LOGIN + self.session.command_size:
                return _TOO_MUCH
            self._reader.feed(block)
        return item

    async def _answer(self, answer: Answer) -> bool:
        """Do what follows from it; whether the session goes on."""
        if answer.delay:
            await self._flush()
            await asyncio.sleep(answer.delay)
        self._out += answer.data
        if answer.more is not None:
            await self._pieces(answer)
        if answer.then == "starttls":
            self._reader.clear()
            self._connection.forget()
        if answer.then or len(self._out) > (_TOGETHER if self.session.authenticated else _TOGETHER_BEFORE_LOGIN):
            await self._flush()
        if answer.then == "close":
            await self._connection.finish()
            return False
        if answer.then == "starttls":
            await self._secure()
        return True

    async def _pieces(self, answer: Answer) -> None:
        """Each a turn among what takes long, whatever the command looked like: a stored script may be large.

        Who has gone is noticed when something is sent to him, and it ends there.
        """
        said = False
        try:
            while not self._house.stopping:
                piece = await self._loop.run_in_executor(self._house.long, self.session.piece, answer)
                if piece is None:
                    return
                said = said or bool(piece)
                self._out += piece
                await self._flush()
            self._out += b"" if said else answer.cut
        finally:
            with suppress(ValueError):  # its turn is not over: it ends with the last who holds it
                if answer.more is not None:
                    answer.more.close()

    async def _flush(self) -> None:
        data = bytes(self._out)
        self._out.clear()
        if data:
            self._hold(len(data))
            async with asyncio.timeout(_WRITE_TIME):
                await self._connection.write(data)


def _size(item: Line | Malformed) -> int:
    """Octets."""
    return sum(map(len, item)) if isinstance(item, tuple) else 0
