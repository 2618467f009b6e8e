"""crypt(3) of the system: every `$N$` hash that it knows, as other servers of this host do.

Why by ctypes and no library: libcrypt knows yescrypt, which is what Debian's passwords are hashed with and no library
from PyPI knows, and bcrypt, SHA-2 and the older ones besides; crypt_r needs one line of a binding. Python's own module
`crypt` is gone since 3.13.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hmac
import re
from functools import cache
from typing import Any

from sievemda.errors import DataError, TemporaryTrouble

_NAME = "libcrypt.so.1"
_MOST_OCTETS = 511  # of a password that libxcrypt takes
_STATE = 1 << 18  # octets: struct crypt_data of glibc has 131232, libxcrypt's 32768
_DIGITS = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_COUNTED = (
    (re.compile(rb"\$2[abxy]\$([^$]*)"), 17),
    (re.compile(rb"\$[56]\$rounds=([^$]*)"), 10_000_000),
    (re.compile(rb"\$md5[,$]rounds=([^$]*)"), 1_000_000),
    (re.compile(rb"\$sha1\$([^$]*)"), 5_000_000),
)  # how costly a hash says that it is, and the most that takes some seconds of work
_MOST_DIGITS = 20  # of such a number
_BSDI, _MOST_DES = re.compile(rb"_([./0-9A-Za-z]{4})"), 1_000_000
_YESCRYPT = re.compile(rb"\$g?y\$[./0-9A-Za-z]([./0-9A-Za-j])([./0-9A-Za-j])\$")
_SCRYPT = re.compile(rb"\$7\$([./0-9A-Za-z])([./0-9A-Za-z]{5})([./0-9A-Za-z]{5})")
_MOST_MEMORY = 256 << 20  # octets


def crypted(password: bytes, hashed: bytes) -> bool:
    """Whether `hashed` is made of the password. DataError for a hash that the system does not know."""
    if b"\0" in password + hashed or len(password) > _MOST_OCTETS:
        return False
    _check_cost(hashed)
    found = _library().crypt_r(password, hashed, ctypes.create_string_buffer(_STATE))
    if not found or found.startswith(b"*"):
        raise DataError("libcrypt does not know hashes of this form")
    return hmac.compare_digest(found, hashed)


def _check_cost(hashed: bytes) -> None:
    """DataError for a hash that would keep everybody waiting who logs in, or take the memory of the machine."""
    costs = [(match[1], most) for pattern, most in _COUNTED if (match := pattern.match(hashed))]
    if not all(cost.isdigit() and len(cost) <= _MOST_DIGITS for cost, _ in costs):  # C reads a sign, too
        raise DataError("the hash has parameters that are not known")
    too_long = any(int(cost) > most for cost, most in costs)
    if match := _BSDI.match(hashed):
        too_long = _number(match[1]) > _MOST_DES
    memory = 0
    if hashed.startswith((b"$y$", b"$gy$")):
        match = _YESCRYPT.match(hashed)
        if match is None:
            raise DataError("the hash has parameters that are not known")
        memory = 128 * (_number(match[2]) + 1) << (_number(match[1]) + 1)
    elif match := _SCRYPT.match(hashed):
        memory = 128 * _number(match[2]) << _number(match[1])
        too_long = _number(match[3]) * memory > 4 * _MOST_MEMORY
    if too_long or memory > _MOST_MEMORY:
        raise DataError("the hash takes too long to check, or too much memory")


def _number(digits: bytes) -> int:
    """The first digit is the lowest."""
    return sum(_DIGITS.index(digit) << 6 * place for place, digit in enumerate(digits))


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(_NAME)
    except OSError:
        name = ctypes.util.find_library("crypt")  # starts other programs: only where it is called otherwise
        if name is None:
            raise TemporaryTrouble("there is no libcrypt on this host, which {CRYPT} wants") from None
        library = ctypes.CDLL(name)
    library.crypt_r.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
    library.crypt_r.restype = ctypes.c_char_p
    return library
