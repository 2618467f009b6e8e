"""Rows of octets in order, however many: sorted in memory while they are few, else by way of temporary files.

Why not a data base: rows are written once and read once, from the first to the last; merging sorted files does that in
memory that does not grow with their number. The files have no name (TMPDIR says where they are), so that nothing stays
of a run that was killed.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import IO

_IN_MEMORY = 16 * 1024 * 1024  # octets of rows; Python needs a few times as much for them
_FILES = 64  # that are merged at once


def sorted_rows(rows: Iterable[bytes], in_memory: int = _IN_MEMORY) -> Generator[bytes]:
    """Rows, which have no line feed in them, in the order of their octets. OSError when there is no room for them."""
    with ExitStack() as opened:
        runs: list[IO[bytes]] = []
        held: list[bytes] = []
        size = 0
        for row in rows:
            held.append(row)
            size += len(row)
            if size > in_memory:
                runs.append(opened.enter_context(_written(sorted(held))))
                held, size = [], 0
                if len(runs) == _FILES:
                    runs = [opened.enter_context(_written(_merged(runs)))]
        held.sort()
        if not runs:
            yield from held
            return
        yield from heapq.merge(_merged(runs), held)


def _written(rows: Iterable[bytes]) -> IO[bytes]:
    file = tempfile.TemporaryFile("w+b", prefix="sievemda.")  # noqa: SIM115 - who reads it closes it
    try:
        for row in rows:
            file.write(row + b"\n")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _merged(runs: list[IO[bytes]]) -> Iterator[bytes]:
    """The rows of sorted files, which are closed at their end."""
    yield from heapq.merge(*map(_lines, runs))


def _lines(run: IO[bytes]) -> Iterator[bytes]:
    with run:
        for line in run:
            yield line[:-1]
