"""The conversation of two hosts about a user who moves: a line of JSON, and octets behind it when it says how many.

The host where he is asks, the other one answers each question with one line. It runs over the standard input and
output of a program that ssh has started there: no port, no daemon, no password of ours.

Why not an archive of `backup`: that goes one way. Here the other host says what it lacks, so that a pass over a large
mailbox of which little has changed sends little, and a pipe that was cut costs what was on the way.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from sievemda.errors import (
    AlreadyExists,
    DataError,
    NotFound,
    NotPermitted,
    SievemdaError,
    StoreTrouble,
    TemporaryTrouble,
    Unavailable,
    exit_code,
)

VERSION = 1
HISTORY = "history"  # what an end can that takes versions of scripts
_LONGEST = 256 << 20  # octets of a line: a folder with a million messages
_BLOCK = 1 << 20
_ERRORS = {
    error.exit_code: error
    for error in (DataError, NotFound, AlreadyExists, StoreTrouble, TemporaryTrouble, NotPermitted)
}

Said = dict[str, Any]


class Wire:
    """One end. TemporaryTrouble when the other end neither says nor takes anything for `patience` seconds; 0: no end.

    That is for the main thread only, which the clock interrupts: the other end is a program, and what it has started
    may hold the pipes, so that to end it would not be enough.
    """

    def __init__(self, reading: IO[bytes], writing: IO[bytes], peer: str, patience: float = 0.0) -> None:
        self._reading = reading
        self._writing = writing
        self.peer = peer
        self.patience = patience

    @contextmanager
    def patient(self) -> Iterator[None]:
        """While the other end is waited for."""
        if not self.patience:
            yield
            return
        before = signal.signal(signal.SIGALRM, self._give_up)
        signal.setitimer(signal.ITIMER_REAL, self.patience)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _give_up(self, *_: object) -> None:
        raise TemporaryTrouble(
            f"{self.peer} has said nothing for {self.patience:g} seconds: try again, it goes on then"
        )

    def say(self, what: Said, octets: Iterable[bytes] = ()) -> None:
        """Unavailable when nobody listens."""
        try:
            self._write(json.dumps(what).encode() + b"\n")
            for block in octets:
                self._write(block)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self.peer}: the connection was cut") from error

    def _write(self, block: bytes) -> None:
        with self.patient():
            self._writing.write(block)

    def meet(self) -> frozenset[str]:
        """Hear who the other is, and what he can that not all can.

        Unavailable when he is another version, with which it might go wrong in the middle.
        """
        said = self.hear()
        if said.get("sievemda") != VERSION:
            other = str(said.get("sievemda"))[:40]
            raise Unavailable(
                f"{self.peer} speaks version {other} of the protocol of moves, and this host {VERSION}:"
                " both need the same sievemda"
            )
        can = said.get("can")
        return frozenset(map(str, can)) if isinstance(can, list) else frozenset()

    def hear(self) -> Said:
        """What the other says. Unavailable when he is gone, or is none of ours; what went wrong there is raised."""
        try:
            with self.patient():
                self._writing.flush()
                line = self._reading.readline(_LONGEST)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self.peer}: the connection was cut") from error
        if not line.endswith(b"\n"):
            raise Unavailable(f"{self.peer}: the connection was cut")
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Unavailable(f"{self.peer} does not answer as sievemda does: {line[:200]!r}")
        if "error" in said:
            raise _ERRORS.get(said.get("code", 0), Unavailable)(f"{self.peer}: {said['error']}")
        return said

    def heard(self) -> Said | None:
        """As `hear`, but None when the other end has gone."""
        try:
            return self.hear()
        except Unavailable:
            return None

    def ask(self, what: Said) -> Said:
        self.say(what)
        return self.hear()

    def octets(self, number: int) -> Iterator[bytes]:
        """So many that follow. Unavailable when they do not come."""
        while number:
            with self.patient():
                block = self._reading.read(min(number, _BLOCK))
            if not block:
                raise Unavailable(f"{self.peer}: the connection was cut")
            number -= len(block)
            yield block


def told(error: SievemdaError | OSError) -> Said:
    """An error, for the other end."""
    return {"error": str(error), "code": exit_code(error)}
