"""What the language tools share: the limits and capabilities that hold, and how a file is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sievemda.sieve.limits import Limits

WRONG, UNREADABLE = 1, 2  # exit codes


class Unreadable(click.ClickException):
    exit_code = UNREADABLE


def language(local: tuple[str, ...] = ()) -> tuple[Limits, frozenset[str] | None]:
    """The limits and capabilities of the site when one is named on the command line, else the defaults."""
    from sievemda.sieve.limits import Limits

    given = click.get_current_context().find_root().params
    file, data, sets = given.get("file"), given.get("data"), (*given.get("sets", ()), *local)
    if not (file or data or sets):
        return Limits(), None
    from sievemda.configload import load
    from sievemda.language import language_extensions, language_limits

    settings = load(file, data or (None if file else Path.cwd()), sets)
    return language_limits(settings), language_extensions(settings)


def read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as e:
        raise Unreadable(f"cannot read {file}: {e.strerror or e}") from e
