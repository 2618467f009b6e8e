"""How many sessions there are, over all worker processes: in all, of one user, and of one address before login.

A table in memory that the processes share by inheriting it, a row for each session. A row is taken at the beginning,
gets its user at login, and is given back at the end; rows of a process that died are given back by whoever notices.

Why not a count in each process: the limits are promised for the service, whose number of workers follows from the
machine. Why no file and no SQL: a row costs some microseconds under the lock, so that a thousand connections a second
that are told to go away cost nothing to speak of. Users and addresses are kept as keyed digests, all of one size.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import secrets
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sievemda.auth.turns import Turns

CAPACITY = 16384  # sessions at once, at most
_WORD = 8


@dataclass(frozen=True, slots=True)
class Seat:
    """The row of one session."""

    number: int
    address: int  # digest


class Seats:
    """Made before the processes that share it are forked, and closed by who made it. For one thread of each process."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        size = (1 + 3 * capacity) * _WORD
        self._turns = Turns()
        self._memory = mmap.mmap(-1, size)
        words = memoryview(self._memory).cast("Q")
        self._used = words[:1]  # rows behind are free
        self._pids, self._addresses, self._users = (
            words[1 + n * capacity : 1 + (n + 1) * capacity] for n in range(3)
        )  # a process number of 0 is a free row, a user of 0 a session before login
        self._key = secrets.token_bytes(16)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """For this process; others go on with it."""
        for words in (self._used, self._pids, self._addresses, self._users):
            words.release()
        self._memory.close()
        self._turns.close()

    def take(self, address: str, most: int, most_of_address: int = 0) -> Seat | None:
        """A seat, if there are less than `most` in all, and before login less than `most_of_address` of the address."""
        place = self._digest(address)
        with self._turns:
            pids = self._pids[: self._used[0]].tolist()
            if len(pids) - pids.count(0) >= min(most, len(self._pids)):
                return None
            if most_of_address and self._waiting()[place] >= most_of_address:
                return None
            number = pids.index(0) if 0 in pids else len(pids)
            self._users[number], self._addresses[number], self._pids[number] = 0, place, os.getpid()
            self._used[0] = max(len(pids), number + 1)
        return Seat(number, place)

    def crowd(self, address: str) -> int:
        """Digest of the address that has the most sessions before login, 0 unless these are far more than of this one.

        So that an address cannot take all seats by doing nothing.
        """
        with self._turns:
            waiting = self._waiting()
        place, number = max(waiting.items(), key=lambda item: item[1], default=(0, 0))
        return place if number > 4 * (1 + waiting[self._digest(address)]) else 0

    def name(self, seat: Seat, user: str, most: int) -> bool:
        """The session is this user's from now on, if he has less than `most`; an empty name: nobody's again."""
        digest = self._digest(user) if user else 0
        with self._turns:
            if user and self._users[: self._used[0]].tolist().count(digest) >= most:
                return False
            self._users[seat.number] = digest
        return True

    def leave(self, seat: Seat) -> None:
        with self._turns:
            self._free(seat.number)

    def release(self, pid: int) -> None:
        """All seats of a process that has died."""
        with self._turns:
            for number, owner in enumerate(self._pids[: self._used[0]].tolist()):
                if owner == pid:
                    self._free(number)

    def taken(self) -> int:
        with self._turns:
            pids = self._pids[: self._used[0]].tolist()
        return len(pids) - pids.count(0)

    def _free(self, number: int) -> None:
        self._users[number], self._addresses[number], self._pids[number] = 0, 0, 0
        while self._used[0] and not self._pids[self._used[0] - 1]:
            self._used[0] -= 1

    def _waiting(self) -> Counter[int]:
        """Address to its sessions before login."""
        used = self._used[0]
        rows = zip(self._addresses[:used].tolist(), self._users[:used].tolist(), strict=True)
        return Counter(place for place, user in rows if place and not user)

    def _digest(self, text: str) -> int:
        """Never 0."""
        return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8, key=self._key).digest()) | 1
