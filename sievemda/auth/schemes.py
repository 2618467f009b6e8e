"""Passwords as passwd-files keep them, `{SCHEME}VALUE`: every scheme of Dovecot's `doveadm pw -l` that can be checked.

A scheme may say how the value is written, `{SSHA512.HEX}` or `{SSHA512.B64}`; otherwise digests are in base64, or in
hexadecimal when they have that length. What `{OTP}` and `{PLAIN-TRUNC}` keep is not known here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sievemda.auth.digests import hmac_md5_states, md4
from sievemda.auth.hashes import argon2_hash, scram_verifier
from sievemda.auth.libcrypt import crypted
from sievemda.auth.passwords import ONE_AT_A_TIME, SCRAM_MECHANISMS, Verifier, argon2_fits, scram_fits, verifier
from sievemda.errors import DataError

_SCHEME = re.compile(r"\{([A-Za-z0-9-]{1,40})(?:\.([A-Za-z0-9]{1,10}))?\}(.*)", re.DOTALL)
_PBKDF2 = re.compile(r"\$1\$([^$]{1,200})\$([0-9]{1,9})\$([0-9a-fA-F]{40})")
_MOST_ROUNDS = 10_000_000  # some seconds of work
_CRYPT = frozenset({"CRYPT", "DES-CRYPT", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT"})
PLAIN_SCHEMES = frozenset({"PLAIN", "CLEARTEXT", "CLEAR"})
_DIGESTS = {"SHA": "sha1", "SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
_DIGESTS |= {"PLAIN-MD5": "md5", "LDAP-MD5": "md5", "PLAIN-MD4": "md4"}
_SALTED = {"SSHA": "sha1", "SSHA256": "sha256", "SSHA512": "sha512", "SMD5": "md5"}

Check = Callable[[bytes, str], bool]  # a password and the user's name: whether it fits


@dataclass(frozen=True, slots=True)
class Secret:
    """A password as it is kept. Never shown: its values are what somebody would want to have."""

    scheme: str
    fits: Check = field(repr=False)  # raises DataError for a hash that libcrypt does not know
    plain: str | None = field(default=None, repr=False)
    verifiers: Mapping[str, Verifier] = field(default_factory=dict, repr=False)


def scheme_of(text: str, default: str) -> str:
    """The scheme that is named, known or not."""
    match = _SCHEME.fullmatch(text)
    return match[1].upper() if match else default


def read_secret(text: str, default: str) -> Secret:
    """What a field of a passwd-file says. DataError, which repeats nothing of it but the scheme."""
    match = _SCHEME.fullmatch(text)
    scheme, encoding, value = (match[1].upper(), (match[2] or "").upper(), match[3]) if match else (default, "", text)
    if encoding not in {"", "HEX", "B64", "BASE64"}:
        raise DataError(f"{scheme}.{encoding}: values are written as HEX or B64")
    if scheme == "MD5":  # two schemes had this name
        whole = _octets(scheme, encoding, value) if encoding else value.encode()
        scheme = "MD5-CRYPT" if whole.startswith(b"$1$") else "PLAIN-MD5"
    if (read := _READERS.get(scheme)) is None:
        raise DataError(f"the scheme {scheme} is not known")
    return read(scheme, encoding, value)


def _plain(scheme: str, encoding: str, value: str) -> Secret:
    text = _text(scheme, encoding, value)
    kept = text.encode()
    return Secret(scheme, lambda password, _user: bool(kept) and hmac.compare_digest(password, kept), plain=text)


def _crypt(scheme: str, encoding: str, value: str) -> Secret:
    kept = _octets(scheme, encoding, value) if encoding else value.encode()
    if not kept or kept[:1] in b"!*":  # nobody's: an account that is locked
        return Secret(scheme, lambda _password, _user: False)
    return Secret(scheme, lambda password, _user: crypted(password, kept))


def _digest(scheme: str, encoding: str, value: str) -> Secret:
    name = _DIGESTS[scheme]
    kept = _octets(scheme, encoding, value, size=_size(name))
    return Secret(scheme, lambda password, _user: hmac.compare_digest(_hash(name, password), kept))


def _salted(scheme: str, encoding: str, value: str) -> Secret:
    name, found = _SALTED[scheme], _octets(scheme, encoding, value)
    kept, salt = found[: _size(name)], found[_size(name) :]
    if len(kept) < _size(name):
        raise DataError(f"the value of {{{scheme}}} is too short")
    return Secret(scheme, lambda password, _user: hmac.compare_digest(_hash(name, password + salt), kept))


def _pbkdf2(scheme: str, encoding: str, value: str) -> Secret:
    match = _PBKDF2.fullmatch(_text(scheme, encoding, value))
    if match is None or not 0 < int(match[2]) <= _MOST_ROUNDS:
        raise DataError(f"the value of {{{scheme}}} is not $1$SALT$ROUNDS$HASH")
    salt, rounds, kept = match[1].encode(), int(match[2]), bytes.fromhex(match[3])
    return Secret(
        scheme,
        lambda password, _user: hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", password, salt, rounds, 20), kept),
    )


def _argon2(scheme: str, encoding: str, value: str) -> Secret:
    kept = argon2_hash(_text(scheme, encoding, value), scheme.removeprefix("ARGON2"))
    return Secret(scheme, lambda password, _user: argon2_fits(password, kept))


def _scram(scheme: str, encoding: str, value: str) -> Secret:
    found = verifier(scram_verifier(scheme, _text(scheme, encoding, value).removeprefix(f"{scheme}$")))
    return Secret(scheme, lambda password, _user: scram_fits(password, scheme, found), verifiers={scheme: found})


def _cram_md5(scheme: str, encoding: str, value: str) -> Secret:
    kept = _octets(scheme, encoding, value, size=32)
    return Secret(scheme, lambda password, _user: hmac.compare_digest(hmac_md5_states(password), kept))


def _digest_md5(scheme: str, encoding: str, value: str) -> Secret:
    kept = _octets(scheme, encoding, value, size=16)

    def fits(password: bytes, user: str) -> bool:
        name, _, realm = user.partition("@")
        return hmac.compare_digest(_hash("md5", f"{name}:{realm}:".encode() + password), kept)

    return Secret(scheme, fits)


def _text(scheme: str, encoding: str, value: str) -> str:
    """The value of a scheme that is text, which need not be encoded."""
    try:
        return _octets(scheme, encoding, value).decode() if encoding else value
    except UnicodeDecodeError:
        raise DataError(f"the value of {{{scheme}}} is not UTF-8") from None


def _octets(scheme: str, encoding: str, value: str, size: int = 0) -> bytes:
    """The value, which has `size` octets when that is said. Blanks around it are none of it."""
    value = value.strip(" ")
    is_hex = encoding == "HEX" or (not encoding and size and len(value) == 2 * size)
    try:
        found = bytes.fromhex(value) if is_hex else base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        raise DataError(f"the value of {{{scheme}}} is no {'hexadecimal' if is_hex else 'base64'}") from None
    if size and len(found) != size:
        raise DataError(f"the value of {{{scheme}}} has {len(found)} octets, not {size}")
    return found


def _hash(name: str, data: bytes) -> bytes:
    return md4(data) if name == "md4" else hashlib.new(name, data, usedforsecurity=False).digest()


def _size(name: str) -> int:
    return 16 if name == "md4" else hashlib.new(name, usedforsecurity=False).digest_size


_READERS: dict[str, Callable[[str, str, str], Secret]] = {
    **dict.fromkeys(PLAIN_SCHEMES, _plain),
    **dict.fromkeys(_CRYPT, _crypt),
    **dict.fromkeys(_DIGESTS, _digest),
    **dict.fromkeys(_SALTED, _salted),
    **dict.fromkeys(SCRAM_MECHANISMS, _scram),
    "PBKDF2": _pbkdf2,
    "ARGON2I": _argon2,
    "ARGON2ID": _argon2,
    "CRAM-MD5": _cram_md5,
    "HMAC-MD5": _cram_md5,
    "DIGEST-MD5": _digest_md5,
}
SCHEMES = tuple(sorted({*_READERS, "MD5"}))


def fits(secret: Secret, password: str, user: str) -> bool:
    """Whether it is this password, one hash of all at a time: strangers can have them made.

    NUL is in no password: some hashes take it for the end of one, or for nothing.
    """
    with ONE_AT_A_TIME:
        return "\0" not in password and secret.fits(password.encode(errors="surrogateescape"), user)
