"""Octets that clients make one process hold before they log in: lines without an end, answers that nobody reads.

There is only so much room for them. When it is full, whoever has held something for the longest has to go. Why him:
who means to log in says a few short lines and reads what comes, so that what he holds is gone in a moment. Those who
stay for seconds are not he, and who comes to log in beside a crowd of them gets through.

Why one room for each process, and not one for all: nobody has to be asked, and nobody waits.
"""

from __future__ import annotations

from typing import Final, Protocol

MOST: Final = 8 << 20  # octets in one process
_NEGLIGIBLE = 2 << 10  # octets of one client: every session has so many


class Holder(Protocol):
    """One client, as far as he is known here."""

    def push_out(self) -> None:
        """He has to go, soon. Must not raise, nor call back."""


class Room:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: dict[Holder, int] = {}  # the one who has had something for the longest comes first
        self._sum = 0

    def hold(self, holder: Holder, octets: int) -> None:
        """So many it is now. He may be the one who is pushed out."""
        before = self._held.get(holder, 0)
        if octets <= _NEGLIGIBLE:
            octets = 0
            self._held.pop(holder, None)
        else:
            self._held[holder] = octets
        self._sum += octets - before
        while self._sum > self._most:
            first = next(iter(self._held))
            self._sum -= self._held.pop(first)
            first.push_out()
