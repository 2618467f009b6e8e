"""OAUTHBEARER (RFC 7628) and XOAUTH2, its forerunner at Google and Microsoft: the client shows a token.

A refused token is explained by a challenge in JSON, which the client answers with something that says nothing; only
then the exchange fails (RFC 7628 §3.2.3). Not so in XOAUTH2, for which no standard demands it: the clients of
ManageSieve that know it, Roundcube's among them, never answer, and would wait until their patience ends.
"""

from __future__ import annotations

import json
import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping

from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users
from sievemda.config import Sasl

_PAIR = re.compile(r"([A-Za-z]+)=([\t\n\r\x20-\x7e]*)")  # RFC 7628 §3.1: kvpair
_MAX_RESPONSE = 12 << 10  # octets


class _Malformed(Exception):
    pass


class _Bearer(ABC):
    def __init__(self, users: Users, settings: Sasl) -> None:
        self._users = users
        self._settings = settings
        self._refused: Refused | None = None

    def step(self, response: bytes | None) -> Step:
        if self._refused is not None:  # whatever he says to the explanation
            return self._refused
        if response is None:
            return Challenge(b"")
        try:
            if len(response) > _MAX_RESPONSE:
                raise _Malformed
            name, token = self._parse(response.decode())
        except (_Malformed, UnicodeDecodeError):
            return self._refuse("", "invalid_request")
        return self._check(name, token)

    @abstractmethod
    def _parse(self, text: str) -> tuple[str, str]:
        """The user that the client names, empty for the token's, and the token. Raises _Malformed."""

    def _check(self, name: str, token: str) -> Step:
        from sievemda.auth.tokens.check import bearer  # noqa: PLC0415 - loaded by who comes with a token
        from sievemda.auth.tokens.refused import TokenRefused  # noqa: PLC0415

        try:
            owner = bearer(token, self._settings)
        except TokenRefused as e:
            logging.getLogger(__name__).info("token refused: %s", e.why)
            return self._refuse(name, e.status)
        user = self._users.authorise(owner, "") or ""
        verdict = authorised(self._users, owner, user, name)
        return self._refuse(verdict.user, "invalid_token", verdict.reason) if isinstance(verdict, Refused) else verdict

    def _refuse(self, user: str, status: str, reason: str = "") -> Step:
        self._refused = Refused(user, reason or ("malformed" if status == "invalid_request" else "token"))
        return Challenge(json.dumps(self._explanation(status)).encode(), self._refused)

    def _explanation(self, status: str) -> Mapping[str, str]:
        """RFC 7628 §3.2.2."""
        found = {"status": status}
        if self._settings.oauth2_scope:
            found["scope"] = " ".join(self._settings.oauth2_scope)
        if self._settings.oauth2_openid_configuration:
            found["openid-configuration"] = self._settings.oauth2_openid_configuration
        return found


class OAuthBearer(_Bearer):
    def _parse(self, text: str) -> tuple[str, str]:
        r"""`n,a=USER,\x01host=...\x01port=...\x01auth=Bearer TOKEN\x01\x01`."""
        header, _, rest = text.partition("\x01")
        parts = header.split(",")
        if len(parts) != 3 or parts[0] not in {"n", "y"} or parts[2]:
            raise _Malformed
        return _authzid(parts[1]), _token(_pairs(rest))


class XOAuth2(_Bearer):
    def _parse(self, text: str) -> tuple[str, str]:
        r"""`user=USER\x01auth=Bearer TOKEN\x01\x01`."""
        user, separator, rest = text.partition("\x01")
        if not separator or not user.startswith("user="):
            raise _Malformed
        name = user.removeprefix("user=")
        if not name or "\0" in name or len(name.encode()) > MAX_NAME:
            raise _Malformed
        return name, _token(_pairs(rest))

    def _refuse(self, user: str, status: str, reason: str = "") -> Step:
        super()._refuse(user, status, reason)
        return Refused(user, reason or ("malformed" if status == "invalid_request" else "token"))


def _authzid(text: str) -> str:
    """As in SCRAM: RFC 5801 §4, saslname."""
    name = text.removeprefix("a=")
    wrong = text and (name == text or not name)
    if wrong or "\0" in name or len(name.encode()) > MAX_NAME or re.search("=(?!2C|3D)", name):
        raise _Malformed
    return name.replace("=2C", ",").replace("=3D", "=")


def _pairs(text: str) -> dict[str, str]:
    """Each pair ends with a separator, and so does the whole."""
    if not text.endswith("\x01\x01"):
        raise _Malformed
    pairs = text.removesuffix("\x01\x01").split("\x01")
    found: dict[str, str] = {}
    for pair in pairs:
        match = _PAIR.fullmatch(pair)
        if match is None or match[1].lower() in found:
            raise _Malformed
        found[match[1].lower()] = match[2]
    return found


def _token(pairs: Mapping[str, str]) -> str:
    scheme, _, token = pairs.get("auth", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _Malformed
    return token.strip()
