"""How far long work has come: one line on standard error, when that is a terminal, else nothing.

Why so little: the line tells that the program is alive and how long it will take; a bar in colours tells no more.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable
from typing import TypeVar

from sievemda.cli.terminal import is_terminal

T = TypeVar("T")
_PAUSE = 0.2  # seconds between two lines


def shown(things: Iterable[T], what: str, total: int | None = None) -> Generator[T, None, None]:
    """The things, counted on the terminal while they are taken."""
    if not is_terminal(sys.stderr):
        yield from things
        return
    started = due = time.monotonic()
    number = 0
    try:
        for number, thing in enumerate(things, 1):
            yield thing
            if (now := time.monotonic()) >= due:
                due = now + _PAUSE
                of = f" of {total}" if total else ""
                print(f"\r\x1b[K{what}: {number}{of}, {number / (now - started + 1e-6):.0f}/s", end="", file=sys.stderr)
    finally:
        if number:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
