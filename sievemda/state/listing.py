"""Lists in a database of the site (RFC 6134), asked with statements that the site has written.

In a statement `{values}` stands for the values that are looked up, all in one question, and `{user}`, `{local}`,
`{domain}` for the owner. What they stand for is bound as parameters, never written into the statement. The first
column of each row is a member.

Why a connection for each question: a question comes once a message at most, and opening an SQLite file takes 100 us;
nothing is held open, no lock is kept, and a file that was replaced is the one that is read.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sievemda.errors import DataError, TemporaryTrouble

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MOMENTARY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
}
_STEPS = 10_000  # instructions of the database between two looks at the clock
MAX_ROWS = 100_000


def rows(path: Path, statement: str, values: Sequence[str], owner: Mapping[str, str], patience: float) -> list[str]:
    """The members that the statement finds.

    Raises TemporaryTrouble when somebody else holds the database, or the disk fails: later it may be another answer.
    Raises DataError for all else: no such database, a wrong statement, or one that takes longer than `patience`.
    """
    marked, bound = _bind(statement, values, owner)
    give_up = time.monotonic() + patience
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=patience)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > give_up, _STEPS)
            found = connection.execute(marked, bound).fetchmany(MAX_ROWS + 1)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as e:
        momentary = getattr(e, "sqlite_errorcode", 0) & 0xFF in _MOMENTARY
        raise (TemporaryTrouble if momentary else DataError)(f"{path}: {e}") from e
    if len(found) > MAX_ROWS:
        raise DataError(f"{path}: more than {MAX_ROWS} members")
    return [str(row[0]) for row in found if row[0] is not None]


def _bind(statement: str, values: Sequence[str], owner: Mapping[str, str]) -> tuple[str, list[str]]:
    """The statement with a question mark for each parameter, and the parameters in order."""
    bound: list[str] = []

    def mark(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name != "values" and name not in owner:
            raise DataError(f"unknown placeholder {{{name}}} in the statement of a list")
        given = [_text(value) for value in (values if name == "values" else [owner[name]])]
        bound.extend(given)
        return ", ".join("?" * len(given))

    return _PLACEHOLDER.sub(mark, statement), bound


def _text(value: str) -> str:
    """What a database takes as text: octets that are no UTF-8 are in no list."""
    return value.encode("utf-8", "replace").decode()
