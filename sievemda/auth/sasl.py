"""SASL mechanisms (RFC 4422) as conversations without a socket: octets in, `Challenge`, `Accepted` or `Refused` out.

A mechanism is stepped with each response of the client; the first step gets None when there was no initial response.
The protocol around does the base64 and the line ends, so the same mechanisms serve ManageSieve and LMTP.

SCRAM's last server message goes out as a challenge that the client answers with an empty response (RFC 4422 §5.2):
every client takes that, and some do not take additional data with success.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scramp.core import ScramException, ScramMechanism

from sievemda.auth.passwords import SCRAM_MECHANISMS
from sievemda.auth.users import Users
from sievemda.errors import TemporaryTrouble

PLAINTEXT = frozenset({"PLAIN"})  # show the password to whoever listens
OBSOLETE = frozenset({"CRAM-MD5", "DIGEST-MD5", "NTLM"})  # known, and too weak to be offered


@dataclass(frozen=True, slots=True)
class Challenge:
    data: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """`user` has proved who he is, and may act as `owner`."""

    user: str
    owner: str


@dataclass(frozen=True, slots=True)
class Refused:
    """`user` as the client spelled it, for the log; `reason` is one word: malformed, credentials or authzid."""

    user: str
    reason: str


Step = Challenge | Accepted | Refused


class Mechanism(Protocol):
    def step(self, response: bytes | None) -> Step:
        """Raises TemporaryTrouble when the credentials cannot be read."""
        ...


class Plain:
    """RFC 4616."""

    def __init__(self, users: Users) -> None:
        self._users = users

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"")
        try:
            authzid, authcid, password = response.decode().split("\0")
        except ValueError:  # not UTF-8, or not three parts
            return Refused("", "malformed")
        if not authcid or not password:
            return Refused(authcid, "malformed")
        user = self._users.check_password(authcid, password)
        if user is None:
            return Refused(authcid, "credentials")
        return _authorised(self._users, authcid, user, authzid)


class Scram:
    """RFC 5802 and RFC 7677, without channel binding. The mechanism itself is scramp's."""

    def __init__(self, users: Users, mechanism: str) -> None:
        self._users = users
        self._mechanism = mechanism
        self._server: Any = ScramMechanism(mechanism).make_server(self._find)
        self._next: Callable[[str], Step] = self._first
        self._user = self._authzid = ""

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"")
        try:
            return self._next(response.decode())
        except ScramException as e:
            if isinstance(e.__cause__, TemporaryTrouble):
                raise e.__cause__ from None
            proof = self._next == self._final and getattr(e.server_error, "value", "") == "invalid-proof"
            return Refused(self._user, "credentials" if proof else "malformed")
        except UnicodeDecodeError:
            return Refused(self._user, "malformed")

    def _first(self, message: str) -> Step:
        flag, _, rest = message.partition(",")
        authzid, _, bare = rest.partition(",")
        self._server.set_client_first(f"{flag},,{bare}")
        if authzid:
            self._authzid = _saslname(authzid)
            self._server.gs2_header = _Gs2Header(f"{flag},{authzid},".encode())
        self._next = self._final
        return Challenge(self._server.get_server_first().encode())

    def _final(self, message: str) -> Step:
        self._server.set_client_final(message)
        self._next = self._end
        return Challenge(self._server.get_server_final().encode())

    def _end(self, message: str) -> Step:
        if message:
            return Refused(self._user, "malformed")
        return _authorised(self._users, self._user, self._users.authorise(self._user, "") or "", self._authzid)

    def _find(self, name: str) -> tuple[bytes, bytes, bytes, int]:
        self._user = name
        found = self._users.verifier(name, self._mechanism)
        return found.salt, found.stored_key, found.server_key, found.iterations


class _Gs2Header:
    """The header with an authorization identity, which scramp cannot read: it takes part in the proof as it came.

    RFC 5802 §5.1 (attribute c).
    """

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def make_cbind_input(self, _binding: object) -> bytes:
        return self._sent


def _saslname(text: str) -> str:
    """`a=NAME` with `=2C` and `=3D` undone. RFC 5802 §7."""
    name = text.removeprefix("a=")
    if name == text or not name or re.search("=(?!2C|3D)", name):
        raise ScramException("malformed authorization identity")
    return name.replace("=2C", ",").replace("=3D", "=")


def _authorised(users: Users, name: str, user: str, authzid: str) -> Step:
    owner = users.authorise(user, authzid)
    return Refused(name, "authzid") if not owner else Accepted(user, owner)


def mechanisms(users: Users) -> Mapping[str, Callable[[], Mechanism]]:
    """Name of each mechanism there is to what begins an exchange, the strongest first."""
    found: dict[str, Callable[[], Mechanism]] = {}
    for name in SCRAM_MECHANISMS:
        found[name] = lambda name=name: Scram(users, name)  # type: ignore[misc]
    found["PLAIN"] = lambda: Plain(users)
    return found
