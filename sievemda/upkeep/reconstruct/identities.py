"""Mailbox identifiers that two have, as after a folder was copied: the copy gets one of its own (RFC 8474 §4).

Why the younger one is the copy: its mark `maildirfolder`, which nobody ever writes again, came to be there later. The
time of last change of a file cannot be set, so that copying does not keep it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store import record
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox


class Identities:
    """Those that have been met in a run, each with where."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Path]] = {}

    def meet(self, work: Work, mailbox: Mailbox, shown: str) -> None:
        """Give the younger of two a new one."""
        records = mailbox.store.records
        identity = records.get(mailbox.path).id
        if not identity:
            return
        other = self._known.setdefault(identity, (shown, mailbox.path))
        if other[1] == mailbox.path or records.get(other[1]).id != identity:
            return
        copy, original = sorted([(shown, mailbox.path), other], key=lambda one: _born(one[1]), reverse=True)
        self._known[identity] = original
        what = f"its identifier is that of {original[0]}, of which it is a copy"
        path = copy[1] / record.FILE_NAME
        work.mend(copy[0], "id", path, what, "given one of its own", lambda: _renew(records, copy[1], identity))


def _renew(records: record.Records, folder: Path, old: str) -> None:
    if records.get(folder).id == old:
        records.change(folder, id=record.new_id())


def _born(folder: Path) -> int:
    for name in ("maildirfolder", record.FILE_NAME):
        try:
            return os.lstat(folder / name).st_ctime_ns
        except OSError:
            continue
    return 0
