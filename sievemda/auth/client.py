"""Who is at the other end of a connection, as far as the connection itself tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NONE: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Client:
    """What SASL may know of a client before he says anything."""

    address: str  # IP address; empty at a UNIX socket
    secure: bool = False  # whether TLS is on
    bindings: Mapping[str, bytes] = field(default_factory=lambda: _NONE)  # channel bindings by type: RFC 5929, RFC 9266
    certificate: str = ""  # the user whom his certificate names, which was verified
    socket_user: str = ""  # at a UNIX socket: the login name of the user whose process it is
    port: int = 0  # to which he has come; 0: it does not matter
    service: str = "sieve"  # or lmtp: what he wants to log in to, as back ends and their rules call it
