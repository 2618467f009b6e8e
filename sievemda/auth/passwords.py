"""From a password to what is kept of it, and back to yes or no.

Kept are an argon2id hash, for mechanisms that send the password, and one verifier per SCRAM mechanism, from which
the password cannot be read either (RFC 5802 §3, §9).

Why argon2id by argon2-cffi: it is the hash that RFC 9106 recommends, in its PHC text form, which other servers
read too. Why so little memory (12 MiB, three passes, one lane: OWASP's list) and one hash at a time, over all worker
processes: whoever can open connections can have hashes made, and must not be able to take the memory of the machine
with them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from scramp.core import ScramMechanism

from sievemda.auth.names import prepared
from sievemda.auth.turns import Turns
from sievemda.errors import DataError, TemporaryTrouble

HASH = "argon2id"
SCRAM_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1")
ITERATIONS = 15000  # RFC 7677 §4 asks for 4096 at least and hopes for this many
SALT = 16  # octets
MAX_PASSWORD = 1024  # octets

_HASHER = PasswordHasher(time_cost=3, memory_cost=12 * 1024, parallelism=1, hash_len=32, salt_len=SALT)
ONE_AT_A_TIME = Turns()


@dataclass(frozen=True, slots=True)
class Verifier:
    """What a server must know to check one user by one SCRAM mechanism. RFC 5802 §3. Not shown, as no secret is."""

    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    iterations: int


def usable(password: str) -> str:
    """The password as it is hashed; raises DataError when it cannot be one."""
    if len(password.encode(errors="surrogateescape")) > MAX_PASSWORD:
        raise DataError(f"the password is longer than {MAX_PASSWORD} octets")
    try:
        return prepared(password)
    except DataError as e:
        raise DataError(f"the password cannot be used: {e}") from e


def credentials_for(password: str) -> dict[str, str]:
    """Kind to value, as `state.credentials` keeps them; raises DataError for a password that cannot be one."""
    password = usable(password)
    with ONE_AT_A_TIME:
        found = {HASH: _HASHER.hash(password)}
    return {**found, **verifiers_for(password)}


def verifiers_for(password: str) -> dict[str, str]:
    """As `credentials_for`, but for what PLAIN wants; the password is one that is usable."""
    found = {}
    for mechanism in SCRAM_MECHANISMS:
        parts = ScramMechanism(mechanism).make_auth_info(password, ITERATIONS, secrets.token_bytes(SALT))
        found[mechanism] = _verifier_text(Verifier(*parts))
    return found


def matches(password: str, kept: str | None) -> bool:
    """Whether the password is the one hashed in `kept`; without one, no, after the same work.

    Raises TemporaryTrouble for a hash that nobody can read: that is not the user's mistake.
    """
    try:
        password = prepared(password)
    except DataError:
        password, kept = "x", None
    with ONE_AT_A_TIME:
        try:
            right = _HASHER.verify(kept or _nobody(), password)
        except VerificationError:
            return False
        except InvalidHashError as e:
            raise TemporaryTrouble("a password hash cannot be read") from e
    return right and kept is not None


def argon2_fits(password: bytes, kept: str) -> bool:
    """Whether it is the password of an argon2 hash, made anywhere."""
    try:
        return _HASHER.verify(kept, password)
    except VerificationError:
        return False


def scram_fits(password: bytes, mechanism: str, kept: Verifier) -> bool:
    """Whether it is the password that a verifier was made of. RFC 5802 §3."""
    try:
        prepared_password = prepared(password.decode()).encode()
    except (UnicodeDecodeError, DataError):
        return False
    return _is_made_of(prepared_password, mechanism, kept)


def is_of_nothing(mechanism: str, kept: Verifier) -> bool:
    """Whether a verifier was made of an empty password, as which no login counts. Takes as long as to make it."""
    return _is_made_of(b"", mechanism, kept)


def _is_made_of(password: bytes, mechanism: str, kept: Verifier) -> bool:
    name = ScramMechanism(mechanism).hf().name
    salted = hashlib.pbkdf2_hmac(name, password, kept.salt, kept.iterations)
    stored = hashlib.new(name, hmac.digest(salted, b"Client Key", name)).digest()
    return hmac.compare_digest(stored, kept.stored_key)


def verifier(kept: str) -> Verifier:
    """Reads what `credentials_for` wrote; raises TemporaryTrouble when it is damaged."""
    try:
        iterations, *parts = kept.split(":")
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in parts)
        return Verifier(salt, stored_key, server_key, int(iterations))
    except ValueError as e:
        raise TemporaryTrouble("a SCRAM verifier cannot be read") from e


def number_of(secret: bytes, name: str) -> int:
    """A large number for a name, always the same, that nobody can tell who does not know the secret."""
    return int.from_bytes(hmac.digest(secret, name.encode(errors="surrogateescape"), hashlib.sha256))


def look_alike(secret: bytes, mechanism: str, userid: str, like: Verifier | None = None) -> Verifier:
    """A verifier that no password fits, always the same for a name, like a real one: hides who exists.

    RFC 5802 §9 leaves the choice; with a salt made from a secret, asking twice tells nothing either. `like`: somebody's
    whose length of salt and iterations it takes.
    """

    def part(label: str, size: int) -> bytes:
        text = f"{label}\0{mechanism}\0{userid}".encode(errors="surrogateescape")
        found = block = hmac.digest(secret, text, hashlib.sha512)
        while len(found) < size:
            block = hmac.digest(secret, block, hashlib.sha512)
            found += block
        return found[:size]

    size = ScramMechanism(mechanism).hf().digest_size
    salt, iterations = (len(like.salt), like.iterations) if like else (SALT, ITERATIONS)
    return Verifier(part("salt", salt), part("stored", size), part("server", size), iterations)


def derived(secret: bytes, mechanism: str, userid: str, password: str) -> Verifier:
    """A verifier made from a password that is kept in plain text, with a salt that is always the same for the name.

    Raises DataError for what cannot be a password.
    """
    password = usable(password)
    salt = look_alike(secret, mechanism, userid).salt
    return Verifier(*ScramMechanism(mechanism).make_auth_info(password, ITERATIONS, salt))


def _verifier_text(v: Verifier) -> str:
    parts = (base64.b64encode(part).decode() for part in (v.salt, v.stored_key, v.server_key))
    return ":".join((str(v.iterations), *parts))


def prepare() -> None:
    """Have at hand what unknown users are refused with; before that, the first one would take twice as long."""
    _nobody()


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody's password")
