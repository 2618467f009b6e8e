"""One TCP connection, with TLS when it comes on: read, write, end.

Why not asyncio's streams: a transport may buffer 256 KiB of input before anybody asks for it, and its TLS as much
again, for each of hundreds of connections that need not have logged in. Here nothing is read that is not wanted, a
slow reader holds up its own session alone, and what came in clear before TLS cannot end up behind it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

_BLOCK = 16 << 10  # octets of one read; a TLS record is no larger
_LINGER = 2.0  # seconds in which the client may read the last answer and close first
_LINGER_OCTETS = 1 << 20


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        """Takes the connected socket over."""
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    async def read(self) -> bytes:
        """The next octets; none at the end. Raises OSError when the connection breaks."""
        if self._tls is None:
            return await self._receive()
        while True:
            try:
                return self._tls.read(_BLOCK)
            except ssl.SSLWantReadError:
                if not await self._fetch():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    async def write(self, data: bytes) -> None:
        """Returns when the kernel has taken everything."""
        if self._tls is None:
            await self._loop.sock_sendall(self._sock, data)
            return
        for start in range(0, len(data), _BLOCK):
            self._tls.write(data[start : start + _BLOCK])
            await self._flush()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """The handshake as a server; raises OSError (ssl.SSLError is one) when it fails."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                if not await self._fetch():
                    raise ConnectionResetError("the client left in the TLS handshake") from None
            except ssl.SSLError:
                await self._flush()  # the alert that says why
                raise
        await self._flush()
        self._tls = tls

    async def finish(self) -> None:
        """End politely: our end first, then wait a little for the client's, so that the last answer is not lost.

        RFC 5804 §2.3.
        """
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LINGER):
                if self._tls is not None:
                    with suppress(ssl.SSLError):
                        self._tls.unwrap()
                    await self._flush()
                self._sock.shutdown(socket.SHUT_WR)
                left = _LINGER_OCTETS
                while left > 0 and (block := await self._receive()):
                    left -= len(block)

    def close(self) -> None:
        self._sock.close()

    async def _receive(self) -> bytes:
        return await self._loop.sock_recv(self._sock, _BLOCK)

    async def _fetch(self) -> bool:
        """Hand what is to be sent to the network and what comes to TLS; False at the end."""
        await self._flush()
        block = await self._receive()
        self._incoming.write(block)
        return bool(block)

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._loop.sock_sendall(self._sock, data)
