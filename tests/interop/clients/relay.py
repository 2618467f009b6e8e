"""TLS for clients that have none when they connect: what stunnel does for them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from pathlib import Path


class Relay:
    """Listens at `port` for plain connections, and carries each to the server over TLS."""

    def __init__(self, to: int, authority: Path) -> None:
        self._to = to
        self._context = ssl.create_default_context(cafile=str(authority))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = self._context.wrap_socket(
                    socket.create_connection(("127.0.0.1", self._to)), server_hostname="localhost"
                )
                self._sockets += near, far
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(source, sink), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._sockets):
            each.close()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
