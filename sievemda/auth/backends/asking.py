"""Questions to a server of the host: over a UNIX socket, by a deadline, and not too many at once.

A server that is silent costs whoever asks it the whole time limit. So that this does not keep those waiting who are to
be recognised elsewhere, one question at a time is asked of it until it answers again; everybody else learns at once
that it does not.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble

_MOST = 16  # questions at once in one process


class Silence(TemporaryTrouble):
    """There was no answer in time."""


class Gate:
    """`name` is who is asked, for the log; `patience` are seconds that a question may wait for its turn."""

    def __init__(self, name: str, patience: float) -> None:
        self._name, self._patience = name, patience
        self._changed = threading.Condition()
        self._asked = 0
        self._silent = False

    @contextmanager
    def question(self) -> Iterator[None]:
        """Inside it one may ask. Raises TemporaryTrouble when there is no turn, or none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._asked < _MOST or self._silent, self._patience):
                raise TemporaryTrouble(f"{self._name}: too many questions at once")
            if self._silent and self._asked:
                raise TemporaryTrouble(f"{self._name}: it has not answered lately")
            self._asked += 1
        silent = self._silent
        try:
            yield
            silent = False
        except Silence:
            silent = True
            raise
        finally:
            with self._changed:
                self._asked -= 1
                self._silent = silent
                self._changed.notify_all()


class Conversation:
    """A UNIX socket and the time until which everything must have been said. Raises TemporaryTrouble."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._until = time.monotonic() + patience
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
