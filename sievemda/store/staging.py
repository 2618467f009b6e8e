"""A message on its way into folders: one file on the partition, linked into every folder that gets it.

Durable when `Staged` exists: the file is written and synced. `deliver` makes it visible in one folder and syncs that
folder. A crash leaves either a complete message in the folder or a file in `stage.` that nobody sees and that
`MailStore.clean_stage` removes.

Why directories are opened first: the open descriptor of `new` serves the link, the sync, and the proof that `new` is a
directory and not somebody's link to elsewhere. Where there are several partitions it also tells whether the folder has
moved to another one meanwhile, so that the message follows it (see `leftovers`).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import Damaged, unique_name
from sievemda.store.maildir import is_at, is_folder, make_parts, message_name
from sievemda.store.pinned import open_pinned

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.names import MailboxName

Chunk = bytes | bytearray | memoryview | mmap
BLOCK = 1024 * 1024
_PART = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEEDS_COPY = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP)


def write_staged(path: Path | str, chunks: Iterable[Chunk], mode: int, *, dir_fd: int | None = None) -> tuple[int, int]:
    """Write a new file and sync it: its size, and its size with CRLF line ends. The file is removed on an error."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=dir_fd)
    try:
        size = lines = 0
        for chunk in chunks:
            for block in _blocks(chunk):
                lines += block.count(b"\n")
                size += _write_all(fd, block)
        os.fdatasync(fd)
    except BaseException:
        with suppress(OSError):
            os.unlink(path, dir_fd=dir_fd)
        raise
    finally:
        os.close(fd)
    return size, size + lines


def _blocks(chunk: Chunk) -> Iterator[bytes]:
    if isinstance(chunk, bytes):
        yield chunk
        return
    with memoryview(chunk) as view:
        for start in range(0, len(view), BLOCK):
            yield bytes(view[start : start + BLOCK])


def _write_all(fd: int, block: bytes) -> int:
    done = os.write(fd, block)
    while done < len(block):
        done += os.write(fd, memoryview(block)[done:])
    return done


def read_blocks(path: Path) -> Iterator[bytes]:
    """The content of a regular file; OSError for anything else, a link too."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Damaged(f"{path} is not a regular file")
        while block := file.read(BLOCK):
            yield block


def measure(path: Path) -> tuple[int, int]:
    """Sync a finished file: its size, and its size with CRLF line ends."""
    size = lines = 0
    for block in read_blocks(path):
        size += len(block)
        lines += block.count(b"\n")
    sync(path)
    return size, size + lines


def sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


class Staged:
    """A complete message of `size` octets (`vsize` with CRLF line ends), durable but in no folder yet."""

    def __init__(
        self,
        partition: str,
        path: Path,
        size: int,
        vsize: int,
        *,
        links: bool,
        mode: int,
        missed: Callable[[MailboxName], None] | None = None,
    ) -> None:
        """`missed` is told of a folder that has gone from its place while the message was put into it."""
        self.partition = partition
        self.path = path
        self.size = size
        self.vsize = vsize
        self._links = links
        self._mode = mode
        self._missed = missed
        self._given_away = False

    def deliver(self, mailbox: Mailbox, flags: tuple[str, ...] = (), *, last: bool = False, unique: str = "") -> Path:
        """Put the message into a folder, durably, and return its file; `last` gives the stage file itself away.

        `unique` is a `unique_name` that the file is to have, when somebody needs to know it beforehand.

        OSError says why it is not there (ENOENT: the folder has gone; ENOSPC, EDQUOT, EIO); then nothing of it is.
        """
        letters = mailbox.store.keywords.letters(mailbox.path, flags) if flags else ""
        part, name = message_name(unique or unique_name(), self.size, self.vsize, letters)
        root = mailbox.quota_root()
        if root is None:
            self._put(mailbox, part, name, last=last)
        else:
            with root.recording(self.size):
                self._put(mailbox, part, name, last=last)
        return mailbox.path / part / name

    def _put(self, mailbox: Mailbox, part: str, name: str, *, last: bool) -> None:
        folder = open_part(mailbox, part)
        try:
            if not self.give(folder, name, last=last):
                temporary = open_part(mailbox, "tmp")
                try:
                    self.copy(temporary, folder, name)
                finally:
                    os.close(temporary)
            os.fsync(folder)
            missed = self._missed if self._missed and not is_at(folder, f"{mailbox.path}/{part}") else None
        finally:
            os.close(folder)
        if missed:
            missed(mailbox.name)

    def give(self, folder: int, name: str, *, last: bool) -> bool:
        """Rename or link the file into the open directory; False when only a copy will do."""
        if not (last or self._links):
            return False
        try:
            if last:
                os.rename(self.path, name, dst_dir_fd=folder)
                self._given_away = True
            else:
                os.link(self.path, name, dst_dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno in _NEEDS_COPY:
                return False
            raise
        return True

    def copy(self, temporary: int, folder: int, name: str) -> None:
        """Copy the file into the open directory `folder`, by way of `temporary` on the same file system."""
        unfinished = unique_name()
        write_staged(unfinished, read_blocks(self.path), self._mode, dir_fd=temporary)
        try:
            os.rename(unfinished, name, src_dir_fd=temporary, dst_dir_fd=folder)
        except BaseException:
            os.unlink(unfinished, dir_fd=temporary)
            raise

    def discard(self) -> None:
        """Remove the stage file, unless it has been given away."""
        if not self._given_away:
            self.path.unlink(missing_ok=True)


def open_part(mailbox: Mailbox, part: str) -> int:
    """The directory to deliver into, made when an unusual client has not made it."""
    folder = open_pinned(str(mailbox.path))
    try:
        try:
            return os.open(part, _PART, dir_fd=folder)
        except FileNotFoundError:
            if not is_folder(mailbox.path):
                raise
        make_parts(folder, mailbox.store.folder_mode)
        return os.open(part, _PART, dir_fd=folder)
    finally:
        os.close(folder)
