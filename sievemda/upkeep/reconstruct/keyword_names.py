"""The names of keywords that `dovecot-keywords` has lost, from the log of Dovecot's index: who has which by UID.

A record of `dovecot.index.log` is its length in words of four octets (four octets of seven bits, the highest first,
each with its top bit set), its type (32 bits, the lowest octet first), and what it says; that of keywords: 0 to add or
1 to remove, an octet, the length of the name (16 bits), the name, zeros to a multiple of four, pairs of first and last
UID (32 bits). Found by looking at what Dovecot 2.3.19 writes.

Why only exactly the same messages will do: a wrong name is worse than none. Of two keywords that the same messages have
it makes no difference which letter is whose.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from sievemda.store.files import read_control_file
from sievemda.store.keywords import is_keyword

_LOGS = ("dovecot.index.log.2", "dovecot.index.log")  # the older one first
_KEYWORDS = 0x400
_ADD, _REMOVE = 0, 1


def names(folder: Path, uids: Mapping[str, Collection[int]], present: Collection[int]) -> dict[str, str]:
    """Keywords by letters, as far as they are certain. `uids` of messages that have a letter, of all `present`."""
    known: dict[str, set[int]] = {}
    for log in _LOGS:
        try:
            content = read_control_file(folder / log) or b""
        except OSError:
            continue
        for what, name, first, last in _changes(content):
            had = known.setdefault(name, set())
            met = {uid for uid in present if first <= uid <= last}
            known[name] = had | met if what == _ADD else had - met
    found: dict[str, str] = {}
    for letter, has in sorted(uids.items()):
        for name, met in known.items():
            if has and met == set(has) and name not in found.values():
                found[letter] = name
                break
    return found


def _changes(content: bytes) -> Iterator[tuple[int, str, int, int]]:
    """What a log says of keywords, in its order: what, which, first and last UID. It ends where it is broken."""
    if len(content) < 4:
        return
    at = int.from_bytes(content[2:4], "little")
    while at + 8 <= len(content):
        size = 0
        for octet in content[at : at + 4]:
            size = size << 7 | octet & 0x7F
        size *= 4
        if size < 8 or at + size > len(content):
            return
        (kind,) = struct.unpack_from("<I", content, at + 4)
        if kind & 0xFFFF == _KEYWORDS:
            yield from _record(content[at + 8 : at + size])
        at += size


def _record(said: bytes) -> Iterator[tuple[int, str, int, int]]:
    if len(said) < 4:
        return
    what, length = said[0], int.from_bytes(said[2:4], "little")
    name = said[4 : 4 + length].decode("ascii", "replace")
    start = 4 + (length + 3) // 4 * 4
    if what not in (_ADD, _REMOVE) or not is_keyword(name):
        return
    for at in range(start, len(said) - 7, 8):
        first, last = struct.unpack_from("<II", said, at)
        yield what, name, first, last
