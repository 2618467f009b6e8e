"""Where archives lie: a file, a directory with one archive a run, a pipe.

In a directory an archive is called after its time, its kind and its id (`20261122T125000Z-full-2b6c....tar.gz`); what
each builds on stands in its head, so that the files themselves are the catalogue, and one may be moved or removed like
any other. Beside it lies `NAME.index`, an archive without messages: so the next incremental one need not read this one.
An index that is missing is no harm.

Why a temporary name first: what bears its final name is whole. What a crash leaves begins with a dot and goes with the
next run, unless the process that writes it is still there, which its lock tells.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from sievemda.errors import AlreadyExists, DataError, NotFound, StoreTrouble
from sievemda.given import open_given
from sievemda.store.files import sync_directory
from sievemda.upkeep.backup.base import Base
from sievemda.upkeep.backup.container import Damage
from sievemda.upkeep.backup.entries import Head
from sievemda.upkeep.backup.reading import read_archive
from sievemda.upkeep.backup.source import Compressing, Sink

INDEX = ".index"
_COMPRESSED = (".gz", ".tgz")
_UNFINISHED = ".unfinished."
_ARCHIVE = re.compile(r"[^.].*\.(?:tar|tar\.gz|tgz)")


@dataclass(frozen=True, slots=True)
class Archive:
    """A file, and what its head says."""

    path: Path
    head: Head


# -- looking -----------------------------------------------------------------------------------------------------------


def head_of(path: Path) -> Head:
    """One without an id when the beginning is damaged. DataError when it is no archive; OSError."""
    with open_given(path) as file:
        for event in read_archive(file, name=str(path), contents=False):
            if isinstance(event, Head):
                return event
            if not isinstance(event, Damage):
                break
    return Head("", created=path.stat().st_mtime)


def files_in(directory: Path) -> list[Path]:
    """What is called like an archive, sorted. OSError."""
    return sorted(path for path in directory.iterdir() if _ARCHIVE.fullmatch(path.name))


def archives_in(directory: Path) -> list[Archive]:
    """All of a directory, the oldest first; what is none is passed over. OSError."""
    found = []
    for path in files_in(directory):
        with suppress(DataError, OSError):
            found.append(Archive(path, head_of(path)))
    return sorted(found, key=lambda archive: (archive.head.created, archive.path.name))


def chain_to(last: Archive, known: list[Archive]) -> tuple[list[Archive], str]:
    """The archives on which one builds and itself, the full one first; and the id of one that is missing."""
    by_id = {archive.head.id: archive for archive in known if archive.head.id}
    chain, seen = [last], {last.head.id}
    while base := chain[0].head.base:
        before = by_id.get(base)
        if before is None or base in seen:
            return chain, base
        chain.insert(0, before)
        seen.add(base)
    return chain, ""


def chosen_chain(source: Path, at: float | None, bases: list[Path]) -> tuple[list[Archive], str, list[Archive]]:
    """The chain of a file, or of the last archive in a directory that is not younger than a time.

    What it builds on lies beside it, or is among the `bases`, files or directories. Also the id of an archive that is
    missing, and the last ones of that time that were asked for something else. NotFound, DataError, OSError.
    """
    more = [each for base in bases for each in (archives_in(base) if base.is_dir() else [Archive(base, head_of(base))])]
    if not source.is_dir():
        last = Archive(source, head_of(source))
        known = [*archives_in(source.absolute().parent), *more] if last.head.base else []
        return *chain_to(last, known), []
    known = archives_in(source)
    old = [archive for archive in known if at is None or archive.head.created <= at]
    known += more
    if not old:
        raise NotFound(f"no backup in {source}" + (" that is so old" if known else ""))
    if not old[-1].head.id:
        return [old[-1]], "", old[:-1][-1:]
    others = {archive.head.scope: archive for archive in old if archive.head.scope != old[-1].head.scope}
    return *chain_to(old[-1], known), list(others.values())


def last_like(directory: Path, scope: tuple[str, ...]) -> Archive | None:
    """The last archive of a directory for which the same was asked."""
    known = [archive for archive in archives_in(directory) if archive.head.id and archive.head.scope == scope]
    return known[-1] if known else None


def base_of(path: Path, spool: Path | None = None) -> Base:
    """What an archive knows, from the index beside it when that is its. DataError, OSError."""
    head = head_of(path)
    with suppress(OSError, DataError):
        with open_given(f"{path}{INDEX}") as file:
            base = Base(file, f"{path}{INDEX}", spool)
        if head.id and base.head.id == head.id and not base.damaged:
            return base
        base.__exit__()
    with open_given(path) as file:
        return Base(file, str(path), spool)


# -- writing -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Target:
    """What an archive is written to, and what its index, if it has one."""

    stream: Sink
    path: Path | None = None  # None: a pipe
    index: Sink | None = None


@contextmanager
def to_stream(stream: BinaryIO, *, compressed: bool) -> Iterator[Target]:
    packed = Compressing(stream) if compressed else None
    yield Target(packed or stream)
    if packed is not None:
        packed.finish()
    stream.flush()


@contextmanager
def to_file(
    path: Path, *, compressed: bool | None = None, index: bool = False, force: bool = False
) -> Iterator[Target]:
    """It has its name when everything is on the disk, and there is nothing of it when that fails.

    AlreadyExists, unless `force`; StoreTrouble. A device or a pipe that is there is written to as it is.
    """
    packed = path.name.endswith(_COMPRESSED) if compressed is None else compressed
    if _is_special(path):
        with _told_about(path), path.open("wb") as stream, to_stream(stream, compressed=packed) as target:
            yield target
        return
    if not force and os.path.lexists(path):
        raise AlreadyExists(f"{path} is there already: choose another name, or say --force")
    _clean(path.absolute().parent, f"{glob.escape(path.name)}.*")
    with ExitStack() as stack:
        stack.enter_context(_told_about(path))
        content = stack.enter_context(_Unfinished(path))
        beside = stack.enter_context(_Unfinished(Path(f"{path}{INDEX}"))) if index else None
        with to_stream(content.file, compressed=packed) as target:
            yield Target(target.stream, path, None if beside is None else beside.file)
        if beside is not None:
            beside.place()
        if not force and os.path.lexists(path):
            raise AlreadyExists(f"{path} has been made by somebody else meanwhile")
        content.place()


@contextmanager
def to_directory(directory: Path, head: Head, *, compressed: bool) -> Iterator[Target]:
    """As `to_file`, under a name of its own."""
    _clean(directory, "*")
    when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(head.created))
    path = directory / f"{when}-{head.kind}-{head.id}.tar{'.gz' if compressed else ''}"
    with to_file(path, compressed=compressed, index=True) as target:
        yield target


@contextmanager
def _told_about(path: Path) -> Iterator[None]:
    """What a full disk says has no name in it."""
    try:
        yield
    except OSError as error:
        about = path.parent if error.errno in {errno.ENOENT, errno.ENOTDIR} else path
        raise StoreTrouble(f"{about}: {error.strerror or error}: there is no archive") from error


class _Unfinished:
    """A file that gets its name at the end; without that it goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f"{_UNFINISHED}{path.name}.{os.getpid()}")
        with suppress(FileNotFoundError):
            self._temporary.unlink()  # of a process of the same number that is no more
        fd = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self.file = os.fdopen(fd, "wb", 1 << 20)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def __enter__(self) -> Self:
        return self

    def place(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self._temporary.rename(self._path)
        sync_directory(self._path.absolute().parent)

    def __exit__(self, *_: object) -> None:
        with suppress(FileNotFoundError):
            self._temporary.unlink()
        with suppress(OSError):  # what is still in the buffer has no room, and is told already
            self.file.close()


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return False
        raise StoreTrouble(f"{path}: {error.strerror}") from error
    return not stat.S_ISREG(mode)


def _clean(directory: Path, names: str) -> None:
    """Remove what runs have left that were killed."""
    for path in directory.glob(f"{_UNFINISHED}{names}"):
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(fd)
