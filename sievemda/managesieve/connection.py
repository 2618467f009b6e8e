"""One connection, with TLS when it comes on: read, write, end.

Why not asyncio's streams: a transport may buffer 256 KiB of input before anybody asks for it, and its TLS as much
again, for each of hundreds of connections that need not have logged in. Here nothing is read that is not wanted, a
slow reader holds up its own session alone, and what came in clear before TLS cannot end up behind it.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from sievemda.auth.buffers import narrow, widen
from sievemda.tls.error import TlsError

if TYPE_CHECKING:
    from sievemda.tls.channel import Channel

_BLOCK = 16 << 10  # octets of one read; a TLS record is no larger
_SMALL_BLOCK = 4 << 10  # before login, for what is read lies in buffers of TLS that never become smaller again
_LINGER = 2.0  # seconds in which the client may read the last answer and close first
_LINGER_OCTETS = 1 << 20
_FORGOTTEN = 64 << 10  # octets in clear behind STARTTLS


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        """Takes the connected socket over."""
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        narrow(sock)
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._tls: Channel | None = None
        self._block = _SMALL_BLOCK

    def trust(self) -> None:
        """He has logged in: larger blocks from now on."""
        self._block = _BLOCK
        widen(self._sock)

    @property
    def sock(self) -> socket.socket:
        return self._sock

    @property
    def held(self) -> int:
        """Octets of memory for what the client has not finished saying."""
        return self._tls.held if self._tls else 0

    @property
    def peer(self) -> str:
        """The address at the other end, a proxy's too; empty at a UNIX socket, or when the client has gone."""
        try:
            name = self._sock.getpeername()
        except OSError:
            return ""
        return str(name[0]) if isinstance(name, tuple) else ""

    async def readable(self) -> None:
        """Return when there is something to read, the end included; nothing is taken.

        Why not a read that is given up: what came at that moment would be lost.
        """
        there = asyncio.Event()
        self._loop.add_reader(self._sock, there.set)
        try:
            await there.wait()
        finally:
            self._loop.remove_reader(self._sock)

    async def first(self, seconds: float) -> bytes:
        """The first octet to come, which is still to be read; nothing when none comes within that time, or ever.

        Looked for after that time, too: on a busy host it may have come long before we are told of either.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.readable()
        with suppress(BlockingIOError):
            return self._sock.recv(1, socket.MSG_PEEK)
        return b""

    async def read(self) -> bytes | None:
        """The next octets, none at the end; None when something has come for TLS and there is no text yet.

        Raises OSError when the connection breaks.
        """
        if self._tls is None:
            return await self._receive()
        text = self._tls.read()
        if text is None:
            await self._fetch(self._tls)
            text = self._tls.read()
        return text

    async def write(self, data: bytes) -> None:
        """Returns when the kernel has taken everything."""
        if self._tls is None:
            await self._loop.sock_sendall(self._sock, data)
            return
        for start in range(0, len(data), self._block):
            self._tls.write(data[start : start + self._block])
            await self._flush(self._tls)

    def forget(self) -> None:
        """Throw away what has come and was not read: who asked for TLS says nothing before he is answered."""
        with suppress(OSError):  # nothing more is there, or nobody
            for _ in range(_FORGOTTEN // self._block):
                if not self._sock.recv(self._block):
                    return

    async def start_tls(self, channel: Channel) -> None:
        """The handshake as a server; raises OSError (TlsError is one) when it fails."""
        try:
            while not channel.handshake():
                if not await self._fetch(channel):
                    raise TlsError("the client left in the TLS handshake")
        except TlsError:
            await self._flush(channel)  # the alert that says why
            raise
        await self._flush(channel)
        self._tls = channel

    async def end(self) -> None:
        """Say that nothing more will come, in TLS as well (RFC 8446 §6.1); OSError when there is nobody."""
        if self._tls is not None:
            self._tls.end()
            await self._flush(self._tls)
        self._sock.shutdown(socket.SHUT_WR)

    async def finish(self) -> None:
        """End politely: our end first, then wait a little for the client's, so that the last answer is not lost.

        RFC 5804 §2.3.
        """
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LINGER):
                await self.end()
                left = _LINGER_OCTETS
                while left > 0 and (block := await self._receive()):
                    left -= len(block)

    def close(self) -> None:
        self._sock.close()

    async def _receive(self) -> bytes:
        return await self._loop.sock_recv(self._sock, self._block)

    async def _fetch(self, channel: Channel) -> bool:
        """Hand what is to be sent to the network and what comes to TLS; False at the end."""
        await self._flush(channel)
        block = await self._receive()
        channel.feed(block)
        return bool(block)

    async def _flush(self, channel: Channel) -> None:
        if data := channel.outgoing():
            await self._loop.sock_sendall(self._sock, data)
