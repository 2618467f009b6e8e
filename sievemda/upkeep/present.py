"""Which messages a folder has, to know whether one is there already.

Why sizes come first: to tell two messages apart by their octets costs a look into the file. Few have the size of
another, so that hardly a file of a large folder is read for a new message.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

from sievemda.mail.carried import with_lf
from sievemda.store.messages import unique_part
from sievemda.store.staging import BLOCK

_WITH_CRLF = re.compile(r",S=(\d+),W=\1(?=[,:]|$)")


class Present:
    """What a folder had at the beginning, as a multiset of digests; a file is read when its size is asked for.

    Of files that have CRLF line ends, as their names tell, the size says nothing: they are read when anything is asked.
    """

    def __init__(self, directories: Iterable[int]) -> None:
        self._directories = tuple(directories)
        self._files: dict[int, list[tuple[int, str]]] = {}
        self._with_crlf: list[tuple[int, str]] = []
        self._digests: dict[int, Counter[bytes]] = {}
        for directory, entry in self._entries():
            if _WITH_CRLF.search(entry.name):
                self._with_crlf.append((directory, entry.name))
                continue
            with suppress(FileNotFoundError):
                size = entry.stat(follow_symlinks=False).st_size
                self._files.setdefault(size, []).append((directory, entry.name))
        self.counts = bool(self._files or self._with_crlf)

    def _entries(self) -> Iterator[tuple[int, os.DirEntry[str]]]:
        for directory in self._directories:
            with os.scandir(directory) as found:
                for entry in found:
                    if entry.name[0] != ".":
                        yield directory, entry

    def take(self, size: int, digest: bytes) -> bool:
        """Whether the folder had one more of these."""
        crlf, self._with_crlf = self._with_crlf, []
        for file in crlf:
            self._read(file)
        for file in self._files.pop(size, ()):
            self._read(file)
        known = self._digests.get(size)
        if known is None or not known[digest]:
            return False
        known[digest] -= 1
        return True

    def _read(self, file: tuple[int, str]) -> None:
        """Nothing when it is gone, or no file."""
        try:
            size, digest = _digest(*file)
        except FileNotFoundError:  # a reader has moved it to `cur`, or given it another flag
            unique = unique_part(file[1])
            moved = [(at, entry.name) for at, entry in self._entries() if unique_part(entry.name) == unique]
            try:
                size, digest = _digest(*moved[0])
            except (OSError, IndexError):
                return
        except OSError:
            return
        self._digests.setdefault(size, Counter())[digest] += 1


def _digest(directory: int, name: str) -> tuple[int, bytes]:
    """Size and digest of a message with LF line ends. OSError."""
    size, digest = 0, hashlib.sha256()
    for piece in with_lf(_blocks_at(directory, name)):
        size += len(piece)
        digest.update(piece)
    return size, digest.digest()


def _blocks_at(directory: int, name: str) -> Iterator[bytes]:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    with open(fd, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        if stat.S_ISREG(os.fstat(fd).st_mode):
            while block := file.read(BLOCK):
                yield block
