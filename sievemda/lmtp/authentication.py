"""AUTH (RFC 4954): the exchange of a SASL mechanism over an LMTP connection.

The mechanisms are `sievemda.auth.sasl`'s, the same as ManageSieve's. What they prove is who the LMTP client is, which
is what MAIL over TCP asks for; the posting identity is that of MAIL's AUTH= and has nothing to do with it.
"""

from __future__ import annotations

import asyncio
import binascii
import logging
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.auth.client import Client
from sievemda.auth.guard import Guard
from sievemda.auth.lanes import CROWDED_PAUSE, Crowded
from sievemda.auth.sasl.offer import SERVER_FIRST, Hindrance
from sievemda.auth.sasl.steps import Accepted, Challenge, Mechanism, Refused
from sievemda.errors import TemporaryTrouble
from sievemda.lmtp import replies
from sievemda.lmtp.connection import LineTooLong, LmtpConnection
from sievemda.logs import words

if TYPE_CHECKING:
    from sievemda.lmtp.protocol import LmtpProtocol
    from sievemda.lmtp.server import LmtpServer

log = logging.getLogger(__name__)

MAX_RESPONSE = 64_000 + 2  # octets of one line of base64: a ticket of Kerberos, the longest of all, has up to 48,000

_HINDRANCES: dict[Hindrance, replies.Reply] = {
    "unknown": replies.AUTH_UNKNOWN,
    "weak": replies.AUTH_TOO_WEAK,
    "encryption": replies.AUTH_NEEDS_TLS,
}


class Aborted(Exception):
    """The exchange ends with this reply."""

    def __init__(self, reply: replies.Reply) -> None:
        super().__init__(reply)
        self.reply = reply


async def authenticate(connection: LmtpProtocol, server: LmtpServer, client: Client, argument: str) -> str:
    """One AUTH command to its reply: who the client is, empty when that has not been proved."""
    try:
        return await _exchange(connection, server, client, argument)
    except Aborted as aborted:
        connection.refuse(aborted.reply)
    except Crowded:
        await asyncio.sleep(CROWDED_PAUSE)
        connection.say(replies.AUTH_TROUBLE)
    except TemporaryTrouble as trouble:
        server.trouble("lmtp: login not possible: %s", trouble)
        connection.say(replies.AUTH_TROUBLE)
    return ""


async def _exchange(connection: LmtpProtocol, server: LmtpServer, client: Client, argument: str) -> str:
    name, _, initial = argument.partition(" ")
    name = name.upper()
    if not name:
        raise Aborted(replies.ARGUMENT_WANTED)
    offer = await server.offer(client)
    if name not in offer.ready:
        raise Aborted(_HINDRANCES[offer.hindrance(name)])
    if initial and name in SERVER_FIRST:
        raise Aborted(replies.AUTH_NO_INITIAL)
    mechanism = await connection.turn(server.login(client, offer.ready[name], bound=True))
    exchange = _Exchange(mechanism, name, client, server.guard)
    turn = server.login(client, exchange.step, _initial(initial))
    step = await connection.turn(turn)
    while isinstance(step, Challenge):
        connection.say(b"334 " + b64encode(step.data))
        try:
            response = await _response(connection)
        except (Aborted, OSError):
            if step.verdict is not None:  # he has failed already, and does not wait to be told
                await server.login(client, exchange.failed, step.verdict, b"").awaited()
            raise
        turn = server.login(client, exchange.step, response)
        step = await connection.turn(turn)
    server.logged_in(client, failed=not isinstance(step, Accepted))
    if isinstance(step, Accepted):
        log.info("lmtp: login: %s", words(user=step.user, mech=name, rhost=client.address))
        connection.say(replies.AUTH_OK)
        return step.owner
    await asyncio.sleep(max(step.delay, turn.penance))
    if step.refused is None:
        raise Aborted(replies.AUTH_LOCKED_OUT)
    raise Aborted(replies.AUTH_TRANSITION if server.may_transit(name, step.refused) else replies.AUTH_FAILED)


@dataclass(frozen=True, slots=True)
class _Failed:
    delay: float  # seconds before it is answered
    refused: Refused | None = None  # None: locked out


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A mechanism behind the guard. Both use the disk, and passwords are hashed: steps are for a thread."""

    mechanism: Mechanism
    name: str
    client: Client
    guard: Guard

    def step(self, response: bytes | None) -> Challenge | Accepted | _Failed:
        attempt = self.guard.attempt("lmtp", self.client.address)
        if attempt.locked:
            return _Failed(attempt.failed("", self.name, "locked"))
        step = self.mechanism.step(response)
        if isinstance(step, Refused):
            return self.failed(step, response or b"")
        if isinstance(step, Accepted):
            attempt.succeeded(step.user)
        return step

    def failed(self, refused: Refused, tried: bytes) -> _Failed:
        attempt = self.guard.attempt("lmtp", self.client.address)
        return _Failed(attempt.failed(refused.user, self.name, refused.reason, tried), refused)


def _initial(text: str) -> bytes | None:
    """The initial response: none, `=` for an empty one, or base64. RFC 4954 §4."""
    return None if not text else b"" if text == "=" else _decoded(text.encode("utf-8", "surrogateescape"))


async def _response(connection: LmtpConnection) -> bytes:
    try:
        line = await connection.read_line(MAX_RESPONSE)
    except LineTooLong:
        raise Aborted(replies.AUTH_TOO_LONG) from None
    if line is None:
        raise ConnectionAbortedError
    if line == b"*":
        raise Aborted(replies.AUTH_CANCELLED)
    return _decoded(line)


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise Aborted(replies.AUTH_BAD_BASE64) from None
