"""What an import tells of its work: a folder at a time, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sievemda.errors import SievemdaError

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
    lost: dict[str, int] = field(default_factory=dict)  # keywords that did not come along

    def shown(self) -> dict[str, Any]:
        return dict(vars(self))
