"""Which SASL mechanisms there are for a client, and why another one is not there.

What is offered follows from who is at the other end and what he has shown of himself on the way here (`Client`), from
the settings, and from what the back ends keep. A mechanism that sends a password or a token is for connections with
TLS, or for this host where the setting allowplaintext says so; a -PLUS mechanism for connections that have a channel
binding; EXTERNAL for who has shown a certificate, or a process of his at a UNIX socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sievemda.auth.client import Client
from sievemda.auth.origin import address_of
from sievemda.auth.sasl.steps import Mechanism, Refused
from sievemda.auth.users import Users
from sievemda.config import MECHANISMS, OBSOLETE, Settings
from sievemda.errors import TemporaryTrouble

_REVEALING = frozenset({"PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"})  # to whoever listens
_TOKENS = frozenset({"OAUTHBEARER", "XOAUTH2"})
_PLUS = "-PLUS"
SERVER_FIRST = frozenset({"CRAM-MD5"})  # an initial response to these is refused: RFC 5804 §2.1, RFC 4954 §4

Start = Callable[[], Mechanism]
Hindrance = Literal["unknown", "weak", "encryption"]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a mechanism may want to know."""

    users: Users
    client: Client
    settings: Settings
    bound: bool  # it is offered with -PLUS, too


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client can use now, the strongest first, and what he cannot use although it is known."""

    ready: Mapping[str, Start]
    hindered: Mapping[str, Hindrance]  # weak: the site forbids it; encryption: it wants TLS first

    def names(self) -> list[str]:
        return list(self.ready)

    def hindrance(self, name: str) -> Hindrance:
        """Why a mechanism that is not ready is not. RFC 5804 §1.3, RFC 4954 §4."""
        return self.hindered.get(name, "unknown")


def mechanisms(users: Users, client: Client, settings: Settings) -> Offer:
    """What this client can log in with."""
    allowed = {name.upper() for name in settings.sasl.sasl_mech_list} or set(MECHANISMS) - set(OBSOLETE)
    possible = frozenset(_possible(users, settings))
    ready: dict[str, Start] = {}
    hindered: dict[str, Hindrance] = {"NTLM": "weak"}
    for name in MECHANISMS:
        if name not in allowed:
            hindered[name] = "weak"
        elif name in possible:
            missing = _missing(name, client, settings)
            if missing == "":
                around = _Around(users, client, settings, f"{name}{_PLUS}" in ready)
                ready[name] = partial(_BEGIN[name], name, around)
            elif missing == "encryption":
                hindered[name] = "encryption"
    return Offer(ready, hindered)


def may_transit(name: str, refused: Refused, settings: Settings) -> bool:
    """Whether a client is told that PLAIN may help: RFC 5804 §1.3 (TRANSITION-NEEDED), RFC 4954 §6 (432).

    Why everybody is told so whose SCRAM fails: from whom is told and who is not, strangers would learn who is a user.
    """
    return settings.sasl.sasl_auto_transition and name.startswith("SCRAM-") and refused.reason == "credentials"


def _possible(users: Users, settings: Settings) -> Iterator[str]:
    """What the settings and the back ends are good for, whoever the client is.

    While a back end does not answer, everything is offered: who tries is told that it is we who have trouble.
    """
    sasl = settings.sasl
    try:
        kept = users.mechanisms()
    except TemporaryTrouble:
        kept = frozenset(MECHANISMS)
    for name in MECHANISMS:
        if name in _TOKENS:
            there = bool(sasl.oauth2_keys or sasl.oauth2_introspection_url)
        elif name == "GSSAPI":
            there = sasl.gssapi_keytab is not None
        else:
            there = name == "EXTERNAL" or name.removesuffix(_PLUS).replace("LOGIN", "PLAIN") in kept
        if there:
            yield name


def _missing(name: str, client: Client, settings: Settings) -> str:
    """What the connection lacks for the mechanism; nothing, or nothing that has a name."""
    if name in _REVEALING and not _is_private(client, settings):
        return "encryption"
    if name.endswith(_PLUS) and not client.bindings:
        return "binding" if client.secure else "encryption"
    if name == "EXTERNAL" and not _shown(client):
        return "identity"
    return ""


def _shown(client: Client) -> str:
    return client.certificate or client.socket_user


def _is_private(client: Client, settings: Settings) -> bool:
    """Whether nobody listens."""
    return client.secure or (settings.managesieve.allowplaintext and _is_local(client))


def _is_local(client: Client) -> bool:
    """Whether the client is on this host."""
    if client.socket_user:
        return True
    try:
        return address_of(client.address).is_loopback
    except ValueError:
        return False


# How an exchange begins; the module of the mechanism is loaded then.


def _scram(name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl.scram import Scram  # noqa: PLC0415 - as said

    plus = name.endswith(_PLUS)
    bindings = around.client.bindings if plus or around.bound else {}
    return Scram(around.users, around.client, name.removesuffix(_PLUS), bindings, plus=plus)


def _password(name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl import plain  # noqa: PLC0415

    return (plain.Plain if name == "PLAIN" else plain.Login)(around.users, around.client)


def _external(_name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl.external import External  # noqa: PLC0415

    return External(around.users, _shown(around.client))


def _token(name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl import oauth  # noqa: PLC0415

    kind = oauth.OAuthBearer if name == "OAUTHBEARER" else oauth.XOAuth2
    return kind(around.users, around.settings.sasl)


def _cram(_name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl.cram import CramMd5  # noqa: PLC0415

    return CramMd5(around.users, around.client, around.settings.site.servername)


def _digest(_name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl.digest import DigestMd5  # noqa: PLC0415

    return DigestMd5(around.users, around.client, around.settings.site.servername)


def _kerberos(_name: str, around: _Around) -> Mechanism:
    from sievemda.auth.sasl.kerberos import Gssapi  # noqa: PLC0415

    return Gssapi(around.users, around.settings.sasl)


_BEGIN: Mapping[str, Callable[[str, _Around], Mechanism]] = {
    "EXTERNAL": _external,
    "GSSAPI": _kerberos,
    "SCRAM-SHA-256-PLUS": _scram,
    "SCRAM-SHA-1-PLUS": _scram,
    "SCRAM-SHA-256": _scram,
    "SCRAM-SHA-1": _scram,
    "OAUTHBEARER": _token,
    "XOAUTH2": _token,
    "DIGEST-MD5": _digest,
    "CRAM-MD5": _cram,
    "PLAIN": _password,
    "LOGIN": _password,
}
