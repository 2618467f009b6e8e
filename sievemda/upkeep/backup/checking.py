"""Whether an archive is whole: all digests compared, and every message of the lists found that is to be in it."""

from __future__ import annotations

from typing import Any, BinaryIO, Protocol

from sievemda.errors import DataError
from sievemda.upkeep.backup.container import Damage
from sievemda.upkeep.backup.entries import Totals
from sievemda.upkeep.backup.reading import Listing, Message, Text, read_archive


class Watcher(Protocol):
    def message(self, octets: int) -> None: ...
    def damaged(self, text: str) -> None: ...


def check(stream: BinaryIO, name: str, watcher: Watcher) -> dict[str, Any]:
    """What was found, as numbers: `messages`, `octets`, `damaged`, `missing`. DataError: it is no archive."""
    return _Check(name, watcher).run(stream)


class _Check:
    def __init__(self, name: str, watcher: Watcher) -> None:
        self._name = name
        self._watcher = watcher
        self._messages = self._octets = self._damaged = self._missing = 0
        self._expected: set[str] = set()
        self._where = ""
        self._absent: list[str] = []

    def run(self, stream: BinaryIO) -> dict[str, Any]:
        totals = None
        for event in read_archive(stream, name=self._name):
            if isinstance(event, Damage):
                self._bad(f"{self._name}, at octet {event.offset}: {event.text}")
            elif isinstance(event, Listing):
                self._listed(event)
            elif isinstance(event, Message):
                self._message(event)
            elif isinstance(event, Text):
                self._text(event)
            elif isinstance(event, Totals):
                totals = event
        self._leave()
        if self._damaged or totals is None or self._missing > totals.gone:
            for text in self._absent:
                self._watcher.damaged(f"{text}: it is missing")
            self._damaged += self._missing
        return {
            "file": self._name,
            "messages": self._messages,
            "octets": self._octets,
            "damaged": self._damaged,
            "missing": self._missing,
        }

    def _listed(self, listing: Listing) -> None:
        self._leave()
        self._where = listing.tree.directory(listing.folder)
        try:
            for line in listing.lines():
                if line.here:
                    self._expected.add(line.unique)
        except DataError as error:
            self._bad(f"{self._name}: {self._where}: {error}")

    def _message(self, message: Message) -> None:
        self._expected.discard(message.unique)
        try:
            message.check()
        except DataError as error:
            self._bad(f"{message.where}: {error}")
        else:
            self._messages += 1
            self._octets += message.size
            self._watcher.message(message.size)

    def _text(self, text: Text) -> None:
        try:
            text.check()
        except DataError as error:
            self._bad(f"{text.where}: {error}")

    def _leave(self) -> None:
        self._missing += len(self._expected)
        room = 1000 - len(self._absent)
        self._absent += [f"{self._where}: {unique}" for unique in sorted(self._expected)[:room]]
        self._expected = set()

    def _bad(self, text: str) -> None:
        self._damaged += 1
        self._watcher.damaged(text)
