"""GSSAPI (RFC 4752): a ticket of Kerberos. The exchange itself is MIT Kerberos', by python-gssapi.

Behind the context come one challenge and its response, wrapped by it: the server offers security layers, the client
chooses one and may name whom he acts for. None is offered but "none": there is TLS.

A principal of one of the realms that are ours is the user of that name; one with an instance (alice/admin) or of
another realm is nobody's.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users
from sievemda.config import Sasl
from sievemda.errors import TemporaryTrouble

_log = logging.getLogger("sievemda.auth")
_NO_LAYER = 1  # RFC 4752 §3.3
_MAX_TOKEN = 64 << 10  # octets


class Gssapi:
    def __init__(self, users: Users, settings: Sasl) -> None:
        self._users = users
        self._realms = settings.gssapi_realms
        self._context = _context(settings.gssapi_keytab)
        self._offered = False
        self._empty = False  # the context stands, and the client's response to its last token is to come

    def step(self, response: bytes | None) -> Step:
        import gssapi  # noqa: PLC0415 - loaded when it is used; an optional extra

        if response is None:
            return Challenge(b"")
        if len(response) > _MAX_TOKEN:
            return Refused("", "malformed")
        try:
            if self._offered:
                return self._chosen(self._context.unwrap(response).message)
            if self._empty:
                return Refused("", "malformed") if response else self._offer()
            token = self._context.step(response)
            complete = self._context.complete  # raises what step does not where it has a token that says what is wrong
        except gssapi.exceptions.GSSError as e:
            _log.info("GSSAPI: %s", " ".join(str(e).split()))
            return Refused("", "ticket")
        if not complete:
            return Challenge(token or b"")
        self._empty = bool(token)
        return Challenge(token) if token else self._offer()

    def _offer(self) -> Step:
        """RFC 4752 §3.1: the security layers, and the size of what they can take, which is none."""
        self._offered = True
        return Challenge(self._context.wrap(bytes((_NO_LAYER, 0, 0, 0)), encrypt=False).message)

    def _chosen(self, message: bytes) -> Step:
        principal = str(self._context.initiator_name)
        if len(message) < 4 or message[0] != _NO_LAYER or len(message) > 4 + MAX_NAME:
            return Refused(principal, "malformed")
        try:
            authzid = message[4:].decode()
        except UnicodeDecodeError:
            return Refused(principal, "malformed")
        if "\0" in authzid:
            return Refused(principal, "malformed")
        name = _local(principal, self._realms or (_realm(str(self._context.target_name)),))
        if not name:
            return Refused(principal, "realm")
        return authorised(self._users, principal, self._users.authorise(name, "") or "", authzid)


def _context(keytab: Path | None) -> Any:
    """An acceptor's context with the keys of the file. Raises TemporaryTrouble."""
    try:
        import gssapi  # noqa: PLC0415
    except ImportError as e:
        raise TemporaryTrouble(f"pip install 'sievemda[gssapi]' ({e})") from e
    try:
        credentials = gssapi.Credentials(usage="accept", store={"keytab": str(keytab)})
        return gssapi.SecurityContext(creds=credentials, usage="accept")
    except gssapi.exceptions.GSSError as e:
        raise TemporaryTrouble(f"GSSAPI: {keytab}: {' '.join(str(e).split())}") from e


def check_keytab(keytab: Path) -> None:
    """Raises TemporaryTrouble when tickets cannot be checked with it."""
    _context(keytab)


def _local(principal: str, realms: Sequence[str]) -> str:
    """The user's name; nothing for a principal that is no user of ours. RFC 1964 §2.1.1: backslashes quote."""
    name, at, realm = principal.rpartition("@")
    return name if at and realm in realms and not set("/\\@") & set(name) else ""


def _realm(principal: str) -> str:
    return principal.rpartition("@")[2]
