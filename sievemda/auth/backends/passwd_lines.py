"""What a passwd-file holds at one time: its lines by user.

A line is taken apart when its user is asked for, and only looked at before: a file of a hundred thousand users is to be
read in a moment. Of a file of ordinary size every line is tried at once, so that whatever is wrong is told early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from sievemda.auth.backends.passwd_entry import Entry, read_entry
from sievemda.auth.passwords import SCRAM_MECHANISMS
from sievemda.auth.schemes import PLAIN_SCHEMES, scheme_of
from sievemda.errors import DataError

_OF_PASSWORDS = frozenset({*SCRAM_MECHANISMS, "CRAM-MD5", "DIGEST-MD5"})  # what a password in plain text is enough for
_ORDINARY = 2000  # lines

Canonical = Callable[[str], str]  # raises DataError for what is no user's name


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    text: bytes


class Lines:
    """`complaints` are the lines that are damaged: number and what is wrong."""

    def __init__(self, data: bytes, scheme: str, canonical: Canonical) -> None:
        self._scheme = scheme
        self._canonical = canonical
        self._lines: dict[str, Line] = {}
        self._users: list[str] = []
        self.complaints: list[tuple[int, str]] = []
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                self._take(Line(number, line.removesuffix(b"\r")))
            except DataError as e:
                self.complaints.append((number, str(e)))
        self._users = list(self._lines)
        if len(self._users) <= _ORDINARY:
            self.complaints = sorted({*self.complaints, *self.damages()})

    def _take(self, line: Line) -> None:
        if not line.text.strip() or line.text.startswith(b"#"):
            return
        try:
            userid = self._canonical(line.text.partition(b":")[0].decode())
        except (UnicodeDecodeError, DataError):
            raise DataError("it begins with what is no user name") from None
        if userid in self._lines:
            raise DataError(f"{userid!r} has an earlier line, which holds")
        self._lines[userid] = line

    def find(self, userid: str) -> Line | None:
        return self._lines.get(userid)

    def entry(self, line: Line) -> Entry:
        """DataError when it is damaged."""
        try:
            return read_entry(line.text.decode(), self._scheme)
        except UnicodeDecodeError:
            raise DataError("it is not UTF-8") from None

    def damages(self) -> Iterator[tuple[int, str]]:
        """Takes every line apart."""
        for userid, line in self._lines.items():
            try:
                self.entry(line)
            except DataError as e:
                yield line.number, f"{userid!r}: {e}"

    def somebody(self, number: int) -> Entry | None:
        """One of those who are there, always the same one for a number; None when he is damaged, or nobody is there."""
        if not self._users:
            return None
        try:
            return self.entry(self._lines[self._users[number % len(self._users)]])
        except DataError:
            return None

    @cached_property
    def schemes(self) -> frozenset[str]:
        """Of all passwords that there are."""
        fields = {line.text.split(b":", 2)[1].partition(b"}")[0] for line in self._lines.values() if b":" in line.text}
        return frozenset(scheme_of(field.decode(errors="replace") + "}", self._scheme) for field in fields if field)

    @property
    def mechanisms(self) -> frozenset[str]:
        """Those by which every user can log in who has a password."""
        return _OF_PASSWORDS.intersection(*(_mechanisms(scheme) for scheme in self.schemes))

    @property
    def passwords(self) -> bool:
        """Whether there are any in plain text."""
        return not PLAIN_SCHEMES.isdisjoint(self.schemes)


def _mechanisms(scheme: str) -> frozenset[str]:
    return _OF_PASSWORDS if scheme in PLAIN_SCHEMES else frozenset({scheme}) & frozenset(SCRAM_MECHANISMS)
