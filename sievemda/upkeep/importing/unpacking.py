"""Files that may be compressed: by their first octets, whatever they are called."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from sievemda.errors import StoreTrouble
from sievemda.given import open_given

_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
_BEGINNING = 4096  # octets
BLOCK = 1 << 20
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
        with _copied(lambda spool: shutil.copyfileobj(file, spool, BLOCK)) as (spool, _), seekable(spool) as found:
            yield found
        return
    content = unpacked(file)
    if content is file:
        yield file, ""
        return
    with _copied(partial(_copy, content)) as found:
        yield found


@contextmanager
def _copied(copy: Callable[[BinaryIO], str | None]) -> Iterator[tuple[BinaryIO, str]]:
    """A file on disk into which somebody copies, and what he says. StoreTrouble when there is no room for it."""
    spool = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed in the end
    try:
        try:
            said = copy(spool)
            spool.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            place = tempfile.gettempdir()
            raise StoreTrouble(
                f"no room for a copy in {place}: TMPDIR in the environment names another place"
            ) from error
        spool.seek(0)
        yield spool, said or ""
    finally:
        with suppress(OSError):  # it tries again to write what there was no room for
            spool.close()


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    while True:
        try:
            piece = cast("Any", source).read1(BLOCK)  # what there is before a damage
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            return f"cannot be unpacked to its end: {error}"
        if not piece:
            return ""
        target.write(piece)
