"""What is kept to recognise users: `accounts.db`, one row per user and kind of credential.

A `kind` is a password hash (`argon2id`) or the name of a SCRAM mechanism; `value` is text that only `auth` reads.
So a new mechanism is a new kind, not a new column. One secret of the site, made with the file, lets `auth` invent
lasting look-alike credentials for users that do not exist.

Why a connection per question: questions are rare (one or two a login), and nothing is then shared between threads
or held over a fork. The SQL is portable but for its placeholders.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sievemda.errors import TemporaryTrouble

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS credential (
        userid TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, changed BIGINT NOT NULL,
        PRIMARY KEY (userid, kind))""",
    "CREATE TABLE IF NOT EXISTS secret (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
)
_KEEP_SITE = "INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
_SITE = "SELECT value FROM secret WHERE name = ?"
_FIND = "SELECT value FROM credential WHERE userid = ? AND kind = ?"
_OF = "SELECT kind, value FROM credential WHERE userid = ?"
_CHANGED = "SELECT max(changed) FROM credential WHERE userid = ?"
_RENAME = "UPDATE credential SET userid = ? WHERE userid = ?"
_ALL = "SELECT userid, max(changed) FROM credential GROUP BY userid ORDER BY userid"
_FORGET = "DELETE FROM credential WHERE userid = ?"
_REMEMBER = "INSERT INTO credential (userid, kind, value, changed) VALUES (?, ?, ?, ?)"

_PATIENCE = 5.0  # seconds to wait for another writer


class Credentials:
    """The table at `path`, made when it is missing. Every method raises TemporaryTrouble when it cannot answer."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, userid: str, kind: str) -> str | None:
        """The value of that kind for that user."""
        with self._connection() as connection:
            row = connection.execute(_FIND, (userid, kind)).fetchone()
        return None if row is None else str(row[0])

    def changed(self, userid: str) -> int | None:
        """When the user got his credentials, in seconds since 1970; None when he has none. Makes no file."""
        return self._asked(_CHANGED, (userid,))[0][0] if self._path.exists() else None

    def of(self, userid: str) -> dict[str, str]:
        """Kind to value of all that is kept for a user. Makes no file."""
        return dict(self._asked(_OF, (userid,))) if self._path.exists() else {}

    def all(self) -> dict[str, int]:
        """Everybody who has credentials, sorted, and since when. Makes no file."""
        return dict(self._asked(_ALL, ())) if self._path.exists() else {}

    def _asked(self, statement: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    def rename(self, old: str, new: str) -> None:
        """Give the credentials of a user to another name, in place of what that had; nothing when there are none."""
        if not self._path.exists():
            return
        with self._connection() as connection, connection:
            if connection.execute(_CHANGED, (old,)).fetchone()[0] is not None:
                connection.execute(_FORGET, (new,))
                connection.execute(_RENAME, (new, old))

    def replace(self, userid: str, values: Mapping[str, str]) -> bool:
        """Keep these kinds and no others for the user, at once; none at all takes his access away.

        Says whether he had any before.
        """
        now = int(time.time())
        with self._connection() as connection, connection:
            had = connection.execute(_FORGET, (userid,)).rowcount > 0
            connection.executemany(_REMEMBER, [(userid, kind, value, now) for kind, value in values.items()])
        return had

    def secret(self) -> bytes:
        """The secret of this site: 32 octets that never change."""
        with self._connection() as connection:
            return bytes.fromhex(connection.execute(_SITE, ("site",)).fetchone()[0])

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            new = not self._path.exists()
            if new:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection:
                if new or not connection.execute("PRAGMA schema_version").fetchone()[0]:
                    self._prepare(connection)
                yield connection
        except (sqlite3.Error, OSError) as e:
            raise TemporaryTrouble(f"the credentials in {self._path} cannot be used: {e}") from e

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(_KEEP_SITE, ("site", secrets.token_hex(32)))
