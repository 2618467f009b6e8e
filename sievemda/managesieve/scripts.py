"""The commands on scripts, once it is settled whose scripts they are. RFC 5804 §2.5 to §2.12.

They return lines of data and raise; which error is which response code stands in `session`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.errors import DataError
from sievemda.managesieve.reply import OK, Reply, line, literal, string
from sievemda.managesieve.service import Service
from sievemda.sieve.problems import Problem
from sievemda.store.scripts import ScriptStore

_MOST_FINDINGS = 100  # in one answer
_ONE_LINE = 900  # octets; with its escapes it is still a quoted string


class ScriptTooLarge(DataError):
    """Larger than `sieve_maxscriptsize`."""


class ScriptInvalid(DataError):
    """The text lists every problem, one a line."""


class Scripts:
    """The scripts of one user, as the commands see them."""

    def __init__(self, service: Service, userid: str) -> None:
        self._service = service
        self._userid = userid
        self._limits = service.settings.sieve

    @property
    def _store(self) -> ScriptStore:
        """Looked up for each command: the user's home may have moved to another partition."""
        return self._service.scripts(self._userid)

    def havespace(self, name: str, size: int) -> Reply:
        self._require_size(size)
        if not self._store.has_room(name, self._limits.sieve_maxscripts):
            return Reply("NO", "there is no room for another script", "QUOTA/MAXSCRIPTS")
        return OK

    def put(self, name: str, text: bytes) -> Reply:
        """Checks first: what is not valid is never stored, and the old script stays. RFC 5804 §2.6."""
        self._require_size(len(text))
        if not self._store.has_room(name, self._limits.sieve_maxscripts):
            return Reply("NO", "there is no room for another script", "QUOTA/MAXSCRIPTS")
        reply = self.check(text)
        self._store.put(name, text, max_scripts=self._limits.sieve_maxscripts)
        return reply

    def check(self, text: bytes) -> Reply:
        """OK, OK with warnings, or ScriptInvalid. Quotas are not looked at. RFC 5804 §2.12."""
        findings = self._service.check(text, self._userid)
        if fatal := [f for f in findings if f.severity == "error"]:
            raise ScriptInvalid(_listed(fatal))
        return Reply("OK", _listed(findings), "WARNINGS") if findings else OK

    def listed(self) -> bytes:
        found = ((script.name, script.active) for script in self._store.list())
        return b"".join(line(string(name), b"ACTIVE") if active else line(string(name)) for name, active in found)

    def get(self, name: str) -> bytes:
        return line(literal(self._store.get(name)))

    def activate(self, name: str) -> None:
        """The empty name stands for no script. RFC 5804 §2.8."""
        if name:
            self._store.activate(name)
        else:
            self._store.deactivate()

    def delete(self, name: str) -> None:
        self._store.delete(name)

    def rename(self, old: str, new: str) -> None:
        self._store.rename(old, new)

    def _require_size(self, size: int) -> None:
        limit = self._limits.sieve_maxscriptsize
        if limit and size > limit:
            raise ScriptTooLarge(f"the script is larger than {limit} octets")


def _listed(findings: Sequence[Problem]) -> str:
    """All problems in one line where that is short enough for a quoted string (RFC 5804 §4), else each on its line.

    Why not always on lines: a line end cannot stand in a quoted string, and not every client shows a literal.
    """
    lines = [f"line {f.line}: {' '.join(f.sentence.split())}" for f in findings[:_MOST_FINDINGS]]
    if len(findings) > _MOST_FINDINGS:
        lines.append(f"and {len(findings) - _MOST_FINDINGS} more")
    joined = "; ".join(lines)
    return joined if len(joined.encode(errors="replace")) <= _ONE_LINE else "\r\n".join(lines)
