"""Keywords as Courier-IMAP keeps them, in `courierimapkeywords` of a folder.

`:list` has the keywords, one a line, an empty line, and then for each message `NAME:NUMBER NUMBER ...`: its file
without flags, and which of them it has, counted from 0. A file that is called like a message lists the keywords, one a
line, that it has got since; those that begin with a dot have gone into `:list`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sievemda.store.staging import read_blocks

_DIRECTORY = "courierimapkeywords"


def keywords_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """By the names of files without their flags; nothing when Courier has noted nothing there."""
    found: dict[str, tuple[str, ...]] = {}
    with suppress(OSError):
        found |= _listed(_lines(folder / _DIRECTORY / ":list"))
    try:
        names = [name for name in os.listdir(folder / _DIRECTORY) if name[0] not in ".:"]  # noqa: PTH208 - names
    except OSError:
        return found
    for name in names:
        with suppress(OSError):
            found[name] = tuple(filter(None, _lines(folder / _DIRECTORY / name)))
    return found


def _lines(path: Path) -> list[str]:
    return b"".join(read_blocks(path)).decode("utf-8", "surrogateescape").split("\n")


def _listed(lines: list[str]) -> dict[str, tuple[str, ...]]:
    words = lines[: lines.index("")] if "" in lines else lines
    found = {}
    for line in lines[len(words) + 1 :]:
        name, _, numbers = line.rpartition(":")
        chosen = [int(number) for number in numbers.split() if number.isascii() and number.isdigit()]
        if name:
            found[name] = tuple(words[number] for number in chosen if number < len(words))
    return found
