"""The Sieve scripts of one user: files `HOME/sieve/NAME.sieve`, the active one linked from `HOME/.dovecot.sieve`.

Why this layout: it is what Dovecot reads, so a site can go from one to the other, and a person can look at it with
`ls`. Why one lock on the folder for every change: two clients that rename, delete and activate at once then see each
other's work done or not begun. A delivery takes no lock: the link and every script are replaced by rename(2), so it
reads the old one or the new one, whole.

An active script that is a plain file (as Dovecot's administrators write by hand) is taken into the folder as
`dovecot`, and linked, when scripts are first listed or changed: nothing is lost, and clients can see and keep it.
Symbolic links in the folder are not scripts and are not followed; so nobody reads or writes outside of it.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import AlreadyExists, NotFound, NotPermitted, StoreTrouble, TemporaryTrouble
from sievemda.store.files import LOCK_PATIENCE, locked_within, sync_file
from sievemda.store.script_names import SUFFIX, file_for, name_file, name_for

ACTIVE = ".dovecot.sieve"
FOLDER = "sieve"
MAX_READ = 16 << 20  # octets; more than any limit for uploads, so only files put there by hand can pass it

_TEMPORARY = ".tmp-"


class ScriptActive(NotPermitted):
    """The active script cannot be deleted. RFC 5804 §2.10."""


class TooManyScripts(NotPermitted):
    """The user has as many scripts as allowed; replacing one is still possible."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    active: bool


class ScriptStore:
    """The scripts below one home directory, which must exist. Every method raises StoreTrouble when the disk fails."""

    def __init__(self, home: Path, *, file_mode: int = 0o600, folder_mode: int = 0o700) -> None:
        self._home = home
        self._active = home / ACTIVE
        self._file_mode = file_mode
        self._folder_mode = folder_mode

    # --- reading -----------------------------------------------------------------------------------------------

    def list(self) -> tuple[Script, ...]:
        """All scripts by name; at most one is active."""
        with self._folder() as folder:
            if folder is None:
                return ()
            active = self._active_file()
            named = {_name(folder, file): file == active for file in _files(folder)}
            return tuple(Script(name, named[name]) for name in sorted(name for name in named if name))

    def get(self, name: str) -> bytes:
        """The text of a script; raises NotFound."""
        file = file_for(name)
        with self._folder() as folder:
            text = None if folder is None else _read(folder, file)
        if text is None:
            raise _missing(name)
        return text

    def read(self, name: str) -> bytes | None:
        """The text of a script as a delivery sees it, without changing anything; None when there is none."""
        file = file_for(name)
        with _trouble(self._home), self._open() as folder:
            return None if folder is None else _read(folder, file)

    def active(self) -> tuple[str, bytes] | None:
        """Name and text of the active script as a delivery sees it; changes nothing, not even a plain file."""
        with _trouble(self._home):
            text, file = self._read_active()
            if text is None:
                return None
            return (name_for(file, self._beside) if file else None) or "", text

    def everything(self) -> tuple[dict[str, bytes], str]:
        """The texts of all scripts, and the name of the active one; changes nothing.

        An active one that is a plain file comes under a name that it might be taken into the folder by.
        """
        with _trouble(self._home), self._open() as folder:
            files = [] if folder is None else list(_files(folder))
            texts = {
                name: _read(folder, file) for file in files if folder is not None and (name := _name(folder, file))
            }
        found = {name: text for name, text in sorted(texts.items()) if text is not None}
        name, text = self.active() or ("", b"")
        if self._is_plain():
            name = next(
                free for number in itertools.count(1) if (free := f"dovecot{number}"[: 8 - (number < 2)]) not in found
            )
            found[name] = text
        return found, name if name in found else ""

    def _beside(self, file: str) -> bytes:
        with self._open() as folder:
            return b"" if folder is None else _read(folder, file) or b""

    def _read_active(self) -> tuple[bytes | None, str]:
        """What the link leads to, and its file in the folder.

        Following a link is two steps: a script that is renamed between them is looked for under its new name.
        """
        while True:
            file = self._active_file()
            text = _read(None, str(self._active), follow=True)
            if text is not None or not file or file == self._active_file():
                return text, file

    # --- changing ----------------------------------------------------------------------------------------------

    def put(self, name: str, text: bytes, *, max_scripts: int = 0) -> None:
        """Store or replace a script durably; raises TooManyScripts for a new one beyond `max_scripts` (0: no bound)."""
        file = file_for(name)
        with self._locked() as folder:
            _sweep(folder)
            if not self._room(folder, file, max_scripts):
                raise TooManyScripts(f"there are already {max_scripts} scripts, which is the limit")
            self._write_name(folder, file, name)
            self._write(folder, file, text)
            sync_file(folder)

    def has_room(self, name: str, max_scripts: int) -> bool:
        """Whether `put` would find room for a script of this name."""
        file = file_for(name)
        with self._folder() as folder:
            return folder is None or self._room(folder, file, max_scripts)

    def activate(self, name: str) -> None:
        """Make this the active script, atomically; raises NotFound."""
        file = file_for(name)
        with self._locked() as folder:
            if not _exists(folder, file):
                raise _missing(name)
            if self._active_file() != file:
                self._link(file)

    def deactivate(self) -> None:
        """Have no active script; no error when there is none. RFC 5804 §2.8."""
        with self._locked():
            with suppress(FileNotFoundError):
                self._active.unlink()
            self._sync_home()

    def delete(self, name: str) -> None:
        """Raises NotFound, or ScriptActive for the active script."""
        file = file_for(name)
        with self._locked() as folder:
            if not _exists(folder, file):
                raise _missing(name)
            if self._active_file() == file:
                raise ScriptActive(f"script {name!r} is active; deactivate it first")
            self._unlink(folder, file)
            sync_file(folder)

    def rename(self, old: str, new: str) -> None:
        """Raises NotFound or AlreadyExists; an active script stays active. RFC 5804 §2.11.

        The new name comes first, the link follows, the old name goes last: a delivery always finds the script.
        """
        source, target = file_for(old), file_for(new)
        with self._locked() as folder:
            if not _exists(folder, source):
                raise _missing(old)
            self._write_name(folder, target, new)
            try:
                os.link(source, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError as e:
                raise AlreadyExists(f"there is already a script {new!r}") from e
            sync_file(folder)
            if self._active_file() == source:
                self._link(target)
            self._unlink(folder, source)
            sync_file(folder)

    # --- the folder --------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[int | None]:
        try:
            folder = os.open(self._home / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _folder(self) -> Iterator[int | None]:
        if self._is_plain():
            with self._locked():
                pass  # taking the lock takes the plain file in
        with _trouble(self._home), self._open() as folder:
            yield folder

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with _trouble(self._home):
            with suppress(FileExistsError):
                (self._home / FOLDER).mkdir(mode=self._folder_mode)
                self._sync_home()
            with self._open() as folder:
                if folder is None:
                    raise StoreTrouble(f"{self._home / FOLDER} vanished")
                if not locked_within(folder, fcntl.LOCK_EX, LOCK_PATIENCE):  # ends with the descriptor, also by a crash
                    raise TemporaryTrouble(f"{self._home / FOLDER} is locked by another program")
                if self._is_plain():
                    self._adopt(folder)
                yield folder

    def _is_plain(self) -> bool:
        try:
            return stat.S_ISREG(self._active.lstat().st_mode)
        except FileNotFoundError:
            return False

    def _adopt(self, folder: int) -> None:
        for number in range(1, 1000):
            file = f"{_own_name(number)}{SUFFIX}"
            with suppress(FileExistsError):
                os.link(self._active, file, dst_dir_fd=folder, follow_symlinks=False)
                sync_file(folder)
                self._link(file)
                return
        raise StoreTrouble(f"{self._active} is a plain file, and no name is free for it in {FOLDER}")

    def _room(self, folder: int, file: str, max_scripts: int) -> bool:
        files = set(_files(folder))
        return file in files or not max_scripts or len(files) < max_scripts

    # --- files -------------------------------------------------------------------------------------------------

    def _write(self, folder: int, file: str, text: bytes) -> None:
        temporary = _TEMPORARY + secrets.token_hex(8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        out = os.open(temporary, flags, self._file_mode, dir_fd=folder)
        try:
            with open(out, "wb") as f:  # noqa: PTH123 - a descriptor, not a path
                f.write(text)
                f.flush()
                sync_file(out)
            os.rename(temporary, file, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise

    def _write_name(self, folder: int, file: str, name: str) -> None:
        if beside := name_file(file):
            self._write(folder, beside, name.encode())

    def _unlink(self, folder: int, file: str) -> None:
        os.unlink(file, dir_fd=folder)
        if beside := name_file(file):
            with suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=folder)

    def _link(self, file: str) -> None:
        temporary = self._home / f"{ACTIVE}{_TEMPORARY}{secrets.token_hex(8)}"
        temporary.symlink_to(f"{FOLDER}/{file}")  # relative: a home can be moved
        try:
            temporary.rename(self._active)
        except BaseException:
            temporary.unlink()
            raise
        self._sync_home()

    def _active_file(self) -> str:
        """The file in the folder that the link names; empty when there is no link or it leads elsewhere."""
        try:
            target = self._active.readlink()
        except OSError:
            return ""
        return target.name if self._home / target.parent == self._home / FOLDER else ""

    def _sync_home(self) -> None:
        home = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            sync_file(home)
        finally:
            os.close(home)


def _own_name(number: int) -> str:
    """What a plain file is called in the folder."""
    return f"dovecot{number if number > 1 else ''}"


def _missing(name: str) -> NotFound:
    return NotFound(f"there is no script {name!r}")


@contextmanager
def _trouble(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise StoreTrouble(f"scripts below {home}: {e.strerror}") from e


def _files(folder: int) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                yield entry.name


def _name(folder: int, file: str) -> str | None:
    """The script's name for its file; None for a file that cannot be a script of ours."""
    try:
        return name_for(file, lambda beside: _read(folder, beside) or b"")
    except StoreTrouble:
        return None


def _exists(folder: int, file: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(file, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _read(folder: int | None, file: str, *, follow: bool = False) -> bytes | None:
    """The content of a regular file; None when there is none of that name."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    if folder is not None and not _exists(folder, file):
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


def _sweep(folder: int) -> None:
    """Remove what a crash left behind: with the lock held, no temporary file belongs to anybody."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(_TEMPORARY):
                os.unlink(entry.name, dir_fd=folder)
