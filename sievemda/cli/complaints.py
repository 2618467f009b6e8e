"""What commands say on standard error: one line for each thing, whatever stands in the names that it is about."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable

import click

_LONGEST = 2000  # characters of a line; no name that can be is longer


def one_line(text: str) -> str:
    """The text with what would end its line, move the cursor or turn the direction of writing spelled out."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return shown if shown.isprintable() else "".join(map(_spelled, shown))


def _spelled(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def misuse(error: click.ClickException) -> str:
    """What click has to say, on lines of its own only where click ends them."""
    shown = io.StringIO()
    error.show(shown)
    what = error.format_message()
    return shown.getvalue().replace(what, one_line(what))


class Warnings(logging.Handler):
    """What the store has to say while a command runs: a line each, and where in the program it happened is left out."""

    def __init__(self, tell: Callable[[Callable[[], None]], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        text = record.getMessage() + (f": {error}" if error else "")
        self._tell(lambda: print(f"sievemda: {one_line(text)}", file=sys.stderr))
