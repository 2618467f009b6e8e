"""A connection to an IMAP server: TLS, logging in, and commands with their answers.

Why a password goes over TLS only: this program is told one for every account of a site. To the host itself, and where
somebody says that he means it, it goes without.
"""

from __future__ import annotations

import base64
import itertools
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import BinaryIO, cast

from sievemda.errors import NotPermitted, SievemdaError, Unavailable, UsageError
from sievemda.upkeep.importing.imap.answers import Answers, BadAnswer, Lost, Response

IMAP, IMAPS = 143, 993
MAX_ANSWERS = 4_000_000  # untagged responses to one command


class Refused(SievemdaError):
    """The server has answered NO."""

    exit_code = os.EX_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is and how to speak with it."""

    host: str
    port: int = 0  # 0: as usual
    tls: str = ""  # "tls" from the beginning, "starttls", "none", or "": STARTTLS except to this host itself
    trusted: ssl.SSLContext | None = None  # None: the certificates of the system
    timeout: float = 120.0  # seconds without a word
    longest: int = 1 << 30  # octets of a message

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port or (IMAPS if self.tls == "tls" else IMAP)

    @property
    def is_local(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def context(self) -> ssl.SSLContext:
        return self.trusted or ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Login:
    """`admin` logs in with his password on behalf of `user`, where that is somebody else."""

    user: str
    password: str
    admin: str = ""


class Connection:
    """Raises Unavailable (nobody there, no TLS), NotPermitted (log-in), Refused, BadAnswer, Lost."""

    def __init__(self, server: Server, login: Login, directory: str | None = None) -> None:
        self._server = server
        self._tags = (f"a{number}" for number in itertools.count(1))
        self._directory = directory
        self.capabilities: frozenset[str] = frozenset()
        self.selected = b""  # the folder that is
        self._stream: BinaryIO | None = None
        try:
            self._socket = socket.create_connection(server.address, server.timeout)
        except OSError as error:
            raise Unavailable(f"{_shown(server)}: {error.strerror or error}") from error
        try:
            self._greet(login)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._socket.close()

    def log_out(self) -> None:
        try:
            self.command("LOGOUT")
        except (SievemdaError, OSError):
            pass
        finally:
            self.close()

    # -- commands ----------------------------------------------------------------------------------------------------

    def command(self, *words: str | bytes) -> list[Response]:
        """The untagged answers to a command."""
        return list(self.ask(*words))

    def ask(self, *words: str | bytes, more: Callable[[str], bytes] | None = None) -> Iterator[Response]:
        """The untagged answers as they come; `bytes` go as strings. `more` says what to answer to a `+`."""
        tag = next(self._tags)
        try:
            yield from self._ask(tag, words, more)
        except (TimeoutError, OSError) as error:
            raise Lost(f"{_shown(self._server)}: {error.strerror or error}") from error

    def _ask(self, tag: str, words: tuple[str | bytes, ...], more: Callable[[str], bytes] | None) -> Iterator[Response]:
        self._send(tag, words)
        for _ in range(MAX_ANSWERS):
            answer = self._answers.read()
            if answer.tag == "+":
                if more is None:
                    raise BadAnswer(f"{_shown(self._server)} waits for more of what is complete")
                self._socket.sendall(more(answer.text))
            elif answer.tag == tag:
                if answer.kind == "OK":
                    return
                what = next((word for word in words if isinstance(word, str)), "")
                raise Refused(f"{_shown(self._server)} refuses {what}: {_printable(answer.text)}")
            elif answer.kind == "BYE" and words != ("LOGOUT",):
                raise Lost(f"{_shown(self._server)} says good-bye: {_printable(answer.text)}")
            else:
                yield answer
        raise BadAnswer(f"{_shown(self._server)} does not come to an end")

    def _send(self, tag: str, words: tuple[str | bytes, ...]) -> None:
        """A string that cannot stand in quotes goes as a literal, for which the server must ask."""
        line = tag.encode()
        for word in words:
            if isinstance(word, str):
                line += b" " + word.encode("ascii")
            elif _is_quotable(word):
                line += b' "' + word.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
            else:
                self._socket.sendall(line + b" {%d}\r\n" % len(word))
                answer = self._answers.read()
                if answer.tag != "+":
                    raise Refused(f"{_shown(self._server)} does not take a string: {_printable(answer.text)}")
                line = word
        self._socket.sendall(line + b"\r\n")

    # -- beginning ---------------------------------------------------------------------------------------------------

    def _greet(self, login: Login) -> None:
        try:
            if self._server.tls == "tls":
                self._encrypt()
            self._read_from(self._socket)
            greeting = self._answers.read()
        except OSError as error:
            raise Unavailable(f"{_shown(self._server)}: {error.strerror or error}") from error
        if greeting.tag != "*" or greeting.kind not in {"OK", "PREAUTH"}:
            raise Unavailable(f"{_shown(self._server)} does not let us in: {_printable(greeting.text)}")
        self._look()
        if self._server.tls in {"starttls", ""}:
            self._start_tls()
        if greeting.kind != "PREAUTH":
            self._log_in(login)
            self._look()

    def _look(self) -> None:
        found = [word for answer in self.command("CAPABILITY") if answer.kind == "CAPABILITY" for word in answer.values]
        self.capabilities = frozenset(word.upper() for word in found if isinstance(word, str))

    def _start_tls(self) -> None:
        if "STARTTLS" not in self.capabilities:
            if self._server.tls == "" and self._server.is_local:
                return
            raise Unavailable(f"{_shown(self._server)} offers no TLS: nobody's password goes there without it")
        if self._server.tls == "" and self._server.is_local:
            return
        self.command("STARTTLS")
        try:
            self._encrypt()
        except OSError as error:
            raise Unavailable(f"{_shown(self._server)}: {error.strerror or error}") from error
        self._read_from(self._socket)  # anew: what came before the handshake counts for nothing (RFC 3501 §6.2.1)
        self._look()

    def _encrypt(self) -> None:
        self._socket = self._server.context().wrap_socket(self._socket, server_hostname=self._server.host)

    def _read_from(self, source: socket.socket) -> None:
        self._stream = cast("BinaryIO", source.makefile("rb", buffering=1 << 16))
        self._answers = Answers(self._stream, self._server.longest, self._directory)

    def _log_in(self, login: Login) -> None:
        try:
            if "AUTH=PLAIN" in self.capabilities:
                self._authenticate(login)
            elif login.admin:
                raise NotPermitted(f"{_shown(self._server)} offers no AUTH=PLAIN, which an administrator needs")
            elif "LOGINDISABLED" in self.capabilities:
                raise NotPermitted(f"{_shown(self._server)} takes no password here; does it want TLS?")
            else:
                self.command("LOGIN", login.user.encode(), login.password.encode())
        except Refused as error:
            raise NotPermitted(f"{login.user}: {error}") from error

    def _authenticate(self, login: Login) -> None:
        """SASL PLAIN, RFC 4616; with an initial response where that is understood (RFC 4959)."""
        behalf = login.user if login.admin else ""
        said = "\0".join((behalf, login.admin or login.user, login.password)).encode()
        token = base64.b64encode(said)
        if "SASL-IR" in self.capabilities:
            self.command("AUTHENTICATE", "PLAIN", token.decode())
        else:
            list(self.ask("AUTHENTICATE", "PLAIN", more=lambda _: token + b"\r\n"))


def _is_quotable(word: bytes) -> bool:
    return len(word) <= 1000 and all(32 <= octet < 127 for octet in word)


def _shown(server: Server) -> str:
    host, port = server.address
    return f"{host}:{port}"


def _printable(text: str) -> str:
    return text[:300]


def check_login(login: Login) -> None:
    """UsageError for what cannot be sent."""
    if any(set(part) & set("\0\r\n") for part in (login.user, login.password, login.admin)):
        raise UsageError(f"{login.user!r}: a user name or a password has a NUL or a line end in it")
