"""A small NNTP server (RFC 3977), which can be told to misbehave."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import BinaryIO, Self


class NewsServer:
    """`groups` has the articles by their numbers. `spoil` gets each article as it goes out, and may give other octets;
    the connection ends behind fewer.
    """

    def __init__(self, groups: dict[str, dict[int, bytes]], *, password: str = "") -> None:
        self.groups = groups
        self.password = password
        self.greeting = "200 ready"
        self.spoil = lambda _number, octets: octets
        self.fetched: list[tuple[str, int]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as file, suppress(OSError):
                self._session(connection, file)

    def _session(self, connection: socket.socket, file: BinaryIO) -> None:  # noqa: C901 - a case a command
        group, known = "", not self.password
        connection.sendall(self.greeting.encode() + b"\r\n")
        while line := file.readline():
            words = line.decode().split()
            match words[0].upper(), words[1:]:
                case "MODE", _:
                    answer = b"200 ready\r\n"
                case "AUTHINFO", ["USER", _]:
                    answer = b"381 password\r\n"
                case "AUTHINFO", ["PASS", password]:
                    known = password == self.password
                    answer = b"281 welcome\r\n" if known else b"481 wrong\r\n"
                case _ if not known:
                    answer = b"480 who are you\r\n"
                case "LIST", _:
                    rows = [f"{name} {max(has, default=0)} 1 y" for name, has in self.groups.items()]
                    answer = b"215 groups\r\n" + "".join(f"{row}\r\n" for row in rows).encode() + b".\r\n"
                case ("LISTGROUP" | "GROUP") as word, [name]:
                    numbers = self.groups.get(name)
                    group = name if numbers is not None else group
                    answer = b"411 no such group\r\n" if numbers is None else b"211 3 1 3 x\r\n"
                    if numbers is not None and word == "LISTGROUP":
                        answer += "".join(f"{number}\r\n" for number in numbers).encode() + b".\r\n"
                case "ARTICLE", [number]:
                    content = self.groups[group].get(int(number))
                    self.fetched.append((group, int(number)))
                    whole = b"423 gone\r\n" if content is None else b"220 follows\r\n" + wired(content)
                    answer = self.spoil(int(number), whole)
                    if len(answer) < len(whole):
                        connection.sendall(answer)
                        return
                case _:
                    answer = b"500 what\r\n"
            connection.sendall(answer)


def wired(content: bytes) -> bytes:
    """As it goes over the wire."""
    lines = content.split(b"\n")[:-1]
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"
