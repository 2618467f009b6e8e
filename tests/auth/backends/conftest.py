import itertools
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from sievemda import configload


class Sham:
    """A server at a UNIX socket that answers every connection with what it is told, whatever it is asked.

    `says` are octets, None for silence, or a function of what it has read to octets.
    """

    def __init__(self, path, says):
        self.path, self.says, self.heard = path, says, []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                self._open.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with suppress(OSError):
            if self.says is None:
                return
            if isinstance(self.says, bytes):
                self.heard.append(connection.recv(100_000))
                connection.sendall(self.says)
                connection.shutdown(socket.SHUT_RDWR)
                return
            self.says(connection, self.heard)
            connection.close()

    def close(self):
        self._listener.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def place():
    """A directory with a short name, for sockets."""
    made = Path(tempfile.mkdtemp(prefix="sievemda-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def sham(place):
    made, numbers = [], itertools.count()

    def make(says):
        made.append(Sham(place / f"s{next(numbers)}", says))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def settings(place):
    return lambda *sets: configload.load(data=place, sets=["auth_timeout=1", *sets])
