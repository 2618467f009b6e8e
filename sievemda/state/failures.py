"""The failed logins of late: `failures.db`, one row for each address, for each user, and for each pair of them.

A row has points that leak away at a steady rate, so that nothing has to run for them to be forgotten. All worker
processes share the file, and it outlives them.

Why a bound on the rows: whoever owns a network of IPv6 has more addresses than a disk has octets. When there are too
many, those go that would be forgotten first, lock-outs last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sievemda.state import statements
from sievemda.state.sqlite import Database

ADDRESS, USER, BOTH = "address", "user", "both"
MOST = 100_000  # rows, some 20 MiB
_EVERY = 500  # failures of one process between two looks at the size
_SMALLER = MOST // 10


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of an address, a user or a pair. Instants are seconds since 1970."""

    points: float = 0.0  # as they were at `instant`
    instant: int = 0
    until: int = 0  # end of the lock-out, if there is one
    tried: int = 0  # trace of what was tried last


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the list for administrators."""

    kind: str
    name: str
    points: float
    instant: int
    total: int  # failures since the row began
    since: int  # begin of the last lock-out; 0: there was none
    until: int


@dataclass(frozen=True, slots=True)
class Count:
    """One failure to be added to a row: so many points, of which so many a second leak away."""

    kind: str
    name: str
    weight: float
    leak: float
    tried: int = 0


class Failures:
    """Every method raises TemporaryTrouble when the file cannot be used."""

    def __init__(self, path: Path, *, only_read: bool = False) -> None:
        self._database = Database(path, statements.FAILURE_SCHEMA, only_read=only_read)
        self._until_look = 1

    def find(self, kind: str, name: str) -> Row:
        rows = self._database.read(statements.STANDING, {"kind": kind, "name": name})
        return Row(*rows[0][1:]) if rows else Row()  # type: ignore[arg-type]

    def add(self, counts: list[Count], now: int, keep: int) -> None:
        """Count a failure in each of these rows, which are kept for `keep` seconds more."""
        self._database.write(
            statements.ADD_FAILURE,
            [
                {"kind": one.kind, "name": one.name, "weight": one.weight, "leak": one.leak, "tried": one.tried,
                 "now": now, "expires": now + keep}
                for one in counts
            ],
        )  # fmt: skip
        self._until_look -= 1
        if self._until_look <= 0:
            self._until_look = _EVERY
            self.prune(now)

    def lock(self, address: str, points: float, now: int, until: int) -> bool:
        """Lock the address out when it has more points than these; whether this did it."""
        values = {"name": address, "points": points, "now": now, "until": until}
        return bool(self._database.write(statements.LOCK_OUT, [values]))

    def forgive(self, address: str, both: str, points: float) -> None:
        """The user behind the failures of this pair was right after all."""
        self._database.write(statements.FORGIVE, [{"kind": ADDRESS, "name": address, "points": points}])
        self._database.write(statements.FORGET_FAILURES, [{"kind": BOTH, "name": both}])

    def forget(self, kind: str, name: str) -> bool:
        """Whether there was such a row."""
        return bool(self._database.write(statements.FORGET_FAILURES, [{"kind": kind, "name": name}]))

    def forget_all(self) -> None:
        self._database.write(statements.FORGET_ALL_FAILURES, [{}])

    def all(self) -> list[Found]:
        """Addresses, then users."""
        return [Found(*row) for row in self._database.read(statements.ALL_FAILURES, {})]  # type: ignore[arg-type]

    def prune(self, now: int | None = None, most: int = MOST) -> None:
        """Let go what says nothing any more, and what is too much."""
        self._database.write(statements.PRUNE_FAILURES, [{"now": int(time.time()) if now is None else now}])
        ((number,),) = self._database.read(statements.COUNT_FAILURES, {})
        assert isinstance(number, int)
        if number > most:
            self._database.write(statements.SHRINK_FAILURES, [{"surplus": number - most + min(_SMALLER, most // 10)}])

    def close(self) -> None:
        self._database.close()
