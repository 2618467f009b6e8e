"""Whether a token lets its bearer in, and as whom.

JSON Web Tokens are checked with the issuer's keys, where the settings name a file of them (`keys`); what is no such
token, or all of them where there are no keys, by asking the issuer (`introspection`). *Why* the first is preferred:
it needs nobody else, so that a login does not wait for another host, nor fail with it.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any

from sievemda.auth.tokens import introspection, keys
from sievemda.auth.tokens.refused import TokenRefused
from sievemda.config import Sasl

MAX_TOKEN = 8192  # octets
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1
_SIGNED = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_CLOCKS = 10  # seconds by which ours and the issuer's may differ


def bearer(token: str, settings: Sasl) -> str:
    """The name of the user whose token it is.

    Raises TokenRefused for one that is not to be taken, TemporaryTrouble when nobody can say.
    """
    if len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
        raise TokenRefused("invalid_token", "it has not the form of a token")
    if settings.oauth2_keys is not None and (not settings.oauth2_introspection_url or _SIGNED.fullmatch(token)):
        claims = keys.claims(token, settings.oauth2_keys, settings.oauth2_algorithms)
    else:
        claims = introspection.claims(token, settings)
    _check_times(claims)
    _check_party(claims, settings)
    _check_scope(claims, settings)
    return _user(claims, settings.oauth2_username_claim)


def _check_times(claims: Mapping[str, Any]) -> None:
    """RFC 7519 §4.1.4, §4.1.5. A token without an end is taken only from who was asked for it just now."""
    now = time.time()
    for name in ("exp", "nbf"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
            raise TokenRefused("invalid_token", f"{name} is no time")
        if (name == "exp" and now >= value + _CLOCKS) or (name == "nbf" and now < value - _CLOCKS):
            raise TokenRefused("invalid_token", "it has expired" if name == "exp" else "it is not valid yet (nbf)")


def _check_party(claims: Mapping[str, Any], settings: Sasl) -> None:
    """Who issued it, and for whom: a token for another service must not open this one."""
    if settings.oauth2_issuer and claims.get("iss") not in settings.oauth2_issuer:
        raise TokenRefused("invalid_token", "iss is none of oauth2_issuer")
    found = claims.get("aud")
    audience = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    if settings.oauth2_audience:
        if not any(one in settings.oauth2_audience for one in audience if isinstance(one, str)):
            raise TokenRefused("invalid_token", "aud is none of oauth2_audience")
    elif found:
        raise TokenRefused("invalid_token", "it is for somebody (aud), and oauth2_audience names nobody")


def _check_scope(claims: Mapping[str, Any], settings: Sasl) -> None:
    """`scope` is words (RFC 8693 §4.2) or a list; `scp` is what some issuers call it."""
    found = claims.get("scope", claims.get("scp", ""))
    has = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
    if any(one not in has for one in settings.oauth2_scope):
        raise TokenRefused("insufficient_scope", "it lacks some of oauth2_scope")


def _user(claims: Mapping[str, Any], claim: str) -> str:
    """An address that its owner has not proved to be his is nobody's."""
    name = claims.get(claim)
    if not isinstance(name, str) or not name or "\0" in name:
        raise TokenRefused("invalid_token", f"it has no claim {claim} (oauth2_username_claim)")
    if claim == "email" and claims.get("email_verified", True) is not True:
        raise TokenRefused("invalid_token", "its email is not verified")
    return name
