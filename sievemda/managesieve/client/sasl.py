"""Logging in: which mechanism, and its side of the conversation. RFC 4422, RFC 5804 §2.1.

A mechanism is a generator: it yields responses and gets challenges; the first response may be None when the server
speaks first. The exchange of SCRAM is scramp's; its header is written here, *because* scramp knows no authorization
identity.

What shows the password to the server is used over TLS alone. Where the server offers SCRAM with channel binding it is
used with it; where it does not although there is TLS, it is told so, and notices when somebody has taken the offer away
(RFC 5802 §6). Only a server that refuses the type of our binding before it has seen anything else is tried without it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from sievemda.errors import DataError, NotPermitted

Conversation = Generator[bytes | None, bytes, None]

SHOWS_PASSWORD = frozenset({"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"})
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-1")
_MOST_ITERATIONS = 5_000_000  # some seconds of work; nobody asks for more but to keep us busy
_ITERATIONS = re.compile(r"(?:^|,)i=([0-9]{1,20})(?:,|$)")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logs in, as whom, and by what."""

    name: str
    authzid: str = ""
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)  # of OAuth
    realm: str = ""  # goes behind the name, where it has none

    def __post_init__(self) -> None:
        """DataError for what no mechanism can say: what came from a terminal or a file name may be no UTF-8."""
        for said in (self.name, self.authzid, self.password, self.token, self.realm):
            if said is not None and any("\ud800" <= c <= "\udfff" for c in said):
                raise DataError("a name or password is not UTF-8")

    @property
    def login(self) -> str:
        return f"{self.name}@{self.realm}" if self.realm and "@" not in self.name else self.name


class Impostor(NotPermitted):
    """The server does not know the password that it asks to be shown a proof of."""


def choose(offered: list[str], identity: Identity, *, wanted: str, secure: bool, certificate: bool) -> str:
    """The mechanism to use; raises NotPermitted when there is none. `secure`: nobody else can listen."""
    names = [name.upper() for name in offered]
    if wanted:
        if wanted.upper() not in names:
            raise NotPermitted(f"the server does not offer {wanted.upper()}, but {' '.join(names) or 'nothing'}")
        usable = [wanted.upper()]
    elif identity.token is not None:
        usable = [name for name in ("OAUTHBEARER", "XOAUTH2") if name in names]
    else:
        external = ["EXTERNAL"] if certificate and identity.password is None else []
        order = [*external, *(f"{name}-PLUS" for name in _SCRAM), *_SCRAM, "PLAIN", "LOGIN"]
        usable = [name for name in order if name in names]
    if not usable:
        raise NotPermitted(f"the server offers no way to log in that can be used here: {' '.join(names) or 'nothing'}")
    safe = [name for name in usable if secure or name not in SHOWS_PASSWORD]
    if not safe:
        raise NotPermitted(f"{usable[0]} would show the password to whoever listens: the connection is not encrypted")
    return safe[0]


def converse(mechanism: str, identity: Identity, binding: tuple[str, bytes] | None, offered: list[str]) -> Conversation:
    """The client's side. Raises DataError for a mechanism that we have not."""
    base = mechanism.removesuffix("-PLUS")
    if base in _SCRAM:
        plus = mechanism.endswith("-PLUS")
        if plus and binding is None:
            raise NotPermitted(f"{mechanism} needs TLS, with a certificate that can be bound to")
        stripped = binding is not None and not any(name.upper().endswith("-PLUS") for name in offered)
        return _scram(base, identity, binding if plus else None, "y" if stripped else "n")
    match mechanism:
        case "PLAIN":
            return _plain(identity)
        case "LOGIN":
            return _login(identity)
        case "EXTERNAL":
            return _external(identity)
        case "OAUTHBEARER" | "XOAUTH2":
            return _bearer(mechanism, identity)
    raise DataError(f"{mechanism} is no mechanism of ours")


def _plain(identity: Identity) -> Conversation:
    """RFC 4616."""
    parts = (identity.authzid, identity.login, _password(identity))
    if any("\0" in part for part in parts):
        raise DataError("a name or password has a NUL in it")
    yield "\0".join(parts).encode()


def _login(identity: Identity) -> Conversation:
    yield None
    yield identity.login.encode()
    yield _password(identity).encode()


def _external(identity: Identity) -> Conversation:
    """RFC 4422, appendix A."""
    yield identity.authzid.encode()


def _bearer(mechanism: str, identity: Identity) -> Conversation:
    """RFC 7628 §3.1. What the server says of a refusal is answered by a dummy (§3.2.3)."""
    token = identity.token
    if not token or not token.isascii() or not token.isprintable():
        raise DataError(f"{mechanism} needs a token, of printable ASCII")
    if mechanism == "OAUTHBEARER":
        name = (identity.authzid or identity.login).replace("=", "=3D").replace(",", "=2C")
        refused = yield f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()
    else:
        refused = yield f"user={identity.authzid or identity.login}\x01auth=Bearer {token}\x01\x01".encode()
    if refused:
        yield b"\x01" if mechanism == "OAUTHBEARER" else b""


def _scram(mechanism: str, identity: Identity, binding: tuple[str, bytes] | None, flag: str) -> Conversation:
    """RFC 5802 §5. Ends only when the server has proved that it knows the password, too."""
    from scramp.core import ScramClient, ScramException  # noqa: PLC0415 - as long to load as all the rest of a client

    authzid = identity.authzid.replace("=", "=3D").replace(",", "=2C")
    kind = f"p={binding[0]}" if binding else flag
    try:
        client: Any = ScramClient([mechanism], identity.login, _password(identity))
        client.gs2_header = _Header(f"{kind},{f'a={authzid}' if authzid else ''},", binding[1] if binding else b"")
        first = yield client.get_client_first().encode()
        _check_iterations(first.decode())
        client.set_server_first(first.decode())
        final = yield client.get_client_final().encode()
    except (ScramException, UnicodeDecodeError, ValueError) as e:
        raise NotPermitted(f"the server's part of {mechanism} is not what it must be: {e}") from e
    if final.startswith(b"e="):
        raise NotPermitted(f"not let in: {final[2:202].decode('utf-8', 'replace')}")
    try:
        client.set_server_final(final.decode())
    except (ScramException, UnicodeDecodeError) as e:
        raise Impostor("the server has not proved that it knows the password: it may be another one") from e
    yield b""


def _check_iterations(message: str) -> None:
    found = _ITERATIONS.search(message)
    if found and int(found[1]) > _MOST_ITERATIONS:
        raise NotPermitted(
            f"the server wants {found[1]} rounds of work, which nobody needs: {_MOST_ITERATIONS} at most"
        )


class _Header:
    """The header of RFC 5802 §7 with an authorization identity; it takes part in the proof."""

    def __init__(self, text: str, binding: bytes) -> None:
        self._text = text
        self._binding = binding

    def __str__(self) -> str:
        return self._text

    def make_cbind_input(self, _binding: object) -> bytes:
        return self._text.encode() + self._binding


def _password(identity: Identity) -> str:
    if identity.password is None:
        raise DataError("a password is needed")
    return identity.password


def encode(response: bytes) -> bytes:
    """As it goes over the wire; an empty response is the empty string. RFC 5804 §2.1."""
    return base64.b64encode(response)


def decode(challenge: bytes) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(challenge, validate=True)
