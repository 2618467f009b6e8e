"""What has become of users' scripts, in archives: `scripts.keeper.Keeper` says how it is told, and by what name.

For each user who is in an archive with his INBOX stand his versions, in pieces, and each text once. An incremental
archive has the versions and texts that its base lacks; what it was made of is put together again from all of the chain.

A database that was there and is gone is trouble, so that nobody takes an archive without it for a whole one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from sievemda.errors import DataError
from sievemda.scripts.opening import versions_to_read
from sievemda.state.past import Past, joined
from sievemda.state.versions import Version, digest_of

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.state.versions import Versions

DIRECTORY = "sieve-history"  # of a user, beside what lies in his home
_MOST = 100_000  # versions of one user that are read; as many texts
_LARGEST = 16 << 20  # octets of a text


def lacking(past: Past, carried: frozenset[str]) -> tuple[Past, list[str]]:
    """What a base with these marks lacks of a history, and the digests of the texts that it lacks."""
    versions = tuple(version for version in past.versions if mark(version) not in carried)
    return replace(past, versions=versions), [digest for digest in past.digests if digest not in carried]


def mark(version: Version) -> str:
    """What tells one version from another."""
    return sha256(repr(version).encode()).hexdigest()[:24]


def marks(past: Past) -> Iterator[str]:
    """Of a history, and of the texts that belong to it."""
    yield from map(mark, past.versions)
    yield from past.digests


class Histories:
    """Of all users of a store, to be written into an archive."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._versions: Versions | None = None

    def of(self, keeper: str) -> Past | None:
        """None where there are none. TemporaryTrouble, also when there were some."""
        if not self._settings.sieve.sieve_versions:
            return None
        self._versions = self._versions or versions_to_read(self._settings)
        return None if self._versions is None else self._versions.past(keeper)

    def text(self, digest: str) -> bytes | None:
        return None if self._versions is None else self._versions.text(digest)


class Gathered:
    """The history of one user, put together from the archives of a chain; a context manager. Empty when none has it."""

    def __init__(self, spool: Path | None = None) -> None:
        self.past = Past()
        self._spool = spool
        self._file: IO[bytes] | None = None
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, past: Past) -> None:
        """What the next archive has. DataError when it is too much."""
        if len(self.past.versions) + len(past.versions) > _MOST:
            raise DataError(f"a history of more than {_MOST} versions")
        versions = joined(self.past.versions, past.versions)
        self.past = replace(past, versions=self.past.versions if versions is None else tuple(versions))

    def keep(self, digest: str, size: int, load: Callable[[], Callable[[], Iterable[bytes]]]) -> None:
        """A text, which is read only when it may be one. DataError when it is damaged."""
        if size > _LARGEST or len(self._places) >= _MOST or digest in self._places:
            return
        text = b"".join(load()())
        if digest_of(text) != digest:
            raise DataError("it is not the text that it should be")
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 - closed with the history
        self._places[digest] = self._file.seek(0, 2), len(text)
        self._file.write(text)

    def text(self, digest: str) -> bytes | None:
        start, size = self._places.get(digest, (0, -1))
        if self._file is None or size < 0:
            return None
        self._file.seek(start)
        return self._file.read(size)
