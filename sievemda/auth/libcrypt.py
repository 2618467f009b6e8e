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
_BCRYPT = re.compile(rb"\$2[abxy]\$(\d\d)\$")
_ROUNDS = re.compile(rb"\$[56]\$rounds=(\d{1,20})\$")
_MOST_BCRYPT, _MOST_ROUNDS = 17, 10_000_000  # some seconds of work


def crypted(password: bytes, hashed: bytes) -> bool:
    """Whether `hashed` is made of the password. DataError for a hash that the system does not know."""
    if b"\0" in password + hashed or len(password) > _MOST_OCTETS:
        return False
    costs = ((_BCRYPT.match(hashed), _MOST_BCRYPT), (_ROUNDS.match(hashed), _MOST_ROUNDS))
    if any(match and int(match[1]) > most for match, most in costs):
        raise DataError("the hash takes too long to check")
    found = _library().crypt_r(password, hashed, ctypes.create_string_buffer(_STATE))
    if not found or found.startswith(b"*"):
        raise DataError("libcrypt does not know hashes of this form")
    return hmac.compare_digest(found, hashed)


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
