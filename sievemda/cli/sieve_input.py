"""What the language tools share: the limits and capabilities that hold, and how a file is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.sieve.limits import Limits

WRONG, UNREADABLE = 1, 2  # exit codes


class Unreadable(click.ClickException):
    exit_code = UNREADABLE


def language(local: tuple[str, ...] = ()) -> tuple[Limits, frozenset[str] | None]:
    """The limits and capabilities of the site when one is named on the command line, else the defaults."""
    from sievemda.sieve.limits import Limits

    site = settings(local)
    if site is None:
        return Limits(), None
    from sievemda.language import language_extensions, language_limits

    return language_limits(site), language_extensions(site)


def settings(local: tuple[str, ...] = ()) -> Settings | None:
    """The settings of the site that is named on the command line, if one is."""
    given = click.get_current_context().find_root().params
    file, data, sets = given.get("file"), given.get("data"), (*given.get("sets", ()), *local)
    if not (file or data or sets):
        return None
    from sievemda.configload import load

    return load(file, data or (None if file else Path.cwd()), sets)


def read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as e:
        raise Unreadable(f"cannot read {file}: {e.strerror or e}") from e
