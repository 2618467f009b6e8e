"""Small control files that other programs read at the same time: written whole or not at all.

Two ways to replace one. `write_atomically` is for files that only we write: a temporary file, fsync, rename.
`Dotlock` is for files that Dovecot writes too (`dovecot-acl`, `dovecot-keywords`, `subscriptions`): it creates
`FILE.lock` as Dovecot does, so that one of us reads, changes and replaces at a time; the lock file itself becomes the
new file. Until then it says who holds it, so that one whom a crash has left behind keeps nobody waiting.

Why a cache is allowed here: `Cached` compares inode, size and times at every look-up, so it is never stale; it saves
opening, reading and parsing, not looking.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from sievemda.errors import TemporaryTrouble
from sievemda.store.pinned import open_pinned

T = TypeVar("T")

MAX_CONTROL_FILE = 1024 * 1024  # octets; a control file beyond is damage, or somebody's trap
_BLOCK = 16 * 1024  # octets; most control files have less
# What says that there can be no file of that name; everything else says that it cannot be told.
NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
STALE_LOCK = 120.0  # seconds after which Dovecot, and we, take a lock file for forgotten
LOCK_PATIENCE = 10.0  # seconds

_counter = itertools.count()


class Damaged(OSError):
    """What is there is not what it must be: a directory in the place of a file, a file without end."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.errno = errno.EUCLEAN


HOST = os.uname().nodename.replace("/", "\\057").replace(":", "\\072")


def unique_name() -> str:
    """A name that no other delivery on any host has: time, microsecond, process, counter, host ."""
    now = time.time_ns()
    return f"{now // 10**9}.M{now // 1000 % 10**6}P{os.getpid()}Q{next(_counter)}.{HOST}"


def write_atomically(path: Path, content: bytes, mode: int) -> None:
    """Replace a file: readers see the old content or the new one, also after a crash."""
    temporary = f".{path.name}.{unique_name()}"
    directory = open_pinned(str(path.parent))
    try:
        write_new(temporary, content, mode, dir_fd=directory)
        os.rename(temporary, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        sync_file(directory)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        raise
    finally:
        os.close(directory)


def write_new(path: Path | str, content: bytes, mode: int, *, dir_fd: int | None = None) -> None:
    """Create a file that must not exist, and see it to the disk. OSError, and then it is not there."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=dir_fd)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            sync_file(fd)
    except BaseException:
        with suppress(OSError):
            os.unlink(path, dir_fd=dir_fd)
        raise


def sync_file(fd: int) -> None:
    """See an open file, or directory, to the disk; at the end of `sync_later` when that is under way."""
    if not _later.wanted:
        os.fsync(fd)


def open_directory(path: Path | str) -> int:
    """A descriptor of a directory that is no link. OSError."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def sync_directory(path: Path) -> None:
    if _later.wanted:
        return
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class _Later(threading.local):
    wanted = False


_later = _Later()


@contextmanager
def sync_later(directory: Path) -> Iterator[None]:
    """What this thread writes meanwhile is synced at the end, by one sync of the file system of that directory.

    For what nobody can see before that: a crash in between leaves files that are not whole.
    """
    _later.wanted = True
    try:
        yield
    finally:
        _later.wanted = False
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_file_system(fd)
    finally:
        os.close(fd)


def sync_file_system(fd: int) -> None:
    """See everything to the disk that was written to the file system of an open file or directory. OSError."""
    import ctypes  # noqa: PLC0415 - hardly anybody needs it

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        os.sync()
    elif library.syncfs(fd):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def is_directory(path: Path | str, *, through_link: bool = False) -> bool:
    """Whether it is a directory, and not a link to one. OSError when that cannot be told, as on a disk that fails."""
    try:
        return stat.S_ISDIR(os.stat(path, follow_symlinks=through_link).st_mode)  # noqa: PTH116
    except OSError as error:
        if error.errno in NOT_THERE:
            return False
        raise


def read_control_file(path: Path | str, *, dir_fd: int | None = None) -> bytes | None:
    """The content; None when there is no such file. OSError also for what is not a regular file, or too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Damaged(f"{path} is not a regular file")
        content = block = os.read(fd, _BLOCK)
        while len(block) == _BLOCK and len(content) <= MAX_CONTROL_FILE:
            block = os.read(fd, _BLOCK)
            content += block
    finally:
        os.close(fd)
    if len(content) > MAX_CONTROL_FILE:
        raise Damaged(f"{path} is too large for a control file")
    return content


class Dotlock:
    """Hold `PATH.lock` while PATH is read and replaced. TemporaryTrouble when somebody else holds it for long."""

    def __init__(self, path: Path, mode: int, patience: float = LOCK_PATIENCE) -> None:
        self.path = path
        self._lock = f"{path.name}.lock"
        self._directory = -1
        self._mode = mode
        self._patience = patience
        self._fd = -1

    def __enter__(self) -> Self:
        self._directory = open_pinned(str(self.path.parent))
        try:
            self._take()
        except BaseException:
            self.__exit__(None, None, None)  # what was made when the disk became full locks nobody out
            raise
        return self

    def _take(self) -> None:
        flags, give_up = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, time.monotonic() + self._patience
        while True:
            try:
                self._fd = os.open(self._lock, flags, self._mode, dir_fd=self._directory)
            except FileExistsError:
                self._break_stale()
            else:
                os.write(self._fd, _holder(os.getpid()))
                return
            if time.monotonic() > give_up:
                raise TemporaryTrouble(f"{self.path}.lock is held by another program")
            time.sleep(0.02)

    def _break_stale(self) -> None:
        with suppress(FileNotFoundError):
            found = self._look()
            forgotten = time.time() - found.st_mtime > STALE_LOCK or _forsaken(self._lock, self._directory)
            if forgotten and self._look().st_ino == found.st_ino:
                os.unlink(self._lock, dir_fd=self._directory)

    def _look(self) -> os.stat_result:
        return os.stat(self._lock, dir_fd=self._directory, follow_symlinks=False)

    def _leave(self) -> None:
        for fd in (self._fd, self._directory):
            if fd >= 0:
                os.close(fd)
        self._fd = self._directory = -1

    def replace(self, content: bytes, *, later: bool = False) -> None:
        """Give the file its new content; the lock is released by that.

        `later`: it is to be a second younger than the one it replaces, for readers who look at nothing else.

        Why the lock itself does not become the file: it says until its end who holds it, so that nobody waits for a
        process that was killed.
        """
        temporary = f".{self.path.name}.{unique_name()}"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, self._mode, dir_fd=self._directory)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                if later:
                    self._be_later(fd)
                sync_file(fd)
            os.rename(temporary, self.path.name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self._directory)
            raise
        self._release()
        sync_file(self._directory)

    def _release(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._lock, dir_fd=self._directory)
        os.close(self._fd)
        self._fd = -1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._fd >= 0:
                self._release()
        finally:
            self._leave()

    def _be_later(self, fd: int) -> None:
        with suppress(FileNotFoundError):
            after = int(self.path.lstat().st_mtime) + 1
            if time.time() < after:
                os.utime(fd, (after, after))


def _holder(pid: int) -> bytes:
    """What a lock file says of the process that holds it; Dovecot writes and believes the same."""
    return f"{pid}:{os.uname().nodename}".encode()


def is_forsaken(lock: Path) -> bool:
    """Whether a lock file is that of a process of this host that is no more. OSError."""
    directory = open_directory(lock.parent)
    try:
        return _forsaken(lock.name, directory)
    finally:
        os.close(directory)


def _forsaken(lock: str, directory: int) -> bool:
    """Whether a lock file is that of a process of this host that is no more."""
    try:
        content = read_control_file(lock, dir_fd=directory) or b""
    except OSError:
        return False
    pid = content.partition(b":")[0]
    if not (pid.isdigit() and len(pid) < 10 and content == _holder(int(pid))):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def locked_within(fd: int, how: int, patience: float) -> bool:
    """Take a lock of flock(2), waiting so many seconds for somebody who may be its user at play. OSError."""
    give_up = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.005)
        else:
            return True


class Cached(Generic[T]):
    """The parsed content of files, parsed again when a file has changed. Bounded; the oldest entries go first."""

    def __init__(self, parse: Callable[[str, bytes | None], T], size: int = 4096) -> None:
        self._parse = parse
        self._size = size
        self._known: dict[str, tuple[tuple[int, ...] | None, T]] = {}

    def get(self, path: str) -> T:
        """What the file says now; a file that is not there is parsed as None."""
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        content = None if stamp is None else read_control_file(path)
        value = self._parse(path, content)
        if len(self._known) >= self._size:
            with suppress(StopIteration, RuntimeError, KeyError):  # another thread may be doing the same
                del self._known[next(iter(self._known))]
        self._known[path] = (stamp, value)
        return value


def _stamp(path: str) -> tuple[int, ...] | None:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # there can be no file of that name
            return None
        raise
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
