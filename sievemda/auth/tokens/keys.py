"""JSON Web Tokens (RFC 7519) and the keys of who signs them: a file with public keys in PEM, or a key set (RFC 7517).

Why PyJWT: small, well kept, and a key is tried only by algorithms that are its own, so that nobody can sign with a
public key as if it were a shared secret.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from sievemda.auth.tokens.refused import TokenRefused
from sievemda.errors import TemporaryTrouble
from sievemda.given import read_given

_MAX_FILE = 1 << 20  # octets
_MAX_TRIES = 16  # keys that one token is tried with
_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|(?:RSA )?PUBLIC KEY)-----[^-]*-----END \1-----")
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_SECRETS = {"HS256": 32, "HS384": 48, "HS512": 64}  # octets that a secret must have
_OPTIONS: Any = {
    "require": ["exp"],
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss"), False),
    **dict.fromkeys(("verify_sub", "verify_jti"), False),
}


@dataclass(frozen=True, slots=True)
class Key:
    key: Any = field(repr=False)  # a secret, where it is one that both sides know
    algorithms: tuple[str, ...]  # by which it may have signed
    name: str = ""  # kid


def claims(token: str, file: Path, algorithms: Sequence[str]) -> Mapping[str, Any]:
    """What a token says that was signed with one of the keys; its times are the caller's to check.

    Raises TokenRefused, or TemporaryTrouble when the keys cannot be read.
    """
    try:
        header = jwt.get_unverified_header(token)
        name, algorithm = header.get("kid"), header.get("alg")
    except (jwt.PyJWTError, RecursionError) as e:  # the second from a PyJWT that is not the newest
        raise TokenRefused("invalid_token", "it is no JSON Web Token") from e
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRefused("invalid_token", "it is signed by none of oauth2_algorithms")
    keys = (key for key in _keys(file) if algorithm in key.algorithms)
    for key in islice((key for key in keys if name is None or key.name in ("", name)), _MAX_TRIES):
        try:
            found: Mapping[str, Any] = jwt.decode(token, key.key, algorithms=[algorithm], options=_OPTIONS)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, RecursionError) as e:
            raise TokenRefused("invalid_token", "it is damaged, or does not end (exp)") from e
        return found
    raise TokenRefused("invalid_token", "it is signed by none of oauth2_keys")


_read: dict[Path, tuple[tuple[int, int, int], tuple[Key, ...]]] = {}
_reading = threading.Lock()


def _keys(file: Path) -> tuple[Key, ...]:
    """Those in the file, read again when it has changed."""
    try:
        status = file.stat()
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        with _reading:
            if _read.get(file, (None,))[0] != version:
                _read[file] = version, parse_keys(read_given(file))
            return _read[file][1]
    except (OSError, ValueError) as e:
        raise TemporaryTrouble(f"oauth2_keys: {file}: {e}") from e


def parse_keys(data: bytes) -> tuple[Key, ...]:
    """Raises ValueError when there is none, or one that cannot be read."""
    if len(data) > _MAX_FILE:
        raise ValueError(f"it has more than {_MAX_FILE} octets")
    found = tuple(_set(data) if data.lstrip()[:1] == b"{" else _pem(data))
    if not found:
        raise ValueError("there is no public key in it")
    return found


def _pem(data: bytes) -> Iterator[Key]:
    if b"PRIVATE KEY" in data:
        raise ValueError("there is a private key in it, which is nobody's but the issuer's")
    for block in _BLOCK.finditer(data):
        try:
            if block[1] == b"CERTIFICATE":
                key: Any = load_pem_x509_certificate(block[0]).public_key()
            else:
                key = load_pem_public_key(block[0])
        except UnsupportedAlgorithm as e:
            raise ValueError(str(e)) from e
        yield Key(key, _own(key))


def _set(data: bytes) -> Iterator[Key]:
    """The keys of a set that are for signatures, and of a kind that is known. RFC 7517 §5."""
    try:
        members = json.loads(data)
    except RecursionError as e:
        raise ValueError("it is nested too deeply") from e
    listed = members.get("keys", [members] if "kty" in members else [])
    for member in listed if isinstance(listed, list) else []:
        if not isinstance(member, dict) or not _is_for_signatures(member):
            continue
        try:
            key = jwt.PyJWK(member).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue  # RFC 7517 §5: what is not understood is passed over
        own, alg = _own(key), member.get("alg")
        yield Key(key, tuple(one for one in own if alg in (None, one)), str(member.get("kid", "")))


def _is_for_signatures(member: Mapping[str, Any]) -> bool:
    """RFC 7517 §4.2, §4.3."""
    operations = member.get("key_ops")
    return member.get("use", "sig") == "sig" and not (isinstance(operations, list) and "verify" not in operations)


def _own(key: Any) -> tuple[str, ...]:
    """The algorithms that are a key's own."""
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA if key.key_size >= 2048 else ()  # RFC 7518 §3.3
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (_CURVES[key.curve.name],) if key.curve.name in _CURVES else ()
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return ("EdDSA",)
    octets = len(key) if isinstance(key, bytes) else 0
    return tuple(name for name, least in _SECRETS.items() if octets >= least)  # RFC 7518 §3.2
