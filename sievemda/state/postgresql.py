"""A PostgreSQL database, for several nodes that share their users. Needs `sievemda[postgresql]`, which is psycopg.

Why psycopg: it is libpq's own client, with its services, certificates, `~/.pgpass` and lists of hosts. Its connections
end, a silent server's too: within seconds to connect, and within seconds for a statement.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sievemda.errors import ConfigurationError, SievemdaError, TemporaryTrouble
from sievemda.state.credentials import Connection, Cursor, Values, prepare

if TYPE_CHECKING:
    import psycopg

_PATIENCE = 5  # seconds for a connection, and for a statement
_NAMED = re.compile(r":([a-z]+)\b")
_LOCK = 5804_4616  # of those who make the tables at once; any number will do that nobody else locks in this database
_THERE = "SELECT to_regclass('credential'), to_regclass('secret')"


class Postgresql:
    """The database of a connection URI."""

    def __init__(self, uri: str) -> None:
        self._options = _options(uri)
        self._place = f"database {self._options.get('dbname', '')} at {self._options.get('host', 'the local socket')}"
        self._prepared = False
        self._preparing = threading.Lock()

    def exist(self) -> bool:
        return True

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        import psycopg  # noqa: PLC0415 - as said

        try:
            with psycopg.connect(**self._options) as connection:
                self._prepare(connection)
                yield _Translating(connection)
        except SievemdaError:
            raise
        except (psycopg.Error, OSError, UnicodeError) as e:
            raise TemporaryTrouble(f"the credentials in {self._place} cannot be used: {_one_line(e)}") from e

    def _prepare(self, connection: psycopg.Connection[Any]) -> None:
        """Makes what is missing, once; a user of the database who may not make tables can use those that are there."""
        with self._preparing:
            if self._prepared:
                return
            with connection.transaction():
                if None in (connection.execute(_THERE).fetchone() or (None,)):
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                    prepare(_Translating(connection))
            connection.commit()
            self._prepared = True


class _Translating:
    """Statements with `:name` for psycopg, which writes that `%(name)s`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Values, /) -> Cursor:
        return self._connection.execute(_NAMED.sub(r"%(\1)s", statement).encode(), dict(values))


def _options(uri: str) -> dict[str, Any]:
    """How to connect. ConfigurationError for what is no connection string, or when psycopg is missing."""
    try:
        from psycopg import Error  # noqa: PLC0415 - as above
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError as e:
        raise ConfigurationError(f"auth.auth_database: pip install 'sievemda[postgresql]' ({e})") from e
    try:
        given: Mapping[str, Any] = conninfo_to_dict(uri)
    except Error:  # its text repeats what was given, in which there may be a password
        raise ConfigurationError("auth.auth_database: it is no postgresql://USER@HOST/DATABASE") from None
    limits = f"-c statement_timeout={_PATIENCE * 1000}"
    usual = {
        "connect_timeout": _PATIENCE, "tcp_user_timeout": _PATIENCE * 1000, "application_name": "sievemda",
    }  # fmt: skip
    return {**usual, **given, "options": f"{limits} {given.get('options') or ''}".strip()}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
