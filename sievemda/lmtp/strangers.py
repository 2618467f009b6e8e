"""LMTP clients over TCP that have not proved who they are, and are in no trusted network: how many, and how long.

Why apart from lmtp_max_connections: that is for MTAs, of each worker process. A stranger can do nothing but log in, and
his sessions are counted over all workers, so that what they take in memory until then has one bound. When there are too
many, who has been here for the longest goes for who comes, if it is for him to say something and he has had some
seconds for it: who does nothing but connect keeps nobody out.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sievemda.auth.seats import Seat, Seats
from sievemda.lmtp import replies

if TYPE_CHECKING:
    from sievemda.lmtp.protocol import LmtpProtocol

_STAY = 5.0  # seconds that a stranger has in any case


class Strangers:
    """For one worker; `seats` are shared by all."""

    def __init__(self, seats: Seats, most: int, patience: float) -> None:
        self._seats = seats
        self._most = most
        self._patience = patience
        self._there: dict[LmtpProtocol, tuple[Seat, asyncio.TimerHandle]] = {}

    def full(self) -> bool:
        """Whether there is no room for another one."""
        return self._seats.taken() >= self._most and self._idle() is None

    def admit(self, session: LmtpProtocol) -> bool:
        """Whether there is room for him. He has `patience` seconds to become known."""
        seat = self._seats.take(session.peer.address, self._most)
        if seat is None and (idle := self._idle()):
            self.dismiss(idle)
            idle.part(replies.TOO_MANY_CONNECTIONS)
            seat = self._seats.take(session.peer.address, self._most)
        if seat is None:
            return False
        timer = session.loop.call_later(self._patience, session.part, replies.IDLE)
        self._there[session] = seat, timer
        return True

    def _idle(self) -> LmtpProtocol | None:
        latest = time.time() - _STAY
        return next((one for one in self._there if one.is_awaited and one.since <= latest), None)

    def dismiss(self, session: LmtpProtocol) -> None:
        """He is known now, or gone; or never was one."""
        if found := self._there.pop(session, None):
            seat, timer = found
            timer.cancel()
            self._seats.leave(seat)
