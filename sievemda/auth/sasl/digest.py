"""DIGEST-MD5 (RFC 2831), which RFC 6331 has made historic: for old sites that name it in their settings.

It wants passwords that are kept in plain text. No security layer is offered (qop=auth), and every exchange is a new
one: a client that would go on with an earlier nonce (RFC 2831 §2.2) gets a new challenge. An initial response that is
none of that kind is refused, since the challenge comes first (RFC 5804 §2.1, RFC 4954 §4).

Why the host in digest-uri is not compared: clients write there what they were told to connect to, and a server has
more names than it knows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from sievemda.auth.client import Client
from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users

_MAX_RESPONSE = 4096  # octets; RFC 2831 §2.1.2
_DIRECTIVE = re.compile(
    rb'[ \t]*([a-z-]{1,20})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^",\x00-\x20\x7f]+))[ \t]*(?:,|\Z)'
)
_ONCE = ("username", "realm", "nonce", "cnonce", "nc", "qop", "digest-uri", "response", "charset", "authzid")
_NEEDED = frozenset({"username", "nonce", "cnonce", "nc", "digest-uri", "response"})
_FIRST = "00000001"  # nc of a nonce that is used for the first time


class _Malformed(Exception):
    pass


class DigestMd5:
    """`host` is the realm that is offered."""

    def __init__(self, users: Users, client: Client, host: str) -> None:
        self._users = users
        self._client = client
        self._realm = host
        self._nonce = secrets.token_urlsafe(24)
        self._asked = False
        self._verdict: Step | None = None

    def step(self, response: bytes | None) -> Step:
        if not self._asked:
            self._asked = True
            if response is not None and not _is_response(response):
                return Refused("", "malformed")
            asked = f'realm="{self._realm}",nonce="{self._nonce}",qop="auth",charset=utf-8,algorithm=md5-sess'
            return Challenge(asked.encode())
        if self._verdict is not None:
            return Refused(_name(self._verdict), "malformed") if response else self._verdict
        try:
            given = _directives(response or b"")
            return self._check(given)
        except (_Malformed, UnicodeDecodeError):
            return Refused("", "malformed")

    def _check(self, given: Mapping[str, bytes]) -> Step:
        encoding = "utf-8" if "charset" in given else "latin-1"
        name, authzid = given["username"].decode(encoding), given.get("authzid", b"").decode()
        if not name or max(len(name.encode()), len(authzid.encode())) > MAX_NAME or "\0" in name + authzid:
            return Refused(name[:MAX_NAME], "malformed")
        ours = given["nonce"].decode("latin-1") == self._nonce and given["nc"].decode("latin-1") == _FIRST
        if not ours or given.get("qop", b"auth") != b"auth":
            return Refused(name, "malformed")
        password = self._users.plain_password(name, self._client)
        known = secrets.token_hex() if password is None else password
        session = _session(given, known, encoding)
        right = _response(session, given, b"AUTHENTICATE:")
        if not hmac.compare_digest(right, given["response"]) or password is None:
            return Refused(name, "credentials")
        self._verdict = authorised(self._users, name, self._users.known_as(name, self._client), authzid)
        return Challenge(b"rspauth=" + _response(session, given, b":"))


def _name(verdict: Step) -> str:
    return "" if isinstance(verdict, Challenge) else verdict.user


def _directives(text: bytes) -> dict[str, bytes]:
    """Names and values, unquoted; the known ones once each. RFC 2831 §7.1."""
    if len(text) > _MAX_RESPONSE:
        raise _Malformed
    found: dict[str, bytes] = {}
    at = 0
    while at < len(text):
        match = _DIRECTIVE.match(text, at)
        if match is None:
            raise _Malformed
        name, at = match[1].decode(), match.end()
        value = match[3] if match[2] is None else re.sub(rb"\\(.)", rb"\1", match[2], flags=re.DOTALL)
        if name in _ONCE:
            if name in found:
                raise _Malformed
            found[name] = value
    if not _NEEDED.issubset(found) or found.get("charset", b"utf-8").lower() != b"utf-8" or not found["cnonce"]:
        raise _Malformed
    return found


def _is_response(text: bytes) -> bool:
    try:
        return bool(_directives(text))
    except (_Malformed, UnicodeDecodeError):
        return False


def _session(given: Mapping[str, bytes], password: str, encoding: str) -> bytes:
    """HEX(H(A1)). RFC 2831 §2.1.2.1."""
    name, realm = given["username"].decode(encoding), given.get("realm", b"").decode(encoding)
    secret = _md5(b":".join(_narrow(part) for part in (name, realm, password)))
    parts = [secret, given["nonce"], given["cnonce"]]
    if "authzid" in given:
        parts.append(given["authzid"])
    return _md5(b":".join(parts)).hex().encode()


def _narrow(text: str) -> bytes:
    """ISO 8859-1 where it can be written so, else UTF-8. RFC 2831 §2.1.2.1 (username-value, passwd)."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _response(session: bytes, given: Mapping[str, bytes], method: bytes) -> bytes:
    """The digest of the client (method AUTHENTICATE) or the server's, which has none."""
    second = _md5(method + given["digest-uri"]).hex().encode()
    parts = (session, given["nonce"], given["nc"], given["cnonce"], b"auth", second)
    return _md5(b":".join(parts)).hex().encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
