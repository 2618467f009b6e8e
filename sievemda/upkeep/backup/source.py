"""The octets of an archive, compressed or not, from a file or a pipe, in memory that does not grow.

What is compressed is cut into pieces of 1 MiB, each a gzip member of its own (RFC 1952 §2.2), which `gzip` and `tar`
read as one.

Why pieces: one wrong octet in a stream of gzip costs all that follows. So it costs one piece, and reading goes on with
the next, whose beginning can be found.
"""

from __future__ import annotations

import os
import stat
import zlib
from typing import BinaryIO, Protocol

PIECE = 1 << 20  # octets that are compressed together
_BLOCK = 1 << 18
_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31  # zlib's number for the format


class Gap(Exception):
    """Octets are missing here: what was read before and what comes next do not belong together."""


class Sink(Protocol):
    """What an archive is written to."""

    def write(self, block: bytes, /) -> object: ...


class Compressing:
    """Compresses what is written to it, and hands it on."""

    def __init__(self, stream: Sink, level: int = 6) -> None:
        self._stream = stream
        self._level = level
        self._pending = bytearray()

    def write(self, block: bytes) -> None:
        self._pending += block
        while len(self._pending) >= PIECE:
            self._flush(PIECE)

    def finish(self) -> None:
        """What is left goes out. The stream stays open."""
        if self._pending:
            self._flush(len(self._pending))

    def _flush(self, length: int) -> None:
        compressor = zlib.compressobj(self._level, zlib.DEFLATED, _GZIP)
        piece = bytes(self._pending[:length])
        self._stream.write(compressor.compress(piece) + compressor.flush())
        del self._pending[:length]


class Source:
    """Reads the octets of an archive in order. OSError when the stream fails."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0  # in the buffer
        self._begin = 0  # of the buffer, in the archive as it is without compression
        start = _read_some(stream, len(_MAGIC))
        while 0 < len(start) < len(_MAGIC) and (more := _read_some(stream, len(_MAGIC) - len(start))):
            start += more
        self._unpacker = _Unpacker(stream, start) if start == _MAGIC else None
        self._length = None if self._unpacker else _length(stream)
        if not self._unpacker:
            self._buffer = start

    @property
    def offset(self) -> int:
        """How far it has been read, in octets as they are without compression."""
        return self._begin + self._at

    def read(self, most: int) -> bytes:
        """As many octets as there are at once, `most` at most; none at the end. Gap."""
        if self._at == len(self._buffer):
            self._begin, self._at = self.offset, 0
            self._buffer = b""
            self._buffer = self._unpacker.read() if self._unpacker else _read_some(self._stream, _BLOCK)
        block = self._buffer[self._at : self._at + most]
        self._at += len(block)
        return block

    def exactly(self, length: int) -> bytes:
        """So many octets, fewer only at the end. Gap."""
        block = self.read(length)
        while len(block) < length and (more := self.read(length - len(block))):
            block += more
        return block

    def unread(self, block: bytes) -> None:
        """Give back what was read last."""
        self._buffer = block + self._buffer[self._at :]
        self._begin, self._at = self.offset - len(block), 0

    def skip(self, length: int) -> int:
        """Go over octets: how many there were. Gap."""
        left = length - min(length, len(self._buffer) - self._at)
        if left > _BLOCK and self._length is not None:
            end = min(self._begin + len(self._buffer) + left, self._length)
            done = length - left + end - self._begin - len(self._buffer)
            self._stream.seek(end)
            self._buffer, self._at, self._begin = b"", 0, end
            return done
        done = 0
        while done < length and (block := self.read(min(_BLOCK, length - done))):
            done += len(block)
        return done


class _Unpacker:
    def __init__(self, stream: BinaryIO, start: bytes) -> None:
        self._stream = stream
        self._input = start
        self._engine = zlib.decompressobj(_GZIP)
        self._broken = False

    def read(self) -> bytes:
        """The next octets; none at the end."""
        while True:
            if self._broken and not self._find_next():
                return b""
            block = self._input or _read_some(self._stream, _BLOCK)
            if not block:
                return b""
            try:
                found = self._engine.decompress(block, _BLOCK)
            except zlib.error:
                self._broken = True
                self._input = block[1:] if block.startswith(_MAGIC) else block
                raise Gap from None
            self._input = self._engine.unused_data or self._engine.unconsumed_tail
            if self._engine.eof:
                self._engine = zlib.decompressobj(_GZIP)
                self._input = self._input.lstrip(b"\0") if not found else self._input
            if found:
                return found

    def _find_next(self) -> bool:
        """Go on where a piece may begin; False: there is none."""
        block = self._input
        while (at := block.find(_MAGIC)) < 0:
            more = _read_some(self._stream, _BLOCK)
            if not more:
                return False
            block = block[-2:] + more
        self._input, self._engine, self._broken = block[at:], zlib.decompressobj(_GZIP), False
        return True


def _read_some(stream: BinaryIO, most: int) -> bytes:
    """What is there, up to so many octets: of a pipe not more than somebody has written."""
    read = getattr(stream, "read1", stream.read)
    block: bytes = read(most)
    return block or b""


def _length(stream: BinaryIO) -> int | None:
    """The octets of a file that can be positioned in; None for a pipe."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) and stream.tell() == len(_MAGIC) else None
