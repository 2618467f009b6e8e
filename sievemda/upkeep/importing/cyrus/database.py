r"""The databases in which Cyrus keeps mailbox lists and seen states: twoskip, skiplist and flat files, read only.

Twoskip is a list of records that are found by their offsets: `+` level keylen vallen pointers checksums key value, the
first two pointers being two versions of the next record on the lowest level, of which the larger counts that lies
within the file's committed size; `-` stands in the place of records that were deleted and points to the next one.
Skiplist is a sorted part and a log behind it: INORDER and ADD records bring a key, DELETE takes the record at an offset
away. A flat file has lines `KEY<TAB>VALUE`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from sievemda.errors import DataError
from sievemda.given import read_given

_TWOSKIP = b"\xa1\x02\x8b\x0dtwoskip file\0\0\0\0"
_SKIPLIST = b"\xa1\x02\x8b\x0dskiplist file\0\0\0"
_HEAD = 0x40  # where the first record of a twoskip file is, which has no key
_LARGEST = 1 << 30  # octets
_INORDER, _ADD, _DELETE, _COMMIT, _DUMMY = 1, 2, 4, 255, 257


def read(path: Path) -> dict[bytes, bytes]:
    """What a database has, by key. DataError when it is none or damaged; OSError."""
    content = read_given(path, _LARGEST)
    try:
        if content.startswith(_TWOSKIP):
            return dict(_twoskip(content))
        if content.startswith(_SKIPLIST):
            return _skiplist(content)
        return dict(_flat(content))
    except (struct.error, IndexError, ValueError) as error:
        raise DataError(f"{path} is damaged or no database of Cyrus: {error}") from error


def _flat(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if content and b"\t" not in content[: 1 << 16]:
        raise ValueError("neither twoskip nor skiplist nor a flat file")
    for line in content.split(b"\n"):
        key, tab, value = line.partition(b"\t")
        if tab:
            yield key, value


# -- twoskip -----------------------------------------------------------------------------------------------------------


def _twoskip(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    (end,) = struct.unpack_from(">Q", content, 0x30)
    if end > len(content):
        raise ValueError("it is cut short")
    at = _next(content, _HEAD, end)
    for _ in range(end // 24):
        if not at:
            return
        if content[at : at + 1] == b"-":
            (at,) = struct.unpack_from(">Q", content, at + 8)
            continue
        key, value = _record(content, at)
        yield key, value
        at = _next(content, at, end)
    raise ValueError("its records go in circles")


def _layout(content: bytes, at: int) -> tuple[int, int, int, int]:
    """Where the pointers of a record are, their number, and the lengths of key and value."""
    kind, level, key, value = struct.unpack_from(">cBHI", content, at)
    if kind not in (b"+", b"="):
        raise ValueError(f"there is no record at {at}")
    pointers = at + 8
    if key == 0xFFFF:
        (key,) = struct.unpack_from(">Q", content, pointers)
        pointers += 8
    if value == 0xFFFFFFFF:
        (value,) = struct.unpack_from(">Q", content, pointers)
        pointers += 8
    return pointers, level + 1, key, value


def _next(content: bytes, at: int, end: int) -> int:
    """The record behind this one; 0 at the end."""
    pointers, _, _, _ = _layout(content, at)
    first, second = struct.unpack_from(">QQ", content, pointers)
    return max((where for where in (first, second) if where < end), default=0)


def _record(content: bytes, at: int) -> tuple[bytes, bytes]:
    pointers, number, key, value = _layout(content, at)
    start = pointers + 8 * number + 8
    if start + key + value > len(content):
        raise ValueError("it is cut short")
    return content[start : start + key], content[start + key : start + key + value]


# -- skiplist ----------------------------------------------------------------------------------------------------------


def _skiplist(content: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    keys: dict[int, bytes] = {}  # by the offsets of their records
    at = 0x30
    while at + 4 <= len(content):
        (kind,) = struct.unpack_from(">I", content, at)
        if kind in (_INORDER, _ADD, _DUMMY):
            key, value, behind = _entry(content, at)
            if kind != _DUMMY:
                found[key] = value
                keys[at] = key
            at = behind
        elif kind == _DELETE:
            (gone,) = struct.unpack_from(">I", content, at + 4)
            found.pop(keys.get(gone, b""), None)
            at += 8
        elif kind == _COMMIT:
            at += 4
        else:
            raise ValueError(f"there is no record at {at}")
    return found


def _entry(content: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Key and value of a record, and where it ends: behind the pointers, of which the last is -1."""
    (length,) = struct.unpack_from(">I", content, at + 4)
    start = at + 8
    key = content[start : start + length]
    start += _padded(length)
    (length,) = struct.unpack_from(">I", content, start)
    value = content[start + 4 : start + 4 + length]
    start += 4 + _padded(length)
    end = start
    while content[end : end + 4] != b"\xff\xff\xff\xff":
        end += 4
        if end >= len(content):
            raise ValueError("it is cut short")
    return key, value, end + 4


def _padded(length: int) -> int:
    return (length + 3) & ~3
