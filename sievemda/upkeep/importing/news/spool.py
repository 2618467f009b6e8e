"""A news spool: a directory per component of a group's name, and articles in files that are called by their numbers.

So it is with INN (tradspool), B and C News, and leafnode. INN may keep articles as they go over the wire: with CRLF,
dots at the beginnings of lines doubled, and a single one at the end.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sievemda.errors import DataError
from sievemda.given import read_given
from sievemda.store.staging import read_blocks
from sievemda.upkeep.importing.news.source import Article, Missing, active, parts_of

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_END = b"\r\n.\r\n"


class NewsSpool:
    """`list_file` is the `active` file of the server; without one there are the groups that have a directory."""

    def __init__(self, top: Path, list_file: Path | None = None) -> None:
        self._top = top
        self._resolved = top.resolve()
        self._list = list_file

    @property
    def key(self) -> str:
        return f"news:{self._resolved}/"

    def groups(self) -> list[str]:
        if self._list is not None:
            try:
                text = read_given(self._list).decode("utf-8", "surrogateescape")
            except OSError as error:
                raise DataError(f"{self._list}: {error.strerror or error}") from error
            return active(text.splitlines(), str(self._list))
        found = []
        os.listdir(self._top)  # noqa: PTH208 - walking would not say that it cannot be read
        for place, _, files in os.walk(self._top):
            if any(map(_NUMBER.fullmatch, files)):
                name = ".".join(Path(place).relative_to(self._top).parts)
                found += [name] if parts_of(name) else []
        return sorted(found)

    def numbers(self, group: str) -> list[int]:
        try:
            names = os.listdir(self._directory(group))  # noqa: PTH208 - there may be very many
        except FileNotFoundError:
            return []
        return sorted(int(name) for name in names if _NUMBER.fullmatch(name))

    def _directory(self, group: str) -> Path:
        return self._top.joinpath(*group.split("."))

    def close(self) -> None:
        """Nothing is open between articles."""

    @contextmanager
    def article(self, group: str, number: int) -> Iterator[Article]:
        file = self._resolved.joinpath(*group.split("."), str(number))
        try:
            status = file.lstat()
        except FileNotFoundError as error:
            raise Missing(f"{file} is gone") from error
        if stat.S_ISLNK(status.st_mode):  # a crosspost may be one, into another group
            file = file.resolve()
            status = file.stat()
        if not stat.S_ISREG(status.st_mode) or not file.is_relative_to(self._resolved):
            raise DataError(f"{file} is no article")
        wired = _is_wired(file, status.st_size)

        def content() -> Iterator[bytes]:
            return _unstuffed(file) if wired else read_blocks(file)

        yield Article(number, content, status.st_size, status.st_mtime, str(file))


def _is_wired(file: Path, size: int) -> bool:
    with file.open("rb") as stream:
        stream.seek(max(size - len(_END), 0))
        return stream.read(len(_END)) == _END


def _unstuffed(file: Path) -> Iterator[bytes]:
    """Without what the wire asks for, and without its end."""
    with file.open("rb") as stream:
        for line in stream:
            if line == b".\r\n":
                return
            yield line[1:] if line.startswith(b"..") else line
