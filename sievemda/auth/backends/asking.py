"""Questions to whoever keeps the credentials: by a deadline for the whole of each, and not too many at once.

A server that is silent costs whoever asks it the whole time limit. So that this does not keep those waiting who are to
be recognised elsewhere, one question at a time is asked of it until it answers again; everybody else learns at once
that it does not.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar, cast

from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble

_MOST = 16  # questions at once in one process
_MOST_LOST = 8  # threads of one gate that may wait for an answer that nobody waits for any more
_GRACE = 1.0  # seconds behind the limits of who asks himself, which say better what is wrong

T = TypeVar("T")


class Silence(TemporaryTrouble):
    """There was no answer in time."""


class Gate:
    """`name` is who is asked, for the log; `patience` are seconds for a question, those for its turn included."""

    def __init__(self, name: str, patience: float) -> None:
        self._name, self._patience = name, patience
        self._changed = threading.Condition()
        self._asked = 0
        self._lost = 0
        self._silent = False

    @contextmanager
    def question(self) -> Iterator[float]:
        """Inside it one may ask, until that instant of the monotonic clock.

        Raises TemporaryTrouble when there is no turn, or none in time.
        """
        until = time.monotonic() + self._patience
        with self._changed:
            if not self._changed.wait_for(lambda: self._asked < _MOST or self._silent, self._patience):
                raise TemporaryTrouble(f"{self._name}: too many questions at once")
            if (self._silent and self._asked) or self._lost >= _MOST_LOST:
                raise TemporaryTrouble(f"{self._name}: it has not answered lately")
            self._asked += 1
        silent = self._silent
        try:
            yield until
            silent = False
        except Silence:
            silent = True
            raise
        finally:
            with self._changed:
                self._asked -= 1
                self._silent = silent
                self._changed.notify_all()

    def ask(self, question: Callable[[float], T], leave: Callable[[], None] = lambda: None) -> T:
        """What a question gives, as `question` above, with an end even where it waits for what has none.

        For libraries whose limits are for each read, or that look names up, which has a limit of its own. It is asked
        on a thread, which is given up at the end of the time; then `leave` shall have it come to its own end soon.
        Threads that do not are counted, and with too many of them nothing is asked any more until some have ended.
        """
        with self.question() as until:
            answer: Future[T] = Future()
            thread = threading.Thread(target=self._answered, args=(answer, question, until), name=self._name)
            thread.daemon = True
            try:
                thread.start()
            except RuntimeError as e:
                raise TemporaryTrouble(f"{self._name}: {e}") from e
            wait([answer], max(until - time.monotonic(), 0) + _GRACE)
            if not self._is_lost(answer):
                return answer.result()
            leave()
            raise Silence(f"{self._name}: no answer in time")

    def _is_lost(self, answer: Future[T]) -> bool:
        with self._changed:
            lost = not answer.done()
            self._lost += lost
            return lost and answer.set_running_or_notify_cancel()

    def _answered(self, answer: Future[T], question: Callable[[float], T], until: float) -> None:
        """On the thread. A future that runs is one that was given up."""
        try:
            found, error = question(until), None
        except BaseException as e:  # noqa: BLE001 - whoever has asked gets it
            found, error = None, e
        with self._changed:
            self._lost -= answer.running()
            if error is None:
                answer.set_result(cast(T, found))
            else:
                answer.set_exception(error)


class Conversation:
    """A UNIX socket and the instant until which everything must have been said. Raises TemporaryTrouble."""

    def __init__(self, path: Path, until: float) -> None:
        self._path = path
        self._until = until
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._read = bytearray()

    def __enter__(self) -> Self:
        try:
            with self._told():
                self._socket.connect(str(self._path))
        except TemporaryTrouble:
            self._socket.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        with self._told():
            self._socket.sendall(data)

    def octets(self, count: int) -> bytes:
        """Exactly so many."""
        while len(self._read) < count:
            self._more()
        return self._taken(count)

    def line(self, most: int) -> bytes:
        """Up to the next line feed, which is left out."""
        while b"\n" not in self._read:
            if len(self._read) > most:
                raise TemporaryTrouble(f"{self._path}: it has sent a line without an end")
            self._more()
        return self._taken(self._read.index(b"\n") + 1)[:-1]

    def _more(self) -> None:
        with self._told():
            block = self._socket.recv(65536)
        if not block:
            raise TemporaryTrouble(f"{self._path}: it has closed the connection without an answer")
        self._read += block

    def _taken(self, count: int) -> bytes:
        found = bytes(self._read[:count])
        del self._read[:count]
        return found

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            self._socket.settimeout(max(self._until - time.monotonic(), 0.001))
            yield
        except TimeoutError:
            raise Silence(f"{self._path}: no answer in time") from None
        except OSError as e:
            raise TemporaryTrouble(f"{self._path}: {e.strerror or e}") from e


def asked_name(userid: str, settings: Settings) -> str:
    """What a user is called there: auth_username_format."""
    local, _, domain = userid.partition("@")
    words = {"user": userid, "local": local, "domain": domain or settings.domain}
    return re.sub(r"\{(user|local|domain)\}", lambda word: words[word[1]], settings.auth.auth_username_format)
