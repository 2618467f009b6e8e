"""What is read from: folders of messages, as a file or a directory has them, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sievemda.mail.carried import Carried

DEEPEST = 100  # directories in directories


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

    def entries(self, directory: Path, depth: int, key: Callable[[os.DirEntry[str]], Any] | None = None) -> list[Any]:
        """What is in a directory, sorted; nothing of one that cannot be read or lies too deep, which is told."""
        if depth > DEEPEST:
            self.passed_over.append(f"{directory} lies too deep: passed over")
            return []
        try:
            with os.scandir(directory) as found:
                return sorted(found, key=key or (lambda entry: entry.name))
        except OSError as error:
            self.passed_over.append(f"{directory}: {error.strerror or error}: passed over")
            return []
