"""The journal: for each recipient of each delivery, what was decided, done and not done, and why.

It has a file of its own, so that its size and its troubles never touch the delivery memory. A journal that fails
changes nothing about a delivery: the failure is logged, once a minute at most, and the entry is lost.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sievemda.errors import TemporaryTrouble
from sievemda.state import statements
from sievemda.state.sqlite import Database

log = logging.getLogger(__name__)

Entry = Mapping[str, Any]  # with "id", "time" (seconds since 1970) and "message_id" at least
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_QUIET = 60.0  # seconds between two complaints


class Journal:
    def __init__(self, path: Path, *, only_read: bool = False) -> None:
        """`only_read`: for who counts and shows; nothing beside the file is made."""
        self._database = Database(path, statements.JOURNAL_SCHEMA, only_read=only_read)
        self._complained = float("-inf")

    def record(self, *entries: Entry) -> None:
        """Write entries in one transaction. Never raises."""
        if not entries:
            return
        try:
            self._database.write(statements.RECORD, [_row(entry) for entry in entries])
        except (TemporaryTrouble, TypeError, ValueError) as e:
            if time.monotonic() - self._complained > _QUIET:
                self._complained = time.monotonic()
                log.error("journal: not written: %s", e)  # noqa: TRY400 - the text says all

    def find(self, wanted: str) -> list[dict[str, Any]]:
        """The entries of a Message-ID, with or without its brackets, or of a journal id; raises TemporaryTrouble."""
        wanted = wanted.encode("utf-8", "replace").decode()
        values = {"text": wanted, "bracketed": f"<{wanted}>"}
        return [json.loads(str(row[0])) for row in self._database.read(statements.FIND, values)]

    def prune(self, before: float) -> int:
        """Drop entries up to that instant; returns how many. Raises TemporaryTrouble."""
        return self._database.write_until_done(statements.PRUNE_JOURNAL, {"before": int(before)})

    def expired(self, before: float) -> int:
        """How many entries `prune` would drop."""
        return int(str(self._database.read(statements.COUNT_JOURNAL, {"before": int(before)})[0][0]))

    def close(self) -> None:
        self._database.close()


def _row(entry: Entry) -> dict[str, object]:
    text = _encode(entry)
    return {
        "id": entry["id"],
        "instant": int(entry["time"]),
        "message_id": entry["message_id"],
        "entry": text.encode("utf-8", "backslashreplace").decode(),
    }
