"""TLS on an LMTP connection that has begun without: between asyncio's transport and the protocol that used it.

Why not asyncio's own TLS: the login of a client is bound to his channel, and what it is bound to (RFC 9266) only
`sievemda.tls` can tell. Why a transport: streams, flow control and time-outs above it stay what they are.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from sievemda.tls.error import TlsError

if TYPE_CHECKING:
    from sievemda.tls.channel import Channel

log = logging.getLogger(__name__)

_BLOCK = 16 << 10  # octets; a TLS record holds no more


class TlsTransport(asyncio.Transport, asyncio.Protocol):
    """A transport for the protocol above, and the protocol of the transport below."""

    def __init__(self, below: asyncio.Transport, above: asyncio.Protocol, channel: Channel) -> None:
        super().__init__()
        self._below = below
        self._above = above
        self._channel = channel
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """The handshake as a server. Raises OSError (TlsError is one) when there is none."""
        self._below.set_protocol(self)
        self._below.resume_reading()
        await self._ready

    # From the network.

    def data_received(self, data: bytes) -> None:
        try:
            self._channel.feed(data)
            if not self._ready.done() and self._channel.handshake():
                self._ready.set_result(None)
            if self._ready.done():
                self._hand_up()
        except TlsError as error:
            self._fail(error)
        else:
            self._flush()

    def _hand_up(self) -> None:
        """What has come for the protocol above."""
        while text := self._channel.read():
            self._above.data_received(text)
        if text is not None:
            self.eof_received()

    def eof_received(self) -> bool:
        """The client says no more. What he has said still gets its replies."""
        if self._ready.done():
            self._above.eof_received()
            return True
        self._fail(TlsError("the client left in the TLS handshake"))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ready.done():
            self._ready.set_exception(error or TlsError("the client left in the TLS handshake"))
        self._above.connection_lost(error)

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()

    def _fail(self, error: TlsError) -> None:
        self._flush()  # the alert that says why
        if not self._ready.done():
            self._ready.set_exception(error)
        else:
            log.info("lmtp: TLS: %s", error)
            self._below.close()

    def _flush(self) -> None:
        if (data := self._channel.outgoing()) and not self._below.is_closing():
            self._below.write(data)

    # From the protocol above.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        for start in range(0, len(data), _BLOCK):
            try:
                self._channel.write(bytes(data[start : start + _BLOCK]))
            except TlsError as error:
                self._fail(error)
                return
        self._flush()

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        if not self._below.is_closing():
            self._channel.end()
            self._flush()
            self._below.close()

    def abort(self) -> None:
        self._below.abort()

    def is_closing(self) -> bool:
        return self._below.is_closing()

    def is_reading(self) -> bool:
        return self._below.is_reading()

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._below.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._below.get_extra_info(name, default)
