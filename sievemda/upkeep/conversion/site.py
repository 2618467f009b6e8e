"""What a conversion must know of the site that the script is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sievemda.sieve.limits import Limits

FolderName = Callable[[tuple[str, ...]], str]  # the levels of a folder as scripts write it; `Impossible` for no name


@dataclass(frozen=True, slots=True)
class Site:
    """`available` are the capabilities that a user's script may require; `user` is whose filter it is, if known."""

    available: frozenset[str]
    limits: Limits
    folder: FolderName
    user: str = ""
