"""An NNTP client (RFC 3977, RFC 4643), as far as reading news needs one.

Why not `nntplib`: it has left the standard library, and reads lines and articles of any length into memory. Here an
article goes to a file, and has a bound as each line has.
"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import IO, BinaryIO, TypeVar, cast

from sievemda.errors import DataError, NotPermitted, SievemdaError, Unavailable
from sievemda.upkeep.importing.news.source import Article, Missing, active

NNTP, NNTPS = 119, 563
PATIENCE = 5  # attempts
_PAUSE = 1.0  # seconds before the second one; twice as many before each further one
_MAX_LINE = 1 << 20  # octets
_MAX_LINES = 5_000_000  # of one answer
_BLOCK = 1 << 18
_GONE = (423, 430)
_NO_GROUP = 411

T = TypeVar("T")


class _Lost(SievemdaError):
    """The connection is of no use any longer."""

    exit_code = os.EX_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class NewsHost:
    host: str
    port: int = 0  # 0: as usual
    tls: bool = False
    user: str = ""
    password: str = ""
    pattern: str = "*"  # wildmat of the groups to list
    timeout: float = 120.0
    longest: int = 64 << 20  # octets of an article
    trusted: ssl.SSLContext | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port or (NNTPS if self.tls else NNTP)

    @property
    def is_safe(self) -> bool:
        """Whether a password may go there."""
        try:
            return self.tls or ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class NewsServer:
    """Unavailable when it does not answer, NotPermitted when it does not let us in."""

    def __init__(self, host: NewsHost, directory: str | None = None) -> None:
        self._host = host
        self._directory = directory
        self._socket: socket.socket | None = None
        self._stream: BinaryIO | None = None
        self._group = ""

    @property
    def key(self) -> str:
        host, port = self._host.address
        return f"nntp://{host}:{port}/"

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._stream = None
        self._group = ""

    # -- what it has -------------------------------------------------------------------------------------------------

    def groups(self) -> list[str]:
        def ask() -> list[str]:
            self._say(f"LIST ACTIVE {self._host.pattern}", 215)
            return active(list(self._text()), self.key)

        return self._patiently(ask)

    def numbers(self, group: str) -> list[int]:
        def ask() -> list[int]:
            self._group = ""
            code, _ = self._ask(f"LISTGROUP {group}")
            if code == _NO_GROUP:
                raise Missing(f"{self.key} has no group {group}")
            if code != 211:
                raise _Lost(f"{self.key} refuses the group {group}: {code}")
            self._group = group
            found = {int(line) for line in self._text() if line.isdigit() and len(line) < 19}
            return sorted(found - {0})

        return self._patiently(ask)

    @contextmanager
    def article(self, group: str, number: int) -> Iterator[Article]:
        with tempfile.TemporaryFile(dir=self._directory) as file:
            size = self._patiently(lambda: self._fetch(group, number, file))

            def content() -> Iterator[bytes]:
                file.seek(0)
                while block := file.read(_BLOCK):
                    yield block

            yield Article(number, content, size, None, f"{self.key}{group}, article {number}")

    def _fetch(self, group: str, number: int, file: IO[bytes]) -> int:
        """Write an article into a file; its size. DataError for one that is too large: the connection is left then."""
        if self._group != group:
            self._say(f"GROUP {group}", 211)
            self._group = group
        code, text = self._ask(f"ARTICLE {number}")
        if code in _GONE:
            raise Missing(f"{self.key}{group}: article {number}: {text}")
        if code != 220:
            raise _Lost(f"{self.key} does not give article {number} of {group}: {code} {text}")
        file.seek(0)
        file.truncate()
        size = 0
        for line in self._lines():
            size += file.write(line)
            if size > self._host.longest:
                self.close()
                raise DataError(f"{group}: article {number} has more than {self._host.longest} octets")
        return size

    # -- speaking ----------------------------------------------------------------------------------------------------

    def _patiently(self, ask: Callable[[], T]) -> T:
        for attempt in range(PATIENCE):
            try:
                if self._stream is None:
                    self._connect()
                return ask()
            except (_Lost, OSError) as error:
                self.close()
                if attempt == PATIENCE - 1:
                    text = str(error) if isinstance(error, SievemdaError) else f"{self.key}: {error.strerror or error}"
                    raise Unavailable(f"{text}; given up after {PATIENCE} attempts: run it again to go on") from error
                time.sleep(_PAUSE * 2**attempt)
            except (Unavailable, NotPermitted):
                self.close()
                raise
        raise AssertionError  # the last attempt returns or raises

    def _connect(self) -> None:
        try:
            self._socket = socket.create_connection(self._host.address, self._host.timeout)
            if self._host.tls:
                context = self._host.trusted or ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=self._host.host)
        except OSError as error:
            raise Unavailable(f"{self.key}: {error.strerror or error}") from error
        self._stream = cast("BinaryIO", self._socket.makefile("rb", buffering=1 << 16))
        code, text = self._answer()
        if code not in (200, 201):
            raise Unavailable(f"{self.key} does not let us in: {code} {text}")
        self._ask("MODE READER")  # what does not know it does not need it
        if self._host.user:
            self._log_in()

    def _log_in(self) -> None:
        if not self._host.is_safe:
            raise NotPermitted(f"{self.key}: no password goes there without TLS: nntps://")
        code, text = self._ask(f"AUTHINFO USER {self._host.user}")
        if code == 381:
            code, text = self._ask(f"AUTHINFO PASS {self._host.password}")
        if code != 281:
            raise NotPermitted(f"{self.key} refuses {self._host.user}: {code} {text}")

    def _say(self, command: str, expected: int) -> None:
        code, text = self._ask(command)
        if code == _NO_GROUP:
            raise Missing(f"{self.key}: {text}")
        if code == 480:
            raise NotPermitted(f"{self.key} wants a user and a password")
        if code != expected:
            raise _Lost(f"{self.key} refuses {command.partition(' ')[0]}: {code} {text}")

    def _ask(self, command: str) -> tuple[int, str]:
        if set(command) & set("\r\n\0") or self._socket is None:
            raise DataError(f"{command[:80]!r} cannot be sent")
        self._socket.sendall(command.encode("utf-8", "surrogateescape") + b"\r\n")
        return self._answer()

    def _answer(self) -> tuple[int, str]:
        line = self._line().decode("utf-8", "replace").rstrip("\r\n")
        if not (line[:3].isascii() and line[:3].isdigit()):
            raise _Lost(f"{self.key} does not speak NNTP: {line[:80]!r}")
        return int(line[:3]), line[4:300]

    def _line(self) -> bytes:
        line = self._stream.readline(_MAX_LINE + 1) if self._stream else b""
        if not line.endswith(b"\n"):
            raise _Lost(f"{self.key} " + ("sends lines without end" if len(line) > _MAX_LINE else "has hung up"))
        return line

    def _lines(self) -> Iterator[bytes]:
        """Those of an answer of several, up to the dot."""
        for _ in range(_MAX_LINES):
            line = self._line()
            if line in (b".\r\n", b".\n"):
                return
            yield line[1:] if line.startswith(b".") else line
        raise _Lost(f"{self.key} does not come to an end")

    def _text(self) -> Iterator[str]:
        return (line.decode("utf-8", "surrogateescape").rstrip("\r\n") for line in self._lines())
