"""What is read from: folders of messages, as a file or a directory has them, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from sievemda.mail.carried import Carried


class Reading(Protocol):
    """The messages of a folder that is open."""

    problem: str  # what is not whole, known when all have been taken
    position: int  # octets that have been gone through

    def __iter__(self) -> Iterator[Carried]: ...


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder of a source. `open` raises OSError, and DataError for what is none of that format."""

    where: str  # the file or directory, for texts
    open: Callable[[], AbstractContextManager[Reading]]
    path: tuple[str, ...] = ()  # below the source; () is the source itself
    octets: int = 0  # about
    subscribed: bool | None = None  # None: the source does not say


@dataclass(slots=True)
class Contents:
    """The folders of a source, and what of it is no folder: a line for each, for people."""

    folders: list[SourceFolder] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
