"""Sub-directories by letter (`hashimapspool`, `fulldirhash`; semantics, section 5), and what was made without them.

Why a store of the other layout is an error and not looked through as well: in it everybody would seem to be unknown,
and his mail be refused for good; and with homes at two places one user could come to have two.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from os.path import lexists

_LOOKED_AT = 100  # entries of one directory: they were made alike


def first_letter(name: str) -> str:
    """The first letter in lower case, `q` when it is not one of a-z (semantics, section 5)."""
    letter = name[:1].lower()
    return letter if "a" <= letter <= "z" else "q"


def full_hash(name: str) -> str:
    """With `fulldirhash`: a letter from A to W that everything before the first dot decides, as in Cyrus."""
    number = 0
    for octet in name.partition(".")[0].encode("utf-8", "surrogateescape"):
        number = (number << 3 ^ number >> 5 ^ octet) & 0xFFFFFFFF
    return chr(ord("A") + number % 23)


def laid_otherwise(root: str, *, hashed: bool, full: bool) -> str:
    """What lies on a partition where another layout puts it; nothing when all is where it belongs."""
    return next(_misplaced(root, hashed=hashed, full=full), "")


def _misplaced(root: str, *, hashed: bool, full: bool) -> Iterator[str]:
    def belongs(letter: str) -> bool:
        return hashed and letter.isupper() == full

    yield from _users(root, lambda letter: not belongs(letter), flat=hashed)
    for name in _names(f"{root}/domain"):
        place = f"{root}/domain/{name}"
        if len(name) > 1 or lexists(f"{place}/user") or lexists(f"{place}/shared"):  # a domain itself
            if hashed:
                yield from _domain(place)
        elif not belongs(name):
            for domain in _names(place):
                yield from _domain(f"{place}/{domain}")


def _domain(place: str) -> Iterator[str]:
    """Everything that a domain has."""
    if any(name[0] == "." for name in _names(f"{place}/shared")):
        yield f"{place}/shared"
    yield from _users(place, lambda _: True, flat=True)


def _users(above: str, which: Callable[[str], bool], *, flat: bool) -> Iterator[str]:
    """Homes below these letters, and those below none."""
    letters = [f"{above}/{name}/user" for name in _names(above) if len(name) == 1 and which(name)]
    for place in [*letters, *([f"{above}/user"] if flat else [])]:
        yield from (f"{place}/{name}" for name in _names(place) if lexists(f"{place}/{name}/Maildir"))


def _names(directory: str) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in islice(entries, _LOOKED_AT)]
    except OSError:  # not there, or not to be seen: others say so
        return []
