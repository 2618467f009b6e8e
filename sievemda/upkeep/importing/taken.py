"""What an import tells of its work: a folder at a time, and what went wrong."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sievemda.errors import DataError, SievemdaError, StoreTrouble

_OF_THE_STORE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
Tell = Callable[[SievemdaError, str], None]  # the error, and what it is about


@dataclass
class Taken:
    """What has become of a folder."""

    folder: str
    mailbox: str
    messages: int = 0  # at the source
    added: int = 0
    there: int = 0  # which the folder had before
    failed: int = 0
    marked: int = 0  # that have got other flags since they came
    removed: int = 0  # that are gone at the source
    lost: dict[str, int] = field(default_factory=dict)  # keywords that did not come along

    def followed(self) -> list[str]:
        """For people, what has happened to messages that were there."""
        told = [(self.marked, "with other flags"), (self.removed, "removed")]
        return [f"{count} {what}" for count, what in told if count]

    def shown(self) -> dict[str, Any]:
        return dict(vars(self))


def trouble(error: SievemdaError | OSError, mailbox: str) -> SievemdaError:
    """What to tell of an error that stopped a folder: what is wrong with the disk here, or with the source."""
    if isinstance(error, SievemdaError):
        return error
    text = error.strerror or str(error)
    if error.errno in _OF_THE_STORE:
        return StoreTrouble(f"{mailbox}: {text}: run it again when that is mended")
    return DataError(f"{error.filename}: {text}" if error.filename else text)
