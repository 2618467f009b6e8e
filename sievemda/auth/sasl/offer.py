"""Which SASL mechanisms there are for a client, and why another one is not there.

What is offered follows from who is at the other end, and what he has shown of himself on the way here (`Client`).
A mechanism that sends the password is for connections with TLS, or for this host where the setting allowplaintext
says so; a -PLUS mechanism for connections that have a channel binding.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sievemda.auth.client import Client
from sievemda.auth.passwords import SCRAM_MECHANISMS
from sievemda.auth.sasl.steps import Mechanism
from sievemda.auth.users import Users
from sievemda.config import Settings

_OBSOLETE = ("CRAM-MD5", "DIGEST-MD5", "NTLM")  # known, and too weak to be offered

Start = Callable[[], Mechanism]
Hindrance = Literal["unknown", "weak", "encryption"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client can use now, the strongest first, and what he could not use although it is known."""

    ready: Mapping[str, Start]
    hindered: Mapping[str, Hindrance]  # weak: the site forbids it; encryption: it wants TLS first

    def names(self) -> list[str]:
        return list(self.ready)

    def hindrance(self, name: str) -> Hindrance:
        """Why a mechanism that is not ready is not. RFC 5804 §1.3, RFC 4954 §4."""
        return self.hindered.get(name, "unknown")


def mechanisms(users: Users, client: Client, settings: Settings) -> Offer:
    """What this client can log in with."""
    ready: dict[str, Start] = {}
    hindered: dict[str, Hindrance] = dict.fromkeys(_OBSOLETE, "weak")
    bindings = client.bindings if client.secure else {}
    for name in SCRAM_MECHANISMS:
        if bindings:
            ready[f"{name}-PLUS"] = _scram(users, name, bindings, plus=True)
        elif not client.secure:
            hindered[f"{name}-PLUS"] = "encryption"
    for name in SCRAM_MECHANISMS:
        ready[name] = _scram(users, name, bindings)
    plaintext = client.secure or (settings.managesieve.allowplaintext and _is_local(client))
    for name, start in {"PLAIN": _plain, "LOGIN": _login}.items():
        if plaintext:
            ready[name] = start(users)
        else:
            hindered[name] = "encryption"
    return Offer(ready, hindered)


def _scram(users: Users, name: str, bindings: Mapping[str, bytes], *, plus: bool = False) -> Start:
    def start() -> Mechanism:
        from sievemda.auth.sasl.scram import Scram  # noqa: PLC0415 - loaded when it is used

        return Scram(users, name, bindings, plus=plus)

    return start


def _plain(users: Users) -> Start:
    def start() -> Mechanism:
        from sievemda.auth.sasl.plain import Plain  # noqa: PLC0415 - loaded when it is used

        return Plain(users)

    return start


def _login(users: Users) -> Start:
    def start() -> Mechanism:
        from sievemda.auth.sasl.plain import Login  # noqa: PLC0415 - loaded when it is used

        return Login(users)

    return start


def _is_local(client: Client) -> bool:
    """Whether the client is on this host."""
    if client.socket_user:
        return True
    try:
        found = ipaddress.ip_address(client.address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
