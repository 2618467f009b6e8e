"""SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), and with channel binding their -PLUS forms.

The exchange itself is scramp's. The GS2 header is read here, *because* scramp knows neither an authorization identity
nor the binding tls-exporter (RFC 9266): scramp is given the message behind it, and for the proof the header as it
came, with the octets of the binding behind it (RFC 5802 §5.1, attribute c).

SCRAM's last server message goes out as a challenge that the client answers with an empty response (RFC 4422 §5.2):
every client takes that, and some do not take additional data with success.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from scramp.core import ScramException, ScramMechanism

from sievemda.auth.client import Client
from sievemda.auth.passwords import Verifier, is_of_nothing
from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users
from sievemda.errors import TemporaryTrouble

_MAX_MESSAGE = 8 * MAX_NAME
_LEAST_SALT = 12  # octets; scramp takes no less, RFC 5802 as many as there are
_BINDING = re.compile(r"p=[A-Za-z0-9.-]{1,100}")


class _Mismatch(Exception):
    """What the client says of channel binding does not fit: RFC 5802 §6."""


class Scram:
    """`bindings` are the channel bindings that there are, by type; `plus` says that one must be used.

    Where there are some and it is not `plus`, the client has been offered the -PLUS form as well: one that says that it
    could have used it, had it been offered, has had the offer taken away on the way (RFC 5802 §6). One that binds his
    login and leaves -PLUS off the name, as Cyrus' clients do, has proved as much.
    """

    def __init__(
        self, users: Users, client: Client, mechanism: str, bindings: Mapping[str, bytes], *, plus: bool = False
    ) -> None:
        self._users = users
        self._client = client
        self._mechanism = mechanism
        self._bindings = bindings
        self._plus = plus
        self._server: Any = ScramMechanism(mechanism).make_server(self._find)
        self._next: Callable[[str], Step] = self._first
        self._user = self._authzid = ""
        self._kept: Verifier | None = None

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"")
        if len(response) > _MAX_MESSAGE:
            return Refused(self._user, "malformed")
        try:
            return self._next(response.decode())
        except _Mismatch:
            return Refused(self._user, "binding")
        except ScramException as e:
            if isinstance(e.__cause__, TemporaryTrouble):
                raise e.__cause__ from None
            return Refused(self._user, _REASONS.get(getattr(e.server_error, "value", ""), "malformed"))
        except UnicodeDecodeError:
            return Refused(self._user, "malformed")

    def _first(self, message: str) -> Step:
        flag, _, rest = message.partition(",")
        authzid, _, bare = rest.partition(",")
        binding = self._binding(flag)
        self._server.set_client_first(f"n,,{bare}")
        if self._kept is not None:
            self._server.salt = base64.b64encode(self._kept.salt).decode()
        self._server.gs2_header = _Gs2Header(f"{flag},{authzid},".encode() + binding)
        self._authzid = _saslname(authzid) if authzid else ""
        self._next = self._final
        return Challenge(self._server.get_server_first().encode())

    def _binding(self, flag: str) -> bytes:
        """The octets that prove the channel; raises _Mismatch."""
        if _BINDING.fullmatch(flag):
            found = self._bindings.get(flag.removeprefix("p="))
            if found is None:
                raise _Mismatch
            return found
        if flag not in {"n", "y"}:
            raise ScramException("malformed channel binding flag")
        if self._plus or (flag == "y" and self._bindings):
            raise _Mismatch
        return b""

    def _final(self, message: str) -> Step:
        """An empty password is none here either: no other mechanism takes one, whoever has made a verifier of it.

        Why it is looked for at last: only who has come so far has to wait for it, and learns nothing that is new.
        """
        self._server.set_client_final(message)
        if self._kept is not None and is_of_nothing(self._mechanism, self._kept):
            return Refused(self._user, "credentials")
        self._next = self._end
        return Challenge(self._server.get_server_final().encode())

    def _end(self, message: str) -> Step:
        if message:
            return Refused(self._user, "malformed")
        return authorised(self._users, self._user, self._users.known_as(self._user, self._client), self._authzid)

    def _find(self, name: str) -> tuple[bytes, bytes, bytes, int]:
        self._user = name
        self._kept = found = self._users.verifier(name, self._mechanism, self._client)
        return found.salt.ljust(_LEAST_SALT, b"\0"), found.stored_key, found.server_key, found.iterations


_REASONS = {"invalid-proof": "credentials", "channel-bindings-dont-match": "binding"}


class _Gs2Header:
    """What the client must put into his proof: the header as it came and the channel."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def make_cbind_input(self, _binding: object) -> bytes:
        return self._sent


def _saslname(text: str) -> str:
    """`a=NAME` with `=2C` and `=3D` undone. RFC 5802 §7."""
    name = text.removeprefix("a=")
    if name == text or not name or len(name.encode()) > MAX_NAME or re.search("=(?!2C|3D)", name):
        raise ScramException("malformed authorization identity")
    return name.replace("=2C", ",").replace("=3D", "=")
