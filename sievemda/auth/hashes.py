"""Passwords that have been hashed elsewhere, as other servers write them: `{SCHEME}VALUE`.

    {ARGON2ID}$argon2id$v=19$m=12288,t=3,p=1$SALT$HASH         PHC's form, as Dovecot and we make it; for SASL PLAIN
    {SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY         Dovecot's form; for SCRAM
    {SCRAM-SHA-256}SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY      PostgreSQL's; RFC 5803 §3 is alike

Several may follow one another with a blank between them; a user can log in by the mechanisms that he has one for.

Why not older hashes ({CRYPT}, {SSHA}): a password that was hashed so cannot be used for SCRAM, and is found out quickly
by who gets hold of it. Let such users set a new one, or leave them in their passwd-file (`auth.schemes`).
"""

from __future__ import annotations

import base64
import re

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from sievemda.auth.passwords import HASH, SCRAM_MECHANISMS
from sievemda.errors import DataError

_SCHEME = re.compile(r"\{([A-Za-z0-9.-]{1,40})\}(.*)", re.DOTALL)
_PARTS = re.compile(r"([0-9]{1,8})[,:]([A-Za-z0-9+/=]{1,200})[,$]([A-Za-z0-9+/=]{1,100})[,:]([A-Za-z0-9+/=]{1,100})")
_SIZES = {"SCRAM-SHA-256": 32, "SCRAM-SHA-1": 20}
_MIN_ITERATIONS, _MAX_ITERATIONS = 4096, 1_000_000  # RFC 7677 §4; what a client can be asked to do
_MAX_MEMORY = 256 * 1024  # KiB that one login may take
_MAX_WORK = 16 * _MAX_MEMORY  # KiB that are gone through: some seconds
_MAX_LANES = 64  # each is a thread


def hashed(text: str) -> dict[str, str] | None:
    """Kind to value, as `state.credentials` keeps them; None for a password in plain text, with {PLAIN} or without.

    DataError for a scheme that is not known, or a value that is none of it.
    """
    match = _SCHEME.match(text)
    if match is None or match[1].upper() in {"PLAIN", "CLEAR", "CLEARTEXT"}:
        return None
    found: dict[str, str] = {}
    for word in text.split():
        kind, value = _credential(word)
        found[kind] = value
    return found


def plain(text: str) -> str:
    """A password in plain text without the scheme in front that says so."""
    match = _SCHEME.match(text)
    return match[2] if match else text


def _credential(word: str) -> tuple[str, str]:
    match = _SCHEME.fullmatch(word)
    scheme = match[1].upper() if match else ""
    if match and scheme == "ARGON2ID":
        return HASH, argon2_hash(match[2])
    if match and scheme in SCRAM_MECHANISMS:
        return scheme, scram_verifier(scheme, match[2].removeprefix(f"{scheme}$"))
    known = ", ".join(f"{{{scheme}}}" for scheme in ("PLAIN", "ARGON2ID", *SCRAM_MECHANISMS))
    raise DataError(f"the password is hashed in a way that is not known (known are {known})")


def argon2_hash(value: str, form: str = "ID") -> str:
    """The hash when it is one of argon2id, or of argon2i for `form` I, that can be checked; DataError."""
    try:
        parameters = extract_parameters(value)
    except (InvalidHashError, ValueError) as e:
        raise DataError(f"the password is no argon2{form.lower()} hash") from e
    work = parameters.memory_cost * parameters.time_cost
    costly = parameters.memory_cost > _MAX_MEMORY or work > _MAX_WORK or parameters.parallelism > _MAX_LANES
    if parameters.type.name != form or costly:
        kind = f"argon2{form.lower()}"
        raise DataError(
            f"the password is no {kind} hash, or one that takes more than {_MAX_MEMORY} KiB, or too long, to check"
        )
    return value


def scram_verifier(scheme: str, value: str) -> str:
    """The verifier as `state.credentials` keeps it; DataError."""
    match = _PARTS.fullmatch(value)
    if match is None or not _MIN_ITERATIONS <= int(match[1]) <= _MAX_ITERATIONS:
        raise DataError(f"the password is no {scheme} verifier: ITERATIONS,SALT,STOREDKEY,SERVERKEY with 4096 and more")
    try:
        _salt, *keys = (base64.b64decode(part, validate=True) for part in match.groups()[1:])
    except ValueError as e:
        raise DataError(f"the password is no {scheme} verifier: there is something that is not base64") from e
    if any(len(key) != _SIZES[scheme] for key in keys):
        raise DataError(f"the password is no {scheme} verifier: a key has not {_SIZES[scheme]} octets")
    return ":".join(match.groups())
