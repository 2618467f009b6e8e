"""A session with a server: connect, protect, log in, and the commands as methods. RFC 5804 §2.

Methods raise what `refusals` makes of a response that is no OK; `Unavailable` and `TemporaryTrouble` when the server is
not there, has gone, or does not speak ManageSieve; `NotPermitted` when it is not to be trusted.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from sievemda.errors import AlreadyExists, DataError, NotPermitted, SievemdaError, Unavailable
from sievemda.managesieve.client import sasl
from sievemda.managesieve.client.discovery import Endpoint
from sievemda.managesieve.client.refusals import refusal
from sievemda.managesieve.client.tls import Protection, binding, secured
from sievemda.managesieve.client.wire import Garbled, Line, Response, Wire, octets_of

TRY = "XSIEVEMDA-TRY"  # the capability: how many messages at most
_TRY = 120.0  # seconds for a script to be tried
_LARGE = 16 << 10  # octets
_LOGOUT = 5.0  # seconds for a farewell


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    active: bool


class Session:
    """A context manager, which logs out."""

    def __init__(self, wire: Wire, protection: Protection, context: ssl.SSLContext | None) -> None:
        """`context` is that of TLS, if there is to be any."""
        self._wire = wire
        self.where = wire.where
        self.capabilities: dict[str, str] = {}  # names in upper case
        self.secure = False  # TLS is on, or nobody is between
        self.mechanism = ""
        self._protection = protection
        self._context = context

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def lost(self) -> bool:
        """Whether the server has gone, or cannot be understood any more."""
        return self._wire.broken

    def close(self) -> None:
        """Say good-bye where there is somebody to say it to."""
        with suppress(SievemdaError):
            if not self.lost:
                self._wire.seconds = min(self._wire.seconds, _LOGOUT)
                self._wire.send("LOGOUT")
                self._wire.response()
        self._wire.close()

    def drop(self) -> None:
        """Without a word."""
        self._wire.close()

    # --- beginning -----------------------------------------------------------------------------------------------

    def greet(self) -> None:
        """Read the greeting, which the server sends unasked. §1.7."""
        self._learn(self._expect(self._wire.response(), Unavailable))

    def protect(self, host: str) -> None:
        """STARTTLS, which must work: a server that does not offer it may have been made to say so. §2.2."""
        if "STARTTLS" not in self.capabilities:
            raise NotPermitted(
                f"{self.where} does not offer STARTTLS, or somebody between keeps it from us; nothing was sent. "
                "Is TLS on from the beginning there (--tls)?"
            )
        self._command("STARTTLS")
        self.secure_with(host)
        self.greet()

    def secure_with(self, host: str) -> None:
        """TLS from now on."""
        if self._context is None:
            raise ValueError("no TLS was wanted")
        self._wire.replace(secured(self._wire.connection, self._context, host, self.where))
        self.secure = True

    def login(self, identity: sasl.Identity, wanted: str = "") -> None:
        """Raises NotPermitted when that fails. `wanted` is the mechanism; else the best that can be used."""
        offered = self.capabilities.get("SASL", "").split()
        own = self._protection.certificate is not None
        name = sasl.choose(offered, identity, wanted=wanted, secure=self.secure, certificate=own)
        bound = binding(self._wire.connection, self.capabilities.get("IMPLEMENTATION", ""))
        if name.endswith("-PLUS") and bound is None and not wanted:
            name = name.removesuffix("-PLUS")
        refused = self._authenticate(name, sasl.converse(name, identity, bound, offered))
        plain = name.removesuffix("-PLUS")
        if refused and plain != name and plain in offered and refused.status == "NO" and not wanted and self._unheard:
            name = plain
            refused = self._authenticate(name, sasl.converse(name, identity, bound, offered))
        if refused is not None:
            raise refusal(refused, self.where, usual=NotPermitted)
        self.mechanism = name
        self._learn(self._command("CAPABILITY"))  # they are others now: §1.7

    def _authenticate(self, name: str, conversation: sasl.Conversation) -> Response | None:
        """The response that refuses; None when we are in. `_unheard`: it came before any challenge."""
        first = next(conversation)
        self._unheard = True
        self._wire.send("AUTHENTICATE", name.encode(), *(() if first is None else (sasl.encode(first),)))
        while True:
            answer = self._wire.challenge()
            if isinstance(answer, Response):
                return self._concluded(answer, conversation)
            self._unheard = False
            try:
                challenge = sasl.decode(answer)
            except ValueError as e:
                self._cancel()
                raise Garbled(f"{self.where} sends a challenge that is not base64") from e
            try:
                response = conversation.send(challenge)
            except StopIteration:
                self._cancel()
                raise Garbled(f"{self.where} asks on when {name} is at its end") from None
            except SievemdaError:
                self._cancel()
                raise
            self._wire.send(sasl.encode(response or b""))

    def _concluded(self, answer: Response, conversation: sasl.Conversation) -> Response | None:
        """What comes with an OK is the last challenge (§2.1); the mechanism must have come to its end by then."""
        if not answer.ok:
            return answer
        try:
            if answer.code == "SASL":
                conversation.send(sasl.decode(answer.argument))
            conversation.send(b"")
        except StopIteration:
            return None
        except ValueError as e:
            raise Garbled(f"{self.where} ends the login with what is not base64") from e
        raise sasl.Impostor("the server lets us in before it has proved that it knows the password")

    def _cancel(self) -> None:
        with suppress(SievemdaError):
            self._wire.send(b"*")
            self._wire.challenge()

    # --- commands ------------------------------------------------------------------------------------------------

    def list(self) -> tuple[Script, ...]:
        found = (line for line in self._command("LISTSCRIPTS").lines if line)
        return tuple(
            Script(octets_of(line[0]).decode("utf-8", "replace"), any(_is_word(item, "ACTIVE") for item in line[1:]))
            for line in found
        )

    def get(self, name: str) -> bytes:
        lines = self._command("GETSCRIPT", _octets(name)).lines
        if len(lines) != 1 or len(lines[0]) != 1:
            raise Garbled(f"{self.where} does not send one script")
        return octets_of(lines[0][0])

    def put(self, name: str, text: bytes) -> str:
        """Warnings, empty without any. Of a large one it is asked before whether there is room (§2.5).

        Cyrus refuses what is too large without reading it, and takes it for commands.
        """
        if len(text) > _LARGE:
            with suppress(DataError):  # a server that does not know the question
                self.has_space(name, len(text))
        return self._told("PUTSCRIPT", _octets(name), text)

    def check(self, text: bytes) -> str:
        """Warnings, empty without any. Raises DataError for a script that is not valid, NotPermitted by old servers."""
        if "VERSION" not in self.capabilities:
            raise NotPermitted(f"{self.where} cannot check scripts: it is older than RFC 5804")
        return self._told("CHECKSCRIPT", text)

    def activate(self, name: str) -> str:
        """The empty name stands for none. What the server has to say of it, if anything."""
        return self._told("SETACTIVE", _octets(name))

    def delete(self, name: str) -> None:
        self._command("DELETESCRIPT", _octets(name))

    def rename(self, old: str, new: str) -> None:
        """Where the server is older than RFC 5804, as §2.11 says: get, put, activate, delete."""
        if "VERSION" in self.capabilities:
            self._command("RENAMESCRIPT", _octets(old), _octets(new))
            return
        scripts = {script.name: script for script in self.list()}
        if new in scripts:
            raise AlreadyExists(f"there is a script {new!r}")
        self.put(new, self.get(old))
        if old in scripts and scripts[old].active:
            self.activate(new)
        self.delete(old)

    def has_space(self, name: str, size: int) -> None:
        self._command("HAVESPACE", _octets(name), size)

    def try_script(self, name: str, most: int, text: bytes | None = None) -> tuple[Line, ...]:
        """The lines of our server's own command. Raises NotPermitted where it is not known."""
        if TRY not in self.capabilities:
            raise NotPermitted(f"{self.where} cannot try scripts")
        self._wire.send("XTRYSCRIPT", _octets(name), most, *(() if text is None else (text,)))
        return self._expect(self._wire.response(patience=_TRY)).lines

    def refresh(self) -> dict[str, str]:
        """The capabilities as they are now."""
        self._learn(self._command("CAPABILITY"))
        return self.capabilities

    def _told(self, *parts: str | bytes | int) -> str:
        answer = self._command(*parts)
        return answer.text.replace("\r\n", "\n") if answer.code.partition("/")[0] in {"WARNINGS", "QUOTA"} else ""

    def _command(self, *parts: str | bytes | int) -> Response:
        self._wire.send(*parts)
        return self._expect(self._wire.response())

    def _expect(self, answer: Response, usual: type[SievemdaError] | None = None) -> Response:
        if answer.ok:
            return answer
        raise refusal(answer, self.where, usual=usual) if usual else refusal(answer, self.where)

    def _learn(self, answer: Response) -> None:
        found: dict[str, str] = {}
        for line in answer.lines:
            if line:
                value = octets_of(line[1]).decode("utf-8", "replace") if len(line) > 1 else ""
                found.setdefault(octets_of(line[0]).decode("utf-8", "replace").upper(), value)
        if not {"IMPLEMENTATION", "SIEVE"} & set(found):
            raise Garbled(f"{self.where} does not greet as a ManageSieve server does")
        self.capabilities = found


def connect(endpoint: Endpoint, protection: Protection, seconds: float) -> Session:
    """Connected, greeted and protected; not logged in. Raises Unavailable, TemporaryTrouble and NotPermitted.

    What TLS needs is read first: where it comes at once, a server may wait for it a moment only.
    """
    where = str(endpoint)
    context = None if protection.mode == "none" else protection.context()
    try:
        sock = socket.create_connection((endpoint.host, endpoint.port), timeout=seconds)
    except (OSError, ValueError) as e:  # ValueError: no name of a host
        why = getattr(e, "strerror", None) or e or "it does not answer"
        raise Unavailable(f"no ManageSieve server at {where}: {why}") from e
    session = Session(Wire(sock, where, seconds), protection, context)
    try:
        if protection.mode == "tls":
            session.secure_with(endpoint.host)
        session.greet()
        if protection.mode == "starttls":
            session.protect(endpoint.host)
        session.secure = session.secure or is_here(sock)
    except BaseException:
        session.drop()
        raise
    return session


def is_here(sock: socket.socket) -> bool:
    """Whether the other end is on this machine."""
    peer = sock.getpeername()
    return not isinstance(peer, tuple) or ipaddress.ip_address(str(peer[0]).partition("%")[0]).is_loopback


def _octets(name: str) -> bytes:
    """The name of a script as it goes over the wire. RFC 5804 §1.6. Raises DataError."""
    try:
        return name.encode()
    except UnicodeEncodeError as e:
        raise DataError(f"{name!r} is not UTF-8, as names of scripts are") from e


def _is_word(item: object, word: str) -> bool:
    return isinstance(item, str) and item.upper() == word
