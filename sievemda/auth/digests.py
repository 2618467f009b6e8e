"""MD4 and the inner state of MD5: what old schemes of passwords are made of and hashlib does not give.

MD4 (RFC 1320) has left OpenSSL's default; {CRAM-MD5} is what MD5 (RFC 1321) has in its registers after the first block
of an HMAC (RFC 2104), which no library shows. Both are too weak for anything but to check what old sites still have.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable

_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_ALL = 0xFFFFFFFF
_SINES = [int(abs(math.sin(i + 1)) * (1 << 32)) & _ALL for i in range(64)]
_MD5_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_MD5_ORDERS = ((1, 0), (5, 1), (3, 5), (7, 0))  # factor and offset of the word that a step takes
_MD4_SHIFTS = ((3, 7, 11, 19), (3, 5, 9, 13), (3, 9, 11, 15))
_MD4_ORDERS = (
    range(16),
    (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
    (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
)
_MD4_SUMS = (0, 0x5A827999, 0x6ED9EBA1)

_State = tuple[int, int, int, int]
_Mix = Callable[[int, int, int], int]


def _choose(x: int, y: int, z: int) -> int:
    return (x & y) | (~x & z)


def _parity(x: int, y: int, z: int) -> int:
    return x ^ y ^ z


_MD5_MIXES: tuple[_Mix, ...] = (
    _choose,
    lambda x, y, z: (x & z) | (y & ~z),
    _parity,
    lambda x, y, z: y ^ (x | (~z & _ALL)),
)
_MD4_MIXES: tuple[_Mix, ...] = (_choose, lambda x, y, z: (x & y) | (x & z) | (y & z), _parity)


def md4(data: bytes) -> bytes:
    """RFC 1320."""
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack("<Q", len(data) * 8)
    state: _State = _START
    for at in range(0, len(padded), 64):
        state = _md4_block(state, padded[at : at + 64])
    return struct.pack("<4I", *state)


def hmac_md5_states(key: bytes) -> bytes:
    """The outer and the inner state of HMAC-MD5 with that key, 16 octets each: what {CRAM-MD5} keeps."""
    if len(key) > 64:
        key = hashlib.md5(key, usedforsecurity=False).digest()
    key = key.ljust(64, b"\0")
    states = (_md5_block(_START, bytes(octet ^ pad for octet in key)) for pad in (0x5C, 0x36))
    return b"".join(struct.pack("<4I", *state) for state in states)


def _md5_block(state: _State, block: bytes) -> _State:
    words = struct.unpack("<16I", block)
    a, b, c, d = state
    for step in range(64):
        turn, place = divmod(step, 16)
        factor, offset = _MD5_ORDERS[turn]
        total = a + _MD5_MIXES[turn](b, c, d) + words[(factor * place + offset) % 16] + _SINES[step]
        a, d, c, b = d, c, b, (b + _rolled(total, _MD5_SHIFTS[turn][place % 4])) & _ALL
    return _added(state, (a, b, c, d))


def _md4_block(state: _State, block: bytes) -> _State:
    words = struct.unpack("<16I", block)
    a, b, c, d = state
    for step in range(48):
        turn, place = divmod(step, 16)
        total = a + _MD4_MIXES[turn](b, c, d) + words[_MD4_ORDERS[turn][place]] + _MD4_SUMS[turn]
        a, d, c, b = d, c, b, _rolled(total, _MD4_SHIFTS[turn][place % 4])
    return _added(state, (a, b, c, d))


def _rolled(number: int, by: int) -> int:
    number &= _ALL
    return ((number << by) | (number >> (32 - by))) & _ALL


def _added(one: _State, other: _State) -> _State:
    a, b, c, d = ((x + y) & _ALL for x, y in zip(one, other, strict=True))
    return a, b, c, d
