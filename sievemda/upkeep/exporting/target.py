"""Files that appear under their name when they are whole.

Why a link and not a rename for a new file: a rename would replace what somebody else has put there in the meantime.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sievemda.errors import AlreadyExists, StoreTrouble, TemporaryTrouble
from sievemda.store.files import locked_within, sync_directory
from sievemda.upkeep.exporting.aside import file_beside

_PATIENCE = 30.0  # seconds that one who writes to the file that is replaced may take
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


def check_vacant(path: Path, *, replace: bool) -> None:
    """AlreadyExists when a file is there that is not to be replaced; StoreTrouble when none can be made there."""
    if path.is_dir():
        raise AlreadyExists(f"{path} is a directory")
    if path.exists() and not path.is_file():
        raise AlreadyExists(f"{path} is no regular file: write to standard output, which is -")
    if not replace and os.path.lexists(path):
        raise AlreadyExists(f"{path} is there already: --force replaces it, --append adds to it")
    if not path.parent.is_dir():
        raise StoreTrouble(f"{path.parent} is no directory")


@contextmanager
def written(path: Path, *, force: bool = False, append: bool = False, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write to, that takes its place, synced, when all has been written; on an error nothing has happened.

    `force` replaces what is there; `append`: the new file begins with it. AlreadyExists, StoreTrouble, OSError.
    """
    check_vacant(path, replace=force or append)
    path = Path(os.path.realpath(path))  # of a link the file is replaced to which it leads
    with file_beside(path, mode) as (temporary, fd):
        with os.fdopen(fd, "w+b", buffering=1 << 18, closefd=False) as file, _beginning(path, file, wanted=append):
            yield file
            file.flush()
            os.fsync(fd)
            _into_place(temporary, path, replace=force or append)
        sync_directory(path.parent)


@contextmanager
def _beginning(path: Path, file: BinaryIO, *, wanted: bool) -> Iterator[None]:
    """Copy what is there, and keep others from writing to it meanwhile, as far as they lock it."""
    if not (wanted and path.exists()):
        yield
        return
    with path.open("rb") as old:
        with suppress(OSError):  # a file system without locks
            if not locked_within(old.fileno(), fcntl.LOCK_EX, _PATIENCE):
                raise TemporaryTrouble(f"{path} is locked by another program: try again later")
        shutil.copyfileobj(old, file, 1 << 20)
        if os.geteuid() == 0:
            found = os.fstat(old.fileno())
            os.fchown(file.fileno(), found.st_uid, found.st_gid)
        os.fchmod(file.fileno(), os.fstat(old.fileno()).st_mode & 0o7777)
        yield


def _into_place(temporary: Path, path: Path, *, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise AlreadyExists(f"{path} is there already: --force replaces it, --append adds to it") from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        check_vacant(path, replace=False)
        temporary.rename(path)
