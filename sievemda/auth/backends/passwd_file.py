"""A passwd-file as Dovecot reads it: one user a line, blank lines and those with `#` in front left out.

The file is read again when it has changed. A line that is damaged is told of with its number and shuts out its user
alone, who is told to try later: the mistake is not his.

Why the whole file is kept in memory: it is then read once for each change, and not for each login, and an unknown name
costs what a known one does: another user's hash is checked in his place.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sievemda.auth.backends import Answer, Kept, Verdict, mark_of
from sievemda.auth.backends.passwd_entry import Entry
from sievemda.auth.backends.passwd_lines import Line, Lines
from sievemda.auth.client import Client
from sievemda.auth.names import canonical_user
from sievemda.auth.passwords import Verifier, number_of
from sievemda.config import Site
from sievemda.errors import DataError, TemporaryTrouble

_log = logging.getLogger(__name__)

_FRESH = 200_000_000  # nanoseconds within which a second change might leave the same time behind
_PATIENCE, _PAUSE = 2.0, 0.01  # seconds for a file that is being written
_MOST_COMPLAINTS = 20

_Identity = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    lines: Lines
    identity: _Identity
    settled: bool  # whether the file was old enough for a later change to show in its time


class PasswdFile:
    name = "passwd-file"
    looks = True

    def __init__(self, path: Path, scheme: str, site: Site) -> None:
        self._path, self._scheme, self._site = path, scheme, site
        self._secret = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._reading: _Reading | None = None

    def check(self, userid: str, password: str, client: Client) -> Answer:
        lines = self._current()
        line = lines.find(userid)
        if line is None:
            self._pretend(lines.somebody(number_of(self._secret, userid)), password)
            return Answer(Verdict.UNKNOWN)
        entry = self._entry(lines, line)
        try:
            right = entry.fits(password)
        except DataError as e:
            raise TemporaryTrouble(f"{self._path}:{line.number}: {e}") from e
        return Answer(Verdict.RIGHT if right and entry.admits(client) else Verdict.WRONG, entry.called)

    def kept(self, userid: str, client: Client) -> Kept | None:
        lines = self._current()
        line = lines.find(userid)
        if line is None:
            return None
        entry = self._entry(lines, line)
        if entry.secret is None or not entry.admits(client):
            return Kept()
        mark = mark_of(line.text.split(b":", 2)[1])
        return Kept(entry.secret.verifiers, entry.secret.plain, entry.called, mark)

    def mechanisms(self) -> frozenset[str]:
        return self._current().mechanisms

    def keeps_passwords(self) -> bool:
        return self._current().passwords

    def sample(self, mechanism: str, number: int) -> Verifier | None:
        entry = self._current().somebody(number)
        return entry.secret.verifiers.get(mechanism) if entry and entry.secret else None

    def probe(self) -> None:
        lines = self._current()
        found = self._told(sorted({*lines.complaints, *lines.damages()}))
        if found:
            raise TemporaryTrouble("; ".join(found))

    def _entry(self, lines: Lines, line: Line) -> Entry:
        try:
            return lines.entry(line)
        except DataError as e:
            raise TemporaryTrouble(f"{self._path}:{line.number}: {e}") from e

    def _pretend(self, entry: Entry | None, password: str) -> None:
        """The work of checking a password of somebody who is there."""
        try:
            if entry is not None:
                entry.fits(password)
        except DataError:
            return

    def _current(self) -> Lines:
        with self._lock:
            try:
                reading = self._reading
                if reading is None or not reading.settled or reading.identity != self._identity():
                    reading = self._read()
            except OSError as e:
                self._reading = None
                raise TemporaryTrouble(f"{self._path}: {e.strerror}") from e
            self._reading = reading
            return reading.lines

    def _identity(self) -> _Identity:
        found = self._path.stat()
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def _read(self) -> _Reading:
        """Once it is whole: of a file that is written where it stands, what is not there yet would be nobody."""
        until = time.monotonic() + _PATIENCE
        while True:
            identity = self._identity()
            data = self._path.read_bytes()
            age = time.time_ns() - max(identity[3:])
            whole = data.endswith(b"\n") and identity == self._identity()
            if whole or not 0 <= age <= _FRESH:
                return self._taken_apart(data, identity, settled=age > _FRESH)
            if time.monotonic() > until:
                raise TemporaryTrouble(f"{self._path}: it is being written, and there is no end of it")
            time.sleep(_PAUSE)

    def _taken_apart(self, data: bytes, identity: _Identity, *, settled: bool) -> _Reading:
        lines = Lines(data, self._scheme, lambda name: canonical_user(name, self._site))
        if self._reading is None or self._reading.lines.complaints != lines.complaints:
            for text in self._told(lines.complaints):
                _log.warning("%s", text)
        return _Reading(lines, identity, settled)

    def _told(self, complaints: list[tuple[int, str]]) -> list[str]:
        found = [f"{self._path}:{number}: {text}" for number, text in complaints[:_MOST_COMPLAINTS]]
        more = len(complaints) - len(found)
        return [*found, f"{self._path}: {more} more lines are damaged"] if more else found
