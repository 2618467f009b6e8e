"""Renaming messages inside one folder, safely: the directories are opened once, and are no links to elsewhere."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sievemda.store.files import unique_name
from sievemda.store.messages import unique_part
from sievemda.store.staging import open_part

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

Place = tuple[str, str]  # the part of the folder (cur, new, tmp), and the name there


class Hands:
    """Opens nothing before it is needed, and syncs at the end what was changed."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._opened: dict[str, int] = {}
        self._changed: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def _part(self, name: str) -> int:
        if name not in self._opened:
            self._opened[name] = open_part(self._mailbox, name)
        return self._opened[name]

    def rename(self, old: Place, new: Place) -> None:
        """OSError; FileNotFoundError when a reader was quicker, FileExistsError rather than replace another file."""
        directory = self._part(new[0])
        with suppress(FileNotFoundError):
            os.stat(new[1], dir_fd=directory, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, "the name it should have is taken", f"{new[0]}/{new[1]}")
        os.rename(old[1], new[1], src_dir_fd=self._part(old[0]), dst_dir_fd=directory)
        self._changed |= {old[0], new[0]}

    def bring(self, path: Path, new: Place) -> None:
        """A file of the folder's own directory comes to where messages are. OSError as above."""
        directory = self._part(new[0])
        os.link(path, new[1], dst_dir_fd=directory, follow_symlinks=False)
        os.fsync(directory)
        path.unlink()

    def unlink(self, place: Place, other: Place) -> None:
        """Remove one of two names of a file. OSError; FileNotFoundError when a reader was quicker.

        A name that a reader was just changing into the other is the only one: it gets one of its own first, so that
        what is there then is seen to be a second.
        """
        own = place[0], place[1].replace(unique_part(place[1]), unique_name(), 1)
        self.rename(place, own)
        if not os.path.samestat(self.stat(other), self.stat(own)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), other[1])
        os.unlink(own[1], dir_fd=self._part(own[0]))

    def stat(self, place: Place) -> os.stat_result:
        return os.stat(place[1], dir_fd=self._part(place[0]), follow_symlinks=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, fd in self._opened.items():
            try:
                if name in self._changed:
                    os.fsync(fd)
            finally:
                os.close(fd)
