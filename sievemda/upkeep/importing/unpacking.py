"""Files that may be compressed: by their first octets, whatever they are called."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from sievemda.given import open_given

_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_BEGINNING = 4096  # octets
BLOCK = 1 << 20
_SMALL = 1 << 13  # octets unpacked at once: so many of them may get lost before a damage
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, OSError)  # of bz2 and gzip it is an OSError without a number


def beginning_of(path: Path) -> bytes:
    """The first octets of a file, unpacked; nothing when they cannot be. OSError."""
    with open_given(path) as file:
        try:
            return unpacked(file).read(_BEGINNING)
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            return b""


def unpacked(file: BinaryIO) -> BinaryIO:
    """The same file, or what gives its content when it is compressed. It must be one that can be sought in."""
    start = file.read(8)
    file.seek(0)
    if start.startswith(_MAGIC[0]):
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if start.startswith(_MAGIC[1]):
        return cast("BinaryIO", bz2.BZ2File(file))
    return cast("BinaryIO", lzma.LZMAFile(file)) if start.startswith(_MAGIC[2]) else file


@contextmanager
def seekable(file: BinaryIO) -> Iterator[tuple[BinaryIO, str]]:
    """A file on disk that can be sought in with the same content, unpacked, and what went wrong while it was unpacked.

    What a damaged file gives until its damage is there. Why a copy on disk: to seek in a compressed file is to unpack
    it again, and a pipe cannot be sought in at all.
    """
    if not file.seekable():
        with tempfile.TemporaryFile() as spool:
            shutil.copyfileobj(file, spool, BLOCK)
            spool.seek(0)
            with seekable(cast("BinaryIO", spool)) as found:
                yield found
        return
    content = unpacked(file)
    if content is file:
        yield file, ""
        return
    with tempfile.TemporaryFile() as spool:
        problem = _copy(content, cast("BinaryIO", spool))
        spool.seek(0)
        yield cast("BinaryIO", spool), problem


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    while True:
        try:
            piece = source.read(_SMALL)
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            return f"cannot be unpacked to its end: {error}"
        if not piece:
            return ""
        target.write(piece)
