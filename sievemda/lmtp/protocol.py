"""The commands of LMTP (RFC 2033): RFC 5321's with LHLO, and one reply for each accepted recipient after DATA.

Order and outcomes are decided here, syntax in `parameters`, texts in `replies`, what becomes of a recipient behind
`handler`. Every path through DATA ends in as many replies as recipients were accepted, or in a closed connection.

Why MAIL, RCPT and DATA are not aiosmtpd's: LMTP clients send parameters that it refuses, each recipient its own; it
answers once for all recipients; and it reads lines, which is slow.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from sievemda.auth.client import Client
from sievemda.auth.lanes import Turn
from sievemda.auth.origin import Origin, address_of
from sievemda.lmtp import replies
from sievemda.lmtp.authentication import authenticate
from sievemda.lmtp.connection import MAX_COMMAND, LmtpConnection
from sievemda.lmtp.data import Unstuffer
from sievemda.lmtp.handler import Accepted, Reception
from sievemda.lmtp.parameters import parse_mail, parse_rcpt
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt

if TYPE_CHECKING:
    from sievemda.lmtp.server import LmtpServer
    from sievemda.tls.contexts import Contexts

BATCH = 100  # recipients verified at once

T = TypeVar("T")

_HELO = re.compile(r"[!-~]{1,255}")
_count = itertools.count(1)


@dataclass(slots=True)
class Transaction:
    """What stands between an accepted MAIL and the replies after DATA."""

    sender: Sender
    accepted: list[Accepted] = field(default_factory=list)
    refused: list[tuple[Recipient, Receipt]] = field(default_factory=list)  # the first of them, for the journal


class LmtpProtocol(LmtpConnection):
    """`local` says that the peer came over a UNIX socket, which makes it known.

    `told` is what a proxy said, if one stands in front.
    """

    def __init__(self, server: LmtpServer, *, local: bool, told: Origin) -> None:
        super().__init__(timeout=server.settings.lmtp_timeout, loop=server.loop)
        self.server = server
        self.local = local
        self._told = told
        self.session_id = _new_session(server.hostname)
        self.peer = Peer(self.session_id, authenticated="postman" if local else "")
        self.client = Client("", service="lmtp")
        self.since = time.time()
        self.messages = 0
        self._turn: Turn[Any] | None = None  # that he waits for, to log in
        self._silent = False  # he has said all
        self._mail: Transaction | None = None
        self._batch: list[Recipient | replies.Reply] = []

    def begin(self) -> bool:
        name = self._writer.get_extra_info("peername")
        if not self.local and isinstance(name, tuple):
            address, secure = self._told.address or str(address_of(name[0])), self._told.secure
            self.peer = replace(self.peer, address=address, tls=secure)
            self.client = Client(address, secure=secure, service="lmtp")
        if refusal := self.server.admit(self):
            self.part(refusal)
            return False
        self.say(self.server.greeting)
        return True

    def end(self) -> None:
        self.server.dismiss(self)

    def in_transaction(self) -> bool:
        return self._mail is not None

    async def turn(self, turn: Turn[T]) -> T:
        """What it gives. Raises OSError when the client has gone before it began."""
        self._turn = turn
        if self.gone():
            turn.leave()
        elif self._silent:
            self.server.defer(turn)
        try:
            return await turn.awaited()
        finally:
            self._turn = None

    def left(self) -> None:
        if self._turn is not None:
            self._turn.leave()

    def fell_silent(self) -> None:
        self._silent = True
        if self._turn is not None:
            self.server.defer(self._turn)

    async def smtp_LHLO(self, arg: str) -> None:
        """RFC 2033 §4.1; it also ends a transaction (RFC 5321 §4.1.4)."""
        if not arg:
            self.refuse(replies.ARGUMENT_WANTED)
        elif not _HELO.fullmatch(arg):
            self.refuse(replies.BAD_HELO)
        else:
            self._mail = None
            self.peer = replace(self.peer, helo=arg)
            self.say(await self.server.capabilities(self.peer, self.client, local=self.local))

    async def smtp_HELO(self, _arg: str) -> None:
        self.refuse(replies.HELO_IS_SMTP)

    async def smtp_EHLO(self, _arg: str) -> None:
        self.refuse(replies.HELO_IS_SMTP)

    async def smtp_NOOP(self, arg: str) -> None:
        if arg:
            self.refuse(replies.BAD_SYNTAX)
        else:
            self.say(replies.OK)

    async def smtp_RSET(self, arg: str) -> None:
        if arg:
            self.refuse(replies.NO_ARGUMENT)
        else:
            self._mail = None
            self.say(replies.OK)

    async def smtp_VRFY(self, arg: str | None) -> None:
        if arg:
            self.say(replies.NOT_VERIFIED)
        else:
            self.refuse(replies.ARGUMENT_WANTED)

    async def smtp_QUIT(self, arg: str) -> None:
        if arg:
            self.refuse(replies.NO_ARGUMENT)
        else:
            self._mail = None
            self.part(replies.BYE)

    async def smtp_STARTTLS(self, arg: str) -> None:
        """The session begins anew; RFC 3207 §4.2."""
        if self.peer.tls:
            self.refuse(replies.TLS_ACTIVE)
        elif self.server.tls is None or self.local:
            self.refuse(replies.UNKNOWN_COMMAND)
        elif arg:
            self.refuse(replies.NO_ARGUMENT)
        else:
            self.say(replies.TLS_READY)
            self.client = await self._secured(self.server.tls)
            self._mail = None
            self.peer = replace(self.peer, tls=True, helo="", authenticated="")

    async def _secured(self, identities: Contexts) -> Client:
        """Who the client is, as far as the handshake tells."""
        from sievemda.tls.channel import Channel  # noqa: PLC0415 - who has no certificate does not load it
        from sievemda.tls.people import user_of  # noqa: PLC0415

        channel = Channel(identities.default)
        await self.begin_tls(channel)
        shown = channel.certificate()
        user = user_of(shown, self.server.settings.tls_client_user) if shown else ""
        bindings = MappingProxyType(channel.bindings())
        return replace(self.client, secure=True, bindings=bindings, certificate=user)

    async def smtp_AUTH(self, arg: str) -> None:
        """RFC 4954 §4; of no use to a peer that is known already. What LHLO offered in clear is void under TLS."""
        if self.peer.authenticated or self._mail:
            self.refuse(replies.AUTH_NOT_NOW)
        elif self.server.users is None:
            self.refuse(replies.UNKNOWN_COMMAND)
        elif not self.peer.helo:
            self.refuse(replies.LHLO_FIRST)
        elif user := await authenticate(self, self.server, self.client, arg):
            self.peer = replace(self.peer, authenticated=user)
            self.server.recognised(self)

    async def smtp_MAIL(self, arg: str | None) -> None:
        """A refused MAIL leaves no transaction open."""
        if not self.server.may_send(self.peer):
            self.say(self.server.authentication_required)
            return
        if self._mail:
            self.refuse(replies.NESTED_MAIL)
            return
        options = self.server.settings
        sender = parse_mail(arg or "", strict=options.lmtp_strict_rfc2821, deliverby=options.lmtp_deliverby)
        if isinstance(sender, bytes):
            self.refuse(sender)
        elif sender.size > self.server.handler.max_size:  # RFC 1870 §6.1
            self.say(replies.TOO_LARGE)
        else:
            self._mail = Transaction(sender)
            self.say(replies.SENDER_OK)

    async def smtp_RCPT(self, arg: str | None) -> None:
        """Recipients that have arrived together are verified together."""
        if self._mail is None:
            self.refuse(replies.MAIL_FIRST)
            return
        utf8 = self._mail.sender.smtputf8
        self._batch.append(parse_rcpt(arg or "", utf8=utf8, strict=self.server.settings.lmtp_strict_rfc2821))
        another = self.arrived[:5].upper() == b"RCPT " and self.arrived.find(b"\n", 0, MAX_COMMAND) > 0
        if not another or len(self._batch) >= BATCH:
            await self._verify(self._mail)

    async def _verify(self, mail: Transaction) -> None:
        """One reply for each command of the batch, in order."""
        batch, self._batch = self._batch, []
        room = self.server.settings.lmtp_max_recipients - len(mail.accepted)
        wanted = [command for command in batch if isinstance(command, Recipient)] if room > 0 else []
        answers = iter(await self.server.handler.verify(mail.sender, wanted, self.peer) if wanted else ())
        for command in batch:
            if isinstance(command, bytes):
                self.refuse(command)
                continue
            answer = next(answers, None)
            if answer is None or (isinstance(answer, Accepted) and room <= 0):
                self.say(replies.TOO_MANY_RECIPIENTS)
            elif isinstance(answer, Accepted):
                room -= 1
                mail.accepted.append(answer)
                self.say(replies.RECIPIENT_OK)
            else:
                self.say(self._reply(answer, mail))
                self.server.refused(self.peer, mail.sender, command, answer)
                if len(mail.refused) < BATCH:
                    mail.refused.append((command, answer))

    async def smtp_DATA(self, arg: str) -> None:
        """RFC 2033 §4.2; afterwards the transaction is over, whatever happened."""
        if arg:
            self.refuse(replies.NO_ARGUMENT)
        elif self._mail is None:
            self.refuse(replies.MAIL_FIRST)
        elif not self._mail.accepted:
            self.refuse(replies.RCPT_FIRST)
        else:
            self.say(replies.GO_AHEAD)
            await self.flush()
            await self._receive(self._mail)
            self._mail = None
            self.forgive()

    async def _receive(self, mail: Transaction) -> None:
        reception = Reception(self.server.handler, mail.sender, self.peer, mail.accepted, mail.refused)
        unstuffer = Unstuffer()
        try:
            while not unstuffer.done:
                block = await self.read_block()
                if not block:
                    raise ConnectionAbortedError
                if content := unstuffer.feed(block):
                    await reception.take(content)
        except BaseException:
            await reception.abort()
            raise
        self.arrived[:0] = unstuffer.rest
        receipts = await reception.finish()
        for receipt in receipts:
            self.say(self._reply(receipt, mail))
        self.send()
        self.messages += 1
        self.server.received(reception.size, [] if reception.failure else receipts)
        if reception.failure:
            for accepted, receipt in zip(mail.accepted, receipts, strict=True):
                self.server.refused(self.peer, mail.sender, accepted.recipient, receipt)

    def _reply(self, receipt: Receipt, mail: Transaction) -> replies.Reply:
        return replies.reply(receipt, self.session_id, self.server.postmaster, utf8=mail.sender.smtputf8)


def _new_session(hostname: str) -> str:
    return f"{hostname}-{os.getpid()}-{int(time.time())}-{next(_count)}-{secrets.token_hex(4)}"
