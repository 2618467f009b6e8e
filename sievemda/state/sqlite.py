"""One SQLite file, used by the threads of one process and shared with other processes.

WAL and synchronous=NORMAL: a commit costs no fsync, a crash of the program loses nothing, a crash of the machine can
lose the last commits (an extra copy after the retry of the MTA) but never the file.

Why one connection and a lock for all threads instead of one for each: SQLite lets one write at a time anyway, and
threads that wait for a lock in memory get it at once, while connections that find the file locked sleep and try
again. A file that was removed or replaced (with its `-wal` and `-shm`) while we run is noticed by its inode, and opened
anew. A damaged file is never thrown away or written over: every use of it is TemporaryTrouble until somebody has put it
right.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sievemda.errors import TemporaryTrouble

log = logging.getLogger(__name__)

_BUSY = 5.0  # seconds to wait for another process
_PAUSE = 0.01  # seconds between two tries to open a file that others are just making
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", "PRAGMA wal_autocheckpoint=4000")

_DURABLE = "PRAGMA synchronous=FULL"

Values = Mapping[str, object]
Run = Callable[[str, Values], list[tuple[Any, ...]]]


class Database:
    """Opened at first use, after a fork, and when the file is another one. Every method raises TemporaryTrouble.

    `only_read`: not even a file beside it is made, and none is when it is not there. `durable`: what was written
    outlives a crash of the machine, too, at the price of an fsync each time. `mark`: a file elsewhere that says that
    there has been one: then none is made in its place, nor where one that we had has gone with its directory.
    """

    def __init__(
        self,
        path: Path,
        schema: Sequence[str],
        *,
        only_read: bool = False,
        durable: bool = False,
        mark: Path | None = None,
    ) -> None:
        self._only_read = only_read
        self._mark = mark
        self._had = False
        self._begin = (*_PRAGMAS, _DURABLE) if durable else _PRAGMAS
        self._path = path
        self._schema = schema
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] = (0, 0)
        self._pid = 0

    def read(self, statement: str, values: Values) -> list[tuple[object, ...]]:
        """All rows of a query."""
        with self._use() as connection:
            return connection.execute(statement, values).fetchall()

    def write(self, statement: str, rows: Iterable[Values]) -> int:
        """Run one statement for each row, in one transaction; returns how many rows of the table it touched."""
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                touched = connection.executemany(statement, rows).rowcount
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            return touched

    @contextmanager
    def transaction(self) -> Iterator[Run]:
        """Statements of which all take effect or none; called with each of them and its values, it gives the rows."""
        with self._use() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield lambda statement, values: connection.execute(statement, values).fetchall()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def write_until_done(self, statement: str, values: Values) -> int:
        """Run a statement that does its work in slices until it finds nothing; returns how many rows it touched."""
        total = 0
        while touched := self.write(statement, [values]):
            total += touched
        return total

    def close(self) -> None:
        with self._lock:
            self._drop()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._current()
            except (sqlite3.Error, OSError) as e:
                self._drop()
                raise TemporaryTrouble(f"{self._path}: {e}") from e

    def _current(self) -> sqlite3.Connection:
        if self._pid != os.getpid():  # a connection must not be carried over a fork; the parent still has its own
            self._connection = None
        if self._connection is not None and self._identity != self._file():
            log.warning("%s was replaced or removed; opening it again", self._path)
            self._drop()
        if self._connection is None:
            self._connection = self._open()
            self._identity = self._file()
            self._pid = os.getpid()
            self._had = True
        return self._connection

    def _open(self) -> sqlite3.Connection:
        if self._only_read:
            return self._open_to_read()
        if not self._path.exists():
            self._check_new()
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, (*self._begin, *self._schema))
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_new(self) -> None:
        if self._mark is not None and (self._mark.exists() or (self._had and not self._path.parent.exists())):
            raise TemporaryTrouble(f"{self._path} is gone: bring it back, or remove {self._mark} to do without")

    def _open_to_read(self) -> sqlite3.Connection:
        """Without a log beside it nobody has the file open: then SQLite needs no files of its own to read it."""
        how = "mode=ro" if self._path.with_name(f"{self._path.name}-wal").exists() else "mode=ro&immutable=1"
        return sqlite3.connect(
            f"file:{quote(str(self._path))}?{how}",
            uri=True,
            timeout=_BUSY,
            isolation_level=None,
            check_same_thread=False,
        )

    def _file(self) -> tuple[int, int]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return status.st_dev, status.st_ino

    def _drop(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except sqlite3.Error as e:
                log.warning("%s: %s", self._path, e)
            self._connection = None


def _prepare(connection: sqlite3.Connection, statements: Sequence[str]) -> None:
    """Run what a connection begins with.

    Why it is tried again: two processes that turn a new file to WAL at once wait for each other, and SQLite refuses one
    of them then without waiting at all.
    """
    until = time.monotonic() + _BUSY
    while True:
        try:
            for statement in statements:
                connection.execute(statement)
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
        else:
            return
