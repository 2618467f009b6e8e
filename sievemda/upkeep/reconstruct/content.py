"""What a file is by how it begins: a message, or one that a reader has compressed or encrypted."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from sievemda.upkeep.reconstruct.message_names import Name

_HEAD = 64 * 1024  # octets in which the header of a message must have its end, or nothing else than a header
_PACKED = (
    b"\x1f\x8b",  # gzip
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"Dovecot-LZ4\x0d\x2a\x9b\xc5",
    b"CRYPTED\x03\x07",  # mail_crypt
)
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_TELLING = re.compile(
    rb"^(from|date|message-id|received|return-path|subject|to|mime-version|delivered-to)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)


def _beginning(path: Path, octets: int) -> bytes:
    """OSError for what is not a regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(fd, octets) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)


def is_packed(path: Path, name: Name) -> bool:
    """Whether a reader has compressed or encrypted it: `S=` is then what it was before. OSError."""
    return "Z" in name.letters or _beginning(path, 16).startswith(_PACKED)


def is_whole(path: Path) -> bool:
    """Whether it can only be a message: a header with a field that messages have, and the end of the header."""
    try:
        head = _beginning(path, _HEAD).replace(b"\r\n", b"\n")
    except OSError:
        return False
    header, end, _ = head.partition(b"\n\n")
    lines = [line for line in header.split(b"\n") if line[:1] not in (b" ", b"\t")]
    return bool(end and _TELLING.search(header)) and all(_FIELD.match(line) for line in lines)
