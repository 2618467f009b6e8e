"""What is in a folder and when it was last used, from one look at its directories; no message is opened.

When somebody used a folder last is evidence, not knowledge. The time in the name of the newest message says when it
came; `new`, `cur` and what an IMAP server keeps beside them change when mail comes, is read, moved or removed. Times of
access are not asked: backups and searches set them, and most file systems are mounted so that they mean little.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sievemda.store.maildir import size_of

# What changes when a folder is used, beside its messages: Dovecot's files, and Courier's.
READERS = (
    "dovecot.index.log", "dovecot.index", "dovecot.index.cache", "dovecot-uidlist", "courierimapuiddb",
    "courierpop3dsizelist",
)  # fmt: skip
_ARRIVAL = re.compile(r"(\d{9,10})\.")


@dataclass(frozen=True, slots=True)
class Census:
    octets: int = 0
    messages: int = 0
    new: int = 0  # that no reader has looked at yet
    unseen: int = 0  # without the flag \Seen, those in `new` among them
    arrived: int = 0  # seconds since 1970: the newest message by its name; 0 when no name says it


@dataclass(frozen=True, slots=True)
class Use:
    """When a folder was last used, in seconds since 1970, and what says so: the name of a file in it."""

    when: float
    evidence: str


def census(folder: Path) -> Census:
    """OSError when a directory cannot be read; one that is missing is empty."""
    octets = messages = new = unseen = arrived = 0
    for part in ("new", "cur"):
        for name, path in _messages(folder, part):
            size = size_of(name, path)
            if size is None:
                continue
            octets += size
            messages += 1
            new += part == "new"
            unseen += part == "new" or "S" not in name.partition(":2,")[2]
            if (found := _ARRIVAL.match(name)) and int(found[1]) > arrived:
                arrived = int(found[1])
    return Census(octets, messages, new, unseen, arrived)


def _messages(folder: Path, part: str) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(f"{folder}/{part}") as found:
            yield from ((entry.name, entry.path) for entry in found if entry.name[0] != ".")
    except (FileNotFoundError, NotADirectoryError):
        return


def last_read(folder: Path) -> Use | None:
    """The latest trace of a reader: what IMAP and POP servers keep, and `cur`, where messages go that were seen."""
    return _latest(folder, (*READERS, "cur"))


def last_use(folder: Path) -> Use | None:
    """The latest trace of anybody, deliveries among them; that the folder was made is the first."""
    return _latest(folder, (*READERS, "cur", "new"))


def _latest(folder: Path, names: tuple[str, ...]) -> Use | None:
    found: Use | None = None
    for name in names:
        try:
            when = os.lstat(f"{folder}/{name}").st_mtime
        except (FileNotFoundError, NotADirectoryError):
            continue
        if found is None or when > found.when:
            found = Use(when, name)
    return found


def later(*uses: Use | None) -> Use | None:
    return max((use for use in uses if use is not None), key=lambda use: use.when, default=None)
