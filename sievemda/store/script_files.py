"""The files in a folder of scripts, by a descriptor of the folder: so nobody is led out of it by a link.

Temporary files have a name that no script's file has, and what a crash left of them goes at the next change.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sievemda.config import MOST_SCRIPT
from sievemda.errors import StoreTrouble
from sievemda.store.files import sync_file
from sievemda.store.script_names import SUFFIX, file_for, name_file, name_for

MAX_READ = MOST_SCRIPT  # octets; no upload is larger, so only files put there by hand can pass it

_TEMPORARY = ".tmp-"
_UNFINISHED = re.compile(r"\.tmp-[0-9a-f]+")
_YOUNG = 2.0  # seconds for which the times of a file may not tell of another change


def temporary_name() -> str:
    return _TEMPORARY + secrets.token_hex(8)


def files(folder: int) -> Iterator[str]:
    """The files of scripts; links are none."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                yield entry.name


def name_of(folder: int, file: str) -> str | None:
    """The script's name for its file; None for a file that cannot be a script of ours."""
    try:
        return name_for(file, lambda beside: read(folder, beside) or b"")
    except StoreTrouble:
        return None


def file_of(folder: int, name: str) -> str:
    """The file of a script, which may spell the name in another form of Unicode. DataError for what is no name.

    Why both forms are one name: people and clients cannot tell them apart (RFC 5198 §3); a file that somebody has
    copied here keeps its own spelling.
    """
    file = file_for(name)
    if name.isascii() or exists(folder, file):
        return file
    wanted = unicodedata.normalize("NFC", name)
    for other in sorted(files(folder)):
        spelled = name_of(folder, other)
        if spelled and not spelled.isascii() and unicodedata.normalize("NFC", spelled) == wanted:
            return other
    return file


def exists(folder: int, file: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(file, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def same(folder: int, file: str, other: str) -> bool:
    """Whether both are one file by two names."""
    try:
        one, two = (os.stat(name, dir_fd=folder, follow_symlinks=False) for name in (file, other))
    except FileNotFoundError:
        return False
    return stat.S_ISREG(one.st_mode) and os.path.samestat(one, two)


def sign_of(folder: int, file: str) -> str:
    """What a file has anew after each change of its text; empty while that cannot be told, or there is no file."""
    try:
        found = os.stat(file, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return ""
    if abs(time.time() - found.st_ctime) < _YOUNG:
        return ""
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"


def read(folder: int | None, file: str, *, follow: bool = False) -> bytes | None:
    """The content of a regular file; None when there is none of that name."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    if folder is not None and not exists(folder, file):
        return None
    try:
        descriptor = os.open(file, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > MAX_READ:
            raise StoreTrouble(f"{file} is larger than {MAX_READ} octets")
        return b"".join(iter(lambda: os.read(descriptor, status.st_size + 1), b""))
    finally:
        os.close(descriptor)


def write(folder: int, file: str, text: bytes, mode: int) -> None:
    """Replace a file: whoever reads it gets the old text or the new one."""
    with _written(folder, text, mode) as temporary:
        os.rename(temporary, file, src_dir_fd=folder, dst_dir_fd=folder)


def write_new(folder: int, file: str, text: bytes, mode: int) -> None:
    """Make a file, as a whole. FileExistsError."""
    with _written(folder, text, mode) as temporary:
        os.link(temporary, file, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


@contextmanager
def _written(folder: int, text: bytes, mode: int) -> Iterator[str]:
    """A file under a name that goes at the end, on the disk."""
    temporary = temporary_name()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    out = os.open(temporary, flags, mode, dir_fd=folder)
    try:
        with open(out, "wb") as f:  # noqa: PTH123 - a descriptor, not a path
            f.write(text)
            f.flush()
            sync_file(out)
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)


def write_name(folder: int, file: str, name: str, mode: int) -> None:
    """The name beside a file that cannot have it."""
    if beside := name_file(file):
        write(folder, beside, name.encode(), mode)


def unlink(folder: int, file: str) -> None:
    """A script and the name beside it."""
    os.unlink(file, dir_fd=folder)
    if beside := name_file(file):
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=folder)


def sweep(folder: int) -> None:
    """Remove what a crash left behind: with the lock held, no temporary file belongs to anybody."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name):
                os.unlink(entry.name, dir_fd=folder)
