"""The LMTP sessions of one process: what they share, how they are let in, logged and brought to their end.

Why an own accept loop: several processes wait at the same listening sockets, and asyncio's server takes all the
connections there are at once, so that one process would do the work while the others sleep. Here each wake-up takes
one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sievemda import __version__
from sievemda.auth.buffers import narrow, widen
from sievemda.auth.client import Client
from sievemda.auth.guard import Guard
from sievemda.auth.lanes import Lanes, Turn
from sievemda.auth.origin import Header, NotProxied, Origin, address_of, is_within, networks
from sievemda.auth.sasl.offer import Offer, may_transit, mechanisms
from sievemda.auth.sasl.steps import Refused
from sievemda.auth.seats import Seats
from sievemda.auth.users import Users
from sievemda.config import Settings
from sievemda.lmtp import replies
from sievemda.lmtp.handler import Deliverer, Handler
from sievemda.lmtp.protocol import LmtpProtocol
from sievemda.lmtp.strangers import Strangers
from sievemda.logs import Sparing, words
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt

if TYPE_CHECKING:
    from sievemda.tls.contexts import Contexts

log = logging.getLogger(__name__)

UNLIMITED = 1 << 30  # what maxmessagesize = 0 means, in octets
_LOGIN_THREADS = 16  # of their own, so that strangers who log in keep no delivery waiting; most wait for back ends
ACCEPT_PAUSE = 1.0  # seconds without accepting when there are no file descriptors left

T = TypeVar("T")


class LmtpServer:
    """Made in a running event loop. `users` with a `guard` make AUTH available, `tls` makes STARTTLS so.

    `strangers` stays its maker's to close.
    """

    def __init__(
        self,
        settings: Settings,
        deliverer: Deliverer,
        strangers: Seats,
        *,
        users: Users | None = None,
        guard: Guard | None = None,
        tls: Contexts | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.settings = settings.lmtp
        self.hostname = settings.site.servername
        self.postmaster = settings.site.postmaster
        self.users = users if guard else None
        self._guard = guard
        self._all_settings = settings
        self.tls = tls
        self.pool = ThreadPoolExecutor(settings.lmtp.threads, "delivery")
        self._lanes = Lanes("lmtp-login", _LOGIN_THREADS, networks(settings.guard.lockout_never))
        self.handler = Handler(
            deliverer, self.pool, settings.lmtp.maxmessagesize or UNLIMITED, settings.lmtp.lmtp_spool_threshold
        )
        self.greeting = _greeting(settings)
        required = replies.AUTH_REQUIRED_SOFT if settings.lmtp.soft_noauth else replies.AUTH_REQUIRED
        self.authentication_required = required
        self._trusted = networks(settings.lmtp.lmtp_trusted_networks)
        self._strangers = Strangers(strangers, settings.guard.lmtp_max_strangers, settings.lmtp.lmtp_timeout)
        self._proxies = networks(settings.guard.haproxy_trusted_networks)
        self._proxies_tls = settings.guard.haproxy_tls
        self._proxy_patience = settings.guard.haproxy_timeout
        self._full, self._stray = Sparing(log.warning), Sparing(log.warning)  # two lines a minute of each, at most
        self.trouble = Sparing(log.warning)  # of AUTH
        self._sessions: set[LmtpProtocol] = set()
        self._listeners: list[socket.socket] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()  # a session is over
        self._stopping = False
        self.counts: Counter[str] = Counter()  # since this process began

    # Letting in.

    def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Accept from bound and listening sockets, which others may accept from, too."""
        for listener in sockets:
            listener.setblocking(False)
            self._listeners.append(listener)
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was quicker, or the client has thought better of it
        except OSError as e:
            log.warning("lmtp: cannot accept: %s", e)
            self.loop.remove_reader(listener.fileno())
            self.loop.call_later(ACCEPT_PAUSE, self._resume, listener)
            return
        connection.setblocking(False)
        task = self.loop.create_task(self._start(connection, local=listener.family == socket.AF_UNIX))
        self._starting.add(task)
        task.add_done_callback(self._started)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        self._changed.set()

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners:
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    async def _start(self, connection: socket.socket, *, local: bool) -> None:
        told = Origin("")
        try:
            if not local:
                address = str(address_of(connection.getpeername()[0]))
                if self._proxies and is_within(address, self._proxies):
                    told = await self._told(connection)
                if not self._has_room(connection, told.address or address):
                    return
            await self.loop.connect_accepted_socket(lambda: LmtpProtocol(self, local=local, told=told), connection)
        except NotProxied as e:
            self._stray("lmtp: connection without PROXY header refused: %s", e)
            self.counts["lmtp_connections_refused"] += 1
            connection.close()
        except OSError:
            connection.close()

    async def _told(self, connection: socket.socket) -> Origin:
        """What a proxy tells. Raises NotProxied."""
        header, there = Header(), asyncio.Event()
        self.loop.add_reader(connection.fileno(), there.set)
        try:
            async with asyncio.timeout(self._proxy_patience):
                while (found := header.take(connection)) is None:
                    there.clear()
                    await there.wait()
        except TimeoutError as e:
            raise NotProxied("no header came in time") from e
        finally:
            self.loop.remove_reader(connection.fileno())
        return found if self._proxies_tls else replace(found, secure=False)

    def _has_room(self, connection: socket.socket, address: str) -> bool:
        """Strangers for whom there is none get no session: nothing that they send is read, however many they are."""
        if is_within(address, self._trusted):
            return True
        if not self._strangers.full():
            narrow(connection)
            return True
        self._count_out(address)
        with contextlib.suppress(OSError):
            connection.send(replies.TOO_MANY_CONNECTIONS + b"\r\n")
        connection.close()
        return False

    def _count_out(self, address: str) -> None:
        self._full("lmtp: too many connections %s", words(rhost=address))
        self.counts["lmtp_connections_refused"] += 1

    def admit(self, session: LmtpProtocol) -> replies.Reply:
        """Count the session in; or what it is told instead of a greeting."""
        if self._stopping:
            return replies.SHUTDOWN
        stranger = not session.local and not self.may_send(session.peer)
        full = len(self._sessions) >= self.settings.lmtp_max_connections
        if full or (stranger and not self._strangers.admit(session)):
            self._count_out(session.peer.address)
            return replies.TOO_MANY_CONNECTIONS
        self.counts["lmtp_connections"] += 1
        self._sessions.add(session)
        return b""

    def recognised(self, session: LmtpProtocol) -> None:
        """The session has proved who it is."""
        if session.transport is not None:
            widen(session.transport.get_extra_info("socket"))
        self._strangers.dismiss(session)

    def dismiss(self, session: LmtpProtocol) -> None:
        self._strangers.dismiss(session)
        self._sessions.discard(session)
        self._changed.set()

    def sessions(self) -> list[LmtpProtocol]:
        """Those that are open."""
        return list(self._sessions)

    # What sessions ask.

    async def capabilities(self, peer: Peer, client: Client, *, local: bool) -> replies.Reply:
        """The reply to LHLO. The session id stands on its last line."""
        keywords = [
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "SMTPUTF8",
            f"SIZE {self.handler.max_size}",
            "DSN",
            "IGNOREQUOTA",
        ]
        if self.settings.lmtp_deliverby:
            keywords.append("DELIVERBY")
        if self.tls and not local and not peer.tls:
            keywords.append("STARTTLS")
        if not peer.authenticated and (names := (await self.offer(client)).names()):
            keywords.append(f"AUTH {' '.join(names)}")
        return replies.multiline("250", "", (self.hostname, *keywords, f"SESSIONID=<{peer.session}>"))

    def may_send(self, peer: Peer) -> bool:
        """Whether MAIL is open to the peer."""
        return bool(peer.authenticated) or is_within(peer.address, self._trusted)

    @property
    def guard(self) -> Guard:
        """Of AUTH, which there is not without it."""
        assert self._guard is not None
        return self._guard

    def login(self, client: Client, function: Callable[..., T], *arguments: Any, bound: bool = False) -> Turn[T]:
        """What it gives, when it is the turn of the client's address: Crowded where that is `bound`."""
        return self._lanes.submit(client.address, function, *arguments, bound=bound)

    def defer(self, turn: Turn[Any]) -> None:
        """Its client says no more."""
        self._lanes.defer(turn)

    def logged_in(self, client: Client, *, failed: bool) -> None:
        (self._lanes.suspect if failed else self._lanes.welcome)(client.address)

    async def offer(self, client: Client) -> Offer:
        """The mechanisms of AUTH; on a thread where a file has to be looked at for them."""
        if self.users is None:
            return Offer({}, {})
        if self.users.at_hand:
            return mechanisms(self.users, client, self._all_settings)
        return await self.login(client, mechanisms, self.users, client, self._all_settings).awaited()

    def may_transit(self, name: str, refused: Refused) -> bool:
        """Whether a client whose AUTH by that mechanism failed is told that PLAIN may help."""
        return may_transit(name, refused, self._all_settings)

    def refused(self, peer: Peer, sender: Sender, recipient: Recipient, receipt: Receipt) -> None:
        """Count and log a recipient that the delivery will not hear of, or not again; what it does, it logs itself."""
        self.counts[f"lmtp_{receipt.result.name.lower()}"] += 1
        log.info(
            "refused %s",
            words(
                session=peer.session,
                sender=sender.reverse_path or "<>",
                to=recipient.address,
                result=receipt.result.name.lower(),
            ),
        )

    def received(self, size: int, receipts: Sequence[Receipt]) -> None:
        """Count a message of `size` octets and what became of it."""
        self.counts["lmtp_messages"] += 1
        self.counts["lmtp_octets"] += size
        for receipt in receipts:
            self.counts[f"lmtp_{receipt.result.name.lower()}"] += 1

    # The end.

    def stop_listening(self) -> None:
        """Take no more connections; the sockets stay open for whoever shares them."""
        for listener in self._listeners:
            self.loop.remove_reader(listener.fileno())
            listener.close()
        self._listeners.clear()

    async def drained(self) -> None:
        """Return when the last session is over."""
        while self._sessions or self._starting:
            self._changed.clear()
            await self._changed.wait()

    async def stop(self, grace: float) -> None:
        """Let transactions under way finish for at most `grace` seconds, then close what is left."""
        self.stop_listening()
        self._stopping = True
        for session in tuple(self._sessions):
            session.end_soon()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.drained(), grace)
        for session in tuple(self._sessions):
            session.part(replies.SHUTDOWN)
        self.pool.shutdown(wait=False, cancel_futures=True)
        self._lanes.close()


def _greeting(settings: Settings) -> replies.Reply:
    """`serverinfo` says how much is told."""
    name = {"on": f" sievemda {__version__}", "min": " sievemda", "off": ""}[settings.delivery.serverinfo]
    return f"220 {settings.site.servername} LMTP{name} ready".encode()
