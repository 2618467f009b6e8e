"""What would happen to a folder: as a `Filling`, but nothing is written, and the quota is not looked at."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sievemda.mail.carried import Carried, with_lf
from sievemda.store.files import open_directory
from sievemda.upkeep.present import Present

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox


class Trial:
    """A folder that may not be there yet; a context manager. OSError."""

    def __init__(self, mailbox: Mailbox | None) -> None:
        self.added = self.skipped = self.octets = 0
        self.lost: Counter[str] = Counter()  # as that of a filling; what keywords there is room for is not looked at
        self._mailbox = mailbox
        self._fds: list[int] = []

    def __enter__(self) -> Self:
        if self._mailbox is not None:
            for part in ("cur", "new"):
                with suppress(FileNotFoundError):
                    self._fds.append(open_directory(self._mailbox.path / part))
        self._there = Present(self._fds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fd in self._fds:
            os.close(fd)

    def add(self, carried: Carried, place: int | None = None) -> None:  # noqa: ARG002
        size, digest = 0, hashlib.sha256()
        for piece in with_lf(carried.content()):
            size += len(piece)
            digest.update(piece)
        if self._there.take(size, digest.digest()):
            self.skipped += 1
        else:
            self.added += 1
            self.octets += size
