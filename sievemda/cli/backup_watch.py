"""What backup and restore tell while they work: a line on a terminal, and what goes wrong with one thing of many."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sievemda.cli.complaints import one_line
from sievemda.cli.failures import Failures
from sievemda.cli.main import tell
from sievemda.cli.terminal import clean, is_terminal
from sievemda.errors import DataError, SievemdaError

if TYPE_CHECKING:
    from sievemda.upkeep.backup.entries import TreeEntry

_PAUSE = 0.2  # seconds between two lines
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_FEW = 20  # lines about damage and the like that are told one by one


def moment(text: str) -> float:
    """`2026-11-22`, `2026-11-22T13:00`, `7d` (ago): seconds since 1970. DataError."""
    if match := _AGO.fullmatch(text):
        return time.time() - int(match[1]) * _UNITS[match[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise DataError(
            f"{text[:80]!r} is no time: write 2026-11-22, 2026-11-22T13:00, or 7d for a week ago"
        ) from error


def sized(octets: float) -> str:
    """For people: `12 KiB`."""
    for unit in ("octets", "KiB", "MiB", "GiB"):
        if octets < 10 * 1024:
            return f"{octets:.0f} {unit}"
        octets /= 1024
    return f"{octets:.0f} TiB"


class Watch:
    """Counts messages for the line on the terminal; tells of each failure at once."""

    def __init__(self, what: str, *, verbose: bool = False) -> None:
        self.failures = Failures()
        self._what = what
        self._verbose = verbose
        self._shown = is_terminal(sys.stderr)
        self._started = self._due = time.monotonic()
        self._messages = self._octets = self._damages = 0
        self._where = ""

    def tree(self, tree: TreeEntry) -> None:
        self._where = f" {tree.owner or 'shared folders'}:"
        self._line()

    def message(self, octets: int) -> None:
        self._messages += 1
        self._octets += octets
        if self._shown and not self._messages & 15:
            self._line()

    def gone(self, where: str) -> None:
        if self._verbose:
            self.note(f"{where}: somebody removed it in the meantime")

    def damaged(self, text: str) -> None:
        self._damages += 1
        if self._verbose or self._damages <= _FEW:
            self.note(text)

    def failed(self, where: str, error: OSError | SievemdaError) -> None:
        self.clear()
        self.failures.tell(error, where)

    def note(self, text: str) -> None:
        """One line on standard error."""
        self.clear()
        tell(lambda: print(f"sievemda: {one_line(text)}", file=sys.stderr))

    def clear(self) -> None:
        if self._shown:
            tell(lambda: print("\r\x1b[K", end="", file=sys.stderr, flush=True))

    def done(self) -> None:
        """The line goes, and what was too much to be told is counted."""
        self.clear()
        if self._damages > _FEW and not self._verbose:
            self.note(f"{self._damages - _FEW} more are damaged; --verbose tells which")

    def _line(self) -> None:
        if not self._shown or (now := time.monotonic()) < self._due:
            return
        self._due = now + _PAUSE
        passed = now - self._started + 1e-6
        line = f"{self._what}:{self._where} {self._messages} messages, {sized(self._octets)}"
        rate = f"{self._messages / passed:.0f}/s, {sized(self._octets / passed)}/s"
        tell(lambda: print(f"\r\x1b[K{clean(line)}, {rate}", end="", file=sys.stderr, flush=True))


def each_told(names: list[str], number: int, say: Callable[[str], None], *, verbose: bool) -> None:
    """So many of something, the first of them by name."""
    shown = names if verbose else names[:_FEW]
    for name in shown:
        say(name)
    if number > len(shown):
        say(f"and {number - len(shown)} more")
