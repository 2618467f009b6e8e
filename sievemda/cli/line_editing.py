"""Lines typed on a terminal: history and completion, where Python has readline.

The history of a shell lies in `$XDG_STATE_HOME/sievemda/`, readable by its owner alone. What is asked for by other
means, a password, never gets there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

HISTORY = 1000  # lines that are kept
Completes = Callable[[str, str], list[str]]  # what stands before, and the beginning of a word: what it can become


def typed(prompt: str) -> str:
    """A line. Octets that are nothing in the encoding of the terminal are taken for UTF-8. EOFError at the end."""
    line = input(prompt)
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode(sys.stdin.encoding, "surrogateescape").decode("utf-8", "surrogateescape")
    return line


def prepare(history: str, completes: Completes, between: str = " \t;\"'") -> None:
    """Line editing with a history in the file of that name. ImportError where there is none.

    `between` are the characters that stand between words.
    """
    import atexit
    import readline

    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "sievemda" / history
    with suppress(OSError, RuntimeError):
        readline.read_history_file(file)
    readline.set_history_length(HISTORY)
    atexit.register(_keep, file)
    readline.set_completer_delims(between)
    readline.set_completer(_Completer(completes, readline.get_line_buffer, readline.get_begidx))
    readline.parse_and_bind("tab: complete")
    readline.parse_and_bind("set enable-bracketed-paste off")  # lines are lines, also for programs that type


def _keep(file: Path) -> None:
    import readline

    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        readline.write_history_file(file)


class _Completer:
    """As readline asks: for the first, the second, ... word that there may be."""

    def __init__(self, completes: Completes, line: Callable[[], str], start: Callable[[], int]) -> None:
        self._completes = completes
        self._line = line
        self._start = start
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            self._found = self._completes(self._line()[: self._start()], text)
        return self._found[state] if state < len(self._found) else None
