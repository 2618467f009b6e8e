"""What every client can be asked for, whatever language it is written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

__all__ = ["Client", "Login", "Place", "Refused", "Session", "Tls"]

# relay: to the client there is no TLS, and a relay adds it, as stunnel does; never: there is none
Tls = Literal["starttls", "connect", "relay", "never"]


class Refused(Exception):
    """The server said NO, or the client gave up: what the client tells of it."""


class Session(Protocol):
    """Logged in. Every call raises `Refused` when the client says that it went wrong."""

    def list(self) -> dict[str, bool]:
        """The names of the scripts, and whether each is active."""

    def put(self, name: str, script: bytes) -> None: ...

    def activate(self, name: str) -> None: ...

    def get(self, name: str) -> bytes: ...

    def rename(self, old: str, new: str) -> None: ...

    def delete(self, name: str) -> None: ...

    def close(self) -> None:
        """Say LOGOUT and be told that it was heard, where the client does so."""


@dataclass(frozen=True)
class Place:
    """The server at localhost; `authority` has signed its certificate, `directory` is for files of the client."""

    port: int
    tls: Tls
    authority: Path
    directory: Path


@dataclass(frozen=True)
class Login:
    """An empty mechanism is the one that the client chooses; `key` is a certificate with its key, in one file."""

    user: str
    password: str
    mechanism: str = ""
    key: Path | None = None


def _as_it_is(script: bytes) -> bytes:
    return script


@dataclass(frozen=True)
class Client:
    """What a client is, and what it can do: a row of the matrix."""

    name: str
    open: Callable[[Place, Login], Session]
    mechanisms: tuple[str, ...]
    starttls: bool = True
    tls_on_connect: bool = False
    renames: bool = True
    takes_warnings: bool = True  # OK (WARNINGS) is a success
    lists_utf8: bool = True  # the list can be read when a name in it is not ASCII
    lists_quotes: bool = True  # the list can be read when a name in it has a quote
    unheard: tuple[str, ...] = ()  # mechanisms whose refusal it waits for: it does not answer what it is asked before
    gives: Callable[[bytes], bytes] = _as_it_is  # what it makes of the octets of a script that it has got
