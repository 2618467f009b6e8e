"""One LMTP connection on aiosmtpd's SMTP class: octets, lines, time-outs, the command loop.

The only module that knows the insides of that class; `protocol` adds the commands as its `smtp_*` methods. What is
aiosmtpd's: the connection as a pair of streams with flow control, the start of a session as a task, the way in which
commands are methods. What is replaced here, and *Why*:

- the command loop, because it answers an exception with its text, drops commands that have arrived when the client
  closes its side, and writes each reply by itself, where pipelined commands (RFC 2920 §3.2) want one write;
- the constructor, because it looks through all attributes of two objects for methods, at each connection anew, and
  an MTA opens one for each message;
- the timer, because cancelling one and starting another for each command costs more than the command, and because a
  delivery that takes long is not the client's idleness;
- losing the connection, because that must not cancel a delivery whose thread goes on regardless;
- the upgrade to TLS, because its way works on no event loop but asyncio's own, and tells nothing of the channel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from aiosmtpd.smtp import SMTP

from sievemda.lmtp import replies
from sievemda.lmtp.tls import TlsTransport
from sievemda.logs import words

if TYPE_CHECKING:
    from sievemda.tls.channel import Channel

log = logging.getLogger(__name__)

BLOCK = 64 * 1024
MAX_COMMAND = 4096  # octets; RFC 5321 §4.5.3.1.4 asks for 512, and ORCPT, ENVID and AUTH add 500 and more each
MAX_ERRORS = 100  # refused commands of one session without a delivery in between
MAX_QUEUED = 1000  # replies held back while commands keep coming
HANDSHAKE = 60.0  # seconds for that of TLS
LINGER = 5.0  # seconds for a client to read our last words

Command = Callable[[Any, str], Coroutine[Any, Any, None]]


class LineTooLong(Exception):
    """The line has been read to its end and dropped."""


class LmtpConnection(SMTP):
    session_id = ""

    commands: ClassVar[dict[str, Command]] = {}  # by verb

    # Not spoken here, and without a method they are unknown commands.
    smtp_HELP = smtp_EXPN = None  # type: ignore[assignment]

    def __init_subclass__(cls) -> None:
        """The table of commands, once for all connections."""
        methods = {name: getattr(cls, name) for name in dir(cls) if name.startswith("smtp_")}
        cls.commands = {name.removeprefix("smtp_"): method for name, method in methods.items() if method}

    def __init__(self, *, timeout: float, loop: asyncio.AbstractEventLoop) -> None:
        reader = asyncio.StreamReader(limit=BLOCK, loop=loop)
        asyncio.StreamReaderProtocol.__init__(self, reader, self._cb_client_connected, loop)
        self.loop = loop
        self.transport = None
        self._original_transport = None
        self._handler_coroutine = None
        self._timeout_handle = None
        self._timeout_duration = timeout
        self._out: list[bytes] = []
        self._errors = 0
        self._waiting_since: float | None = None  # while it is the client's turn
        self._ending = False  # close as soon as no transaction is open

    # What the commands add.

    def begin(self) -> bool:
        """The connection stands: greet. False when the session must not begin."""
        return True

    def end(self) -> None:
        """The session is over."""

    def in_transaction(self) -> bool:
        return False

    def left(self) -> None:
        """The connection is lost."""

    def fell_silent(self) -> None:
        """The client has said all."""

    # The life of a connection.

    def connection_lost(self, error: Exception | None) -> None:
        """The reader gets its end; whoever is reading notices, and a delivery under way is not disturbed."""
        if self._timeout_handle:
            self._timeout_handle.cancel()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None
        self.left()

    def eof_received(self) -> bool | None:
        """The client has said all: what has arrived still gets its replies."""
        self.fell_silent()
        return asyncio.StreamReaderProtocol.eof_received(self)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Look again when the client could first have been idle for too long."""
        if self._timeout_handle:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_later(duration or self._timeout_duration, self._timeout_cb)

    def _timeout_cb(self) -> None:
        idle = 0.0 if self._waiting_since is None else self.loop.time() - self._waiting_since
        if idle >= self._timeout_duration:
            log.info("idle session closed %s", words(session=self.session_id))
            self.part(replies.IDLE)
        else:
            self._reset_timeout(self._timeout_duration - idle)

    def end_soon(self) -> None:
        """Close at once when between transactions, else after this one."""
        self._ending = True
        if self._waiting_since is not None and not self.in_transaction():
            self.part(replies.SHUTDOWN)

    def part(self, last_words: replies.Reply) -> None:
        """Close the session whatever its state. A client that does not read cannot keep it open."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        self.say(last_words)
        self._writer.write(self._take_output())
        transport.close()
        self.loop.call_later(LINGER, transport.abort)  # type: ignore[attr-defined]

    @property
    def is_awaited(self) -> bool:
        """Whether it is for the client to say something."""
        return self._waiting_since is not None

    def gone(self) -> bool:
        return self.transport is None or self.transport.is_closing()

    async def _handle_client(self) -> None:
        """The whole session. aiosmtpd starts it as a task of its own."""
        if not self.begin():
            return
        try:
            await self._converse()
        except OSError:  # the connection broke, and whoever was at work has cleared his things away
            log.debug("connection lost %s", words(session=self.session_id))
        except Exception:
            log.exception("session failed %s", words(session=self.session_id))
            self.part(replies.FATAL)
        finally:
            self._writer.close()
            self.end()

    async def _converse(self) -> None:
        while not self.gone():
            try:
                line = await self.read_line(MAX_COMMAND)
            except LineTooLong:
                self.refuse(replies.LINE_TOO_LONG)
            else:
                if line is None:
                    break
                await self._obey(line)
            if self._errors > MAX_ERRORS:
                log.warning("session with too many errors closed %s", words(session=self.session_id))
                self.part(replies.TOO_MANY_ERRORS)
            elif self._ending and not self.in_transaction():
                self.part(replies.SHUTDOWN)
        await self.flush()

    async def _obey(self, line: bytes) -> None:
        """Verbs in any case; the argument as UTF-8 in which no octet is lost."""
        verb, _, argument = line.partition(b" ")
        command = self.commands.get(verb.decode("ascii", "replace").upper())
        if command is None:
            self.refuse(replies.UNKNOWN_COMMAND)
        else:
            await command(self, argument.decode("utf-8", "surrogateescape").strip(" \t"))

    async def begin_tls(self, channel: Channel) -> None:
        """RFC 3207 §4.2: whatever was sent in the clear behind the command is discarded."""
        await self.flush()
        self.arrived.clear()
        assert self.transport is not None
        transport = TlsTransport(self.transport, self, channel)  # type: ignore[arg-type]
        async with asyncio.timeout(HANDSHAKE):
            await transport.start()
        self.transport = transport
        self._writer._transport = transport  # type: ignore[attr-defined]  # noqa: SLF001
        self._reader._transport = transport  # type: ignore[attr-defined]  # noqa: SLF001

    # Octets.

    @property
    def arrived(self) -> bytearray:
        """What has arrived and not been read."""
        buffered: bytearray = self._reader._buffer  # type: ignore[attr-defined]  # noqa: SLF001
        return buffered

    async def read_line(self, limit: int) -> bytes | None:
        """The next line without its end, `None` at the end of the stream; replies go out before it waits."""
        if b"\n" not in self.arrived or len(self._out) > MAX_QUEUED:
            await self.flush()
        whole = True
        self._waiting_since = self.loop.time()
        try:
            while True:
                try:
                    line = await self._reader.readuntil(b"\n")
                    break
                except asyncio.LimitOverrunError as overrun:
                    whole = False
                    await self._reader.readexactly(overrun.consumed)
        except asyncio.IncompleteReadError:
            return None
        finally:
            self._waiting_since = None
        if not whole or len(line) > limit:
            raise LineTooLong
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    async def read_block(self) -> bytes:
        """Some octets; none at the end of the stream."""
        self._waiting_since = self.loop.time()
        block = await self._reader.read(BLOCK)
        self._waiting_since = None
        return block

    def say(self, text: replies.Reply) -> None:
        """Queue one reply; it goes out when there is nothing left to do without hearing from the client."""
        self._out.append(text + b"\r\n")

    def refuse(self, text: replies.Reply) -> None:
        """Say that a command was wrong. A session does that so often and not more."""
        self._errors += 1
        self.say(text)

    def forgive(self) -> None:
        self._errors = 0

    def _take_output(self) -> bytes:
        out, self._out = b"".join(self._out), []
        return out

    def send(self) -> None:
        """Hand what is queued to the transport, while there is one: uvloop's raises RuntimeError afterwards."""
        if self._out and not self.gone():
            self._writer.write(self._take_output())

    async def flush(self) -> None:
        """Send what is queued, and wait while the client does not read."""
        self.send()
        self._waiting_since = self.loop.time()
        await self._writer.drain()
        self._waiting_since = None
