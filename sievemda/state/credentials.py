"""What is kept to recognise users: one row per user and kind of credential, in SQLite or PostgreSQL.

A `kind` is a password hash (`argon2id`) or the name of a SCRAM mechanism; `value` is text that only `auth` reads.
So a new mechanism is a new kind, not a new column. One secret of the site, made with the tables, lets `auth` invent
lasting look-alike credentials for users that do not exist.

Why a connection per question: questions are rare (one or two a login), and nothing is then shared between threads
or held over a fork.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble
from sievemda.state import statements

MARK = "accounts.there"  # in the data directory
_PATIENCE = 5.0  # seconds to wait for another writer

Values = Mapping[str, object]


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> Sequence[tuple[Any, ...]]: ...


class Connection(Protocol):
    """One transaction, in which statements with named values (`:name`) run."""

    def execute(self, statement: str, values: Values, /) -> Cursor: ...


class Tables(Protocol):
    """A database that has the tables of `statements.CREDENTIALS_SCHEMA`, and makes them at its first use."""

    def exist(self) -> bool:
        """Whether there is anything to be read without making it."""
        ...

    def transaction(self) -> AbstractContextManager[Connection]:
        """Committed at the end. Raises TemporaryTrouble when the database cannot be used."""
        ...


def credentials_of(settings: Settings) -> Credentials:
    """The table that the settings name."""
    if not settings.auth.auth_database:
        return Credentials(SqliteFile(settings.accounts_path, settings.data / MARK))
    from sievemda.state.postgresql import Postgresql  # noqa: PLC0415 - only who uses it needs to have it

    return Credentials(Postgresql(settings.auth.auth_database))


class Credentials:
    """The tables of a database, or of the SQLite file at a path. Methods raise TemporaryTrouble when it fails."""

    def __init__(self, place: Path | Tables) -> None:
        self._tables: Tables = SqliteFile(place) if isinstance(place, Path) else place

    def find(self, userid: str, kind: str) -> str | None:
        """The value of that kind for that user. Makes no file."""
        rows = self._asked(statements.CREDENTIAL, userid=userid, kind=kind)
        return str(rows[0][0]) if rows else None

    def changed(self, userid: str) -> int | None:
        """When the user got his credentials, in seconds since 1970; None when he has none. Makes no file."""
        rows = self._asked(statements.CREDENTIALS_CHANGED, userid=userid)
        return rows[0][0] if rows else None

    def of(self, userid: str) -> dict[str, str]:
        """Kind to value of all that is kept for a user. Makes no file."""
        return dict(self._asked(statements.CREDENTIALS_OF, userid=userid))

    def all(self) -> dict[str, int]:
        """Everybody who has credentials, sorted, and since when. Makes no file."""
        return dict(sorted(self._asked(statements.ALL_CREDENTIALS)))

    def somebody(self, kind: str, near: str) -> str | None:
        """The value of that kind of the first user whose name is not before `near`; None when there is none."""
        rows = self._asked(statements.CREDENTIALS_SOMEBODY, kind=kind, near=near)
        return str(rows[0][0]) if rows else None

    def _asked(self, statement: str, **values: str) -> list[tuple[Any, ...]]:
        if not self._tables.exist() or not all(map(_can_be_kept, values.values())):
            return []
        with self._tables.transaction() as connection:
            return list(connection.execute(statement, values).fetchall())

    def rename(self, old: str, new: str) -> None:
        """Give the credentials of a user to another name, in place of what that had; nothing when there are none."""
        if not self._tables.exist():
            return
        with self._tables.transaction() as connection:
            if connection.execute(statements.CREDENTIALS_CHANGED, {"userid": old}).fetchall()[0][0] is not None:
                connection.execute(statements.FORGET_CREDENTIALS, {"userid": new})
                connection.execute(statements.RENAME_CREDENTIALS, {"old": old, "new": new})

    def replace(self, userid: str, values: Mapping[str, str]) -> bool:
        """Keep these kinds and no others for the user, at once; none at all takes his access away.

        Says whether he had any before.
        """
        with self._tables.transaction() as connection:
            had = connection.execute(statements.FORGET_CREDENTIALS, {"userid": userid}).rowcount > 0
            for kind, value in values.items():
                row = {"userid": userid, "kind": kind, "value": value, "changed": int(time.time())}
                connection.execute(statements.KEEP_CREDENTIAL, row)
        return had

    def add(self, userid: str, values: Mapping[str, str], known: str, as_before: str) -> None:
        """Keep more kinds for a user, unless what he has of the kind `known` is another value meanwhile, or none."""
        with self._tables.transaction() as connection:
            for kind, value in values.items():
                row = {"userid": userid, "kind": kind, "value": value, "known": known, "as_before": as_before}
                connection.execute(statements.ADD_CREDENTIAL, row)

    def secret(self) -> bytes:
        """The secret of this site: 32 octets that never change."""
        with self._tables.transaction() as connection:
            return bytes.fromhex(connection.execute(statements.SITE, {}).fetchall()[0][0])


def prepare(connection: Connection) -> None:
    """Make the tables, and the secret, inside a transaction that nobody else makes them in."""
    for statement in statements.CREDENTIALS_SCHEMA:
        connection.execute(statement, {})
    connection.execute(statements.KEEP_SITE, {"value": secrets.token_hex(32)})


class SqliteFile:
    """The file, made when it is missing; but one that was there, and is gone, is trouble, and nobody's absence.

    One that is empty is as good as none: that is what a crash of the machine or a full disk may leave of it.

    That it was there is known to a process that has seen it, and to all others by `mark`: a file that is made with it
    and stays when it goes.

    Why a mark, and not the mailboxes: a site may have mailboxes and no password here (its users are PAM's, or get one
    later), and must not be told of a loss that there was none of. Why in the data directory and not beside the file:
    `state` may be a disk of its own, or be removed as a whole. Why an empty file and no count of users: who takes the
    last password away has a database still, and what an older copy of the site brings back fits it as well. With
    PostgreSQL there is none: a server whose disk is away does not answer, which is trouble already.
    """

    def __init__(self, path: Path, mark: Path | None = None) -> None:
        self._path = path
        self._mark = mark
        self._marked = mark is None
        self._seen = False
        with suppress(OSError):  # whoever asks is told
            self._seen = self._is_filled() or self._leads_nowhere()

    def exist(self) -> bool:
        try:
            there = self._is_filled()
            missed = not there and (self._seen or self._leads_nowhere() or self._was_there())
            if missed:  # unless somebody has made it meanwhile
                there = self._is_filled()
                missed = not there
        except OSError as e:
            raise TemporaryTrouble(f"the credentials in {self._path} cannot be used: {e}") from e
        if missed:
            anew = f" (or remove {self._mark}, if all users are to get new ones)" if self._mark else ""
            raise TemporaryTrouble(f"the credentials in {self._path} are gone: bring the file back{anew}")
        self._seen = there
        return there

    def _is_filled(self) -> bool:
        return self._path.exists() and self._path.stat().st_size > 0

    def _leads_nowhere(self) -> bool:
        """Whether it is a link to a disk that is away."""
        return os.path.lexists(self._path) and not self._path.exists()

    def _was_there(self) -> bool:
        return self._mark is not None and self._mark.exists()

    def _set_mark(self) -> None:
        """Of a database that is older than its mark, too. A program that may only read marks nothing."""
        if self._mark is not None and not self._marked:
            with suppress(OSError):
                os.close(os.open(self._mark, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
                self._marked = True

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        try:
            if new := not self.exist():
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as connection:
                if new or not connection.execute("PRAGMA schema_version").fetchone()[0]:
                    with connection:
                        connection.execute("BEGIN IMMEDIATE")
                        prepare(connection)
                self._seen = True
                self._set_mark()
                with connection:
                    yield connection
        except (sqlite3.Error, OSError) as e:
            raise TemporaryTrouble(f"the credentials in {self._path} cannot be used: {e}") from e


def _can_be_kept(text: str) -> bool:
    """Whether every database takes it as text; a user called otherwise is in none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
