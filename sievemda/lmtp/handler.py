"""The border between the event loop and the synchronous code below it.

Verification of recipients and delivery block (files, SQL, fsync), so they run on the bounded pool of threads; one hop
verifies a whole pipelined batch, and one hop receives and delivers a message that fitted in memory. Nothing here
raises: what fails becomes a receipt for each recipient it concerns.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sievemda.logs import words
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt, Result

log = logging.getLogger(__name__)
T = TypeVar("T")
Refused = tuple[Recipient, Receipt]  # at RCPT


class Intake(Protocol):
    """Takes one message as it comes; see `delivery.content`."""

    def feed(self, block: bytes) -> None: ...
    def finish(self) -> Any: ...
    def abort(self) -> None: ...


class Deliverer(Protocol):
    """What this edge needs of the delivery; every method is called from several threads."""

    def verify(self, sender: Sender, recipient: Recipient, peer: Peer) -> Any: ...
    def intake(self, sender: Sender, peer: Peer, targets: Sequence[Any]) -> Any: ...
    def deliver(
        self, sender: Sender, peer: Peer, targets: Sequence[Any], content: Any, refused: Sequence[Refused]
    ) -> Sequence[Receipt]: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A recipient that got 250 at RCPT, and what the delivery knows about it."""

    recipient: Recipient
    target: Any


@dataclass(frozen=True, slots=True)
class Handler:
    deliverer: Deliverer
    pool: ThreadPoolExecutor
    max_size: int  # octets of a message, as SIZE counts them
    spool_threshold: int  # octets held in memory at most

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    async def verify(self, sender: Sender, recipients: Sequence[Recipient], peer: Peer) -> list[Accepted | Receipt]:
        """One answer for each recipient, in order."""
        return await self.run(self._verify_all, sender, recipients, peer)

    def _verify_all(self, sender: Sender, recipients: Sequence[Recipient], peer: Peer) -> list[Accepted | Receipt]:
        return [self._verify(sender, recipient, peer) for recipient in recipients]

    def _verify(self, sender: Sender, recipient: Recipient, peer: Peer) -> Accepted | Receipt:
        try:
            answer = self.deliverer.verify(sender, recipient, peer)
        except Exception:
            log.exception("verification failed %s", words(session=peer.session, to=recipient.address))
            return Receipt(Result.TROUBLE)
        return answer if isinstance(answer, Receipt) else Accepted(recipient, answer)


class Reception:
    """One message on its way in: collected in memory, or past the threshold handed on as it comes."""

    def __init__(
        self,
        handler: Handler,
        sender: Sender,
        peer: Peer,
        accepted: Sequence[Accepted],
        refused: Sequence[Refused] = (),
    ) -> None:
        self._handler = handler
        self._sender = sender
        self._peer = peer
        self._targets = [each.target for each in accepted]
        self._refused = refused
        self._blocks: list[bytes] = []
        self._held = 0
        self.size = 0
        self._intake: Intake | None = None
        self.failure: Result | None = None  # why the delivery has not heard of it

    async def take(self, block: bytes) -> None:
        """The next octets. Returns when more may come, so that the peer is held back while the disk is slow."""
        self.size += len(block)
        if self.failure:
            return
        if self.size > self._handler.max_size:
            await self._fail(Result.TOO_LARGE)
            return
        self._blocks.append(block)
        self._held += len(block)
        if self._held > self._handler.spool_threshold:
            await self._handler.run(self._hand_on)
            self._held = 0

    async def finish(self) -> list[Receipt]:
        """The end has come: one receipt for each recipient, in order."""
        if not self.failure:
            return await self._handler.run(self._deliver)
        return self._all(self.failure)

    async def abort(self) -> None:
        """The peer went away: leave nothing behind."""
        self._blocks.clear()
        if self._intake:
            await self._handler.run(self._drop)

    def _all(self, result: Result) -> list[Receipt]:
        return [Receipt(result)] * len(self._targets)

    async def _fail(self, result: Result) -> None:
        self.failure = result
        await self.abort()

    def _hand_on(self) -> None:
        blocks, self._blocks = self._blocks, []
        try:
            if self._intake is None:
                self._intake = self._handler.deliverer.intake(self._sender, self._peer, self._targets)
            for block in blocks:
                self._intake.feed(block)
        except Exception as error:  # noqa: BLE001 - logged, and the receipt of every recipient
            self._cannot_spool(error)

    def _cannot_spool(self, error: Exception) -> None:
        """What a disk does gets a line in the log, everything else its traceback."""
        self.failure = spool_result(error)
        what = words(session=self._peer.session, error=error)
        log.error("message cannot be spooled %s", what, exc_info=None if isinstance(error, OSError) else error)
        self._drop()

    def _drop(self) -> None:
        if self._intake is None:
            return
        intake, self._intake = self._intake, None
        try:
            intake.abort()
        except Exception:
            log.exception("spooled message cannot be removed %s", words(session=self._peer.session))

    def _deliver(self) -> list[Receipt]:
        self._hand_on()
        if self.failure or self._intake is None:
            return self._all(self.failure or Result.TROUBLE)
        try:
            content = self._intake.finish()
        except Exception as error:  # noqa: BLE001 - logged, and the receipt of every recipient
            self._cannot_spool(error)
            return self._all(spool_result(error))
        try:
            deliver = self._handler.deliverer.deliver
            receipts = list(deliver(self._sender, self._peer, self._targets, content, self._refused))
        except Exception:
            log.exception("delivery failed %s", words(session=self._peer.session))
            return self._all(Result.TROUBLE)
        if len(receipts) != len(self._targets):
            log.error("receipts and recipients differ in number %s", words(session=self._peer.session))
            return self._all(Result.TROUBLE)
        return receipts


def spool_result(error: Exception) -> Result:
    """Why a message could not be taken in, always temporary."""
    if not isinstance(error, OSError):
        return Result.TROUBLE
    return Result.SPOOL_FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else Result.SPOOL_TROUBLE
