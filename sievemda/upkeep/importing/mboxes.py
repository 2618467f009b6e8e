"""Files of mbox, one or a directory of them, as folders.

Layouts of directories: `X` and below it `X.sbd/` (Thunderbird) or `X/` (Pine, mutt, Dovecot); `X.mbox`, also as a
directory with a file `mbox` or of its own name in it (Apple Mail, Mailman); `.gz`, `.bz2` and `.xz` behind a name. What
programs keep beside their folders is passed over in silence, everything else that is no mbox is told. Links are not
followed: a directory may belong to a user, and the command to an administrator.
"""

from __future__ import annotations

import errno
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sievemda.errors import DataError, TemporaryTrouble
from sievemda.given import open_given
from sievemda.store.files import locked_within
from sievemda.upkeep.importing.file_names import decoded
from sievemda.upkeep.importing.mbox import Mbox
from sievemda.upkeep.importing.source import Contents, SourceFolder
from sievemda.upkeep.importing.unpacking import beginning_of, seekable

_PACKED = (".gz", ".bz2", ".xz")
_NOTES = (".msf", ".dat", ".html", ".json", ".lock", ".cmeta", ".ev-summary", ".ev-summary-meta", ".index", ".ibex")
_PATIENCE = 30.0  # seconds that a delivery into the file may take


def mboxes(source: str, form: str = "auto") -> Contents:
    """The folders of a file or directory; `-` is standard input. OSError."""
    if source == "-":
        return Contents([SourceFolder("standard input", partial(_open, None, "standard input", form))])
    path = Path(source)
    if not path.is_dir():
        return Contents([_folder(path, (), form)])
    found = Contents()
    _walk(path, (), form, found)
    return found


def _folder(path: Path, below: tuple[str, ...], form: str) -> SourceFolder:
    return SourceFolder(str(path), partial(_open, path, str(path), form), below, path.stat().st_size)


def _walk(directory: Path, below: tuple[str, ...], form: str, found: Contents) -> None:
    for entry in found.entries(directory, len(below)):
        path = Path(entry.path)
        if entry.name[0] == "." or entry.name.lower().endswith(_NOTES):
            if entry.is_file(follow_symlinks=False) and path.stat().st_size and _is_mbox(path):
                found.passed_over.append(f"{path} is hidden: passed over")
            continue
        name = decoded(_stem(entry.name))
        if entry.is_dir(follow_symlinks=False):
            _walk(path, (*below, name), form, found)
        elif not entry.is_file(follow_symlinks=False):
            found.passed_over.append(f"{path} is no file: passed over")
        elif not _is_mbox(path):
            found.passed_over.append(f"{path} is no mbox: passed over")
        else:
            inner = below and (name == below[-1] or entry.name in ("mbox", "messages")) and _is_box(directory)
            found.folders.append(_folder(path, below if inner else (*below, name), form))


def _is_box(directory: Path) -> bool:
    return directory.name.endswith(".mbox")


def _stem(name: str) -> str:
    for ending in _PACKED:
        name = name.removesuffix(ending)
    for ending in (".sbd", ".mbox", ".mbx"):
        name = name.removesuffix(ending) or name
    return name


def _is_mbox(path: Path) -> bool:
    """One that cannot be read may be one, and is told when it is its turn."""
    try:
        beginning = beginning_of(path).lstrip(b"\r\n")
        return beginning.startswith(b"From ") or not (beginning or path.stat().st_size)
    except OSError:
        return True


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdin.buffer
        return
    with open_given(path) as file:
        yield file


@contextmanager
def _open(path: Path | None, name: str, form: str) -> Iterator[Mbox]:
    with _opened(path) as file:
        _lock(file, name)
        with seekable(file) as (content, problem):
            box = Mbox(content.fileno(), name, form)
            if not box.is_mbox:
                raise DataError(f"{name} is no mbox: it does not begin with `From `")
            if problem:
                box.problem = f"{name} {problem}"
            yield box


def _lock(file: BinaryIO, name: str) -> None:
    """Keep out those who deliver into the file, if they lock it in a way that we can see."""
    if not file.seekable():
        return
    with suppress(OSError):  # a file system without locks
        if not locked_within(file.fileno(), fcntl.LOCK_SH, _PATIENCE):
            raise TemporaryTrouble(f"{name} is locked by another program: try again later")
    try:
        fcntl.lockf(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise TemporaryTrouble(f"{name} is locked by another program: try again later") from error
