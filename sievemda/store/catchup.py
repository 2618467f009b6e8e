"""What a copy of mail folders lacks, once its original is out of sight: changes that were made while it was copied.

What was copied is written into the original, as `.copied`, before the copy is put in its place. With that list it can
be told what a reader has changed in the original since, and what in the copy: a message that is as it was copied gets
the name, and so the flags, that it has in the original by now, and goes if it has gone there. What has been changed in
the copy stays as it is. Other files follow when they are younger, and go when they have gone. It says by its inode
which directory the copy is: what somebody else has made in its place, as an IMAP server does, has none of the messages.

`.copied` becomes `.followed` when all of that is done; only then is a message taken out of the original, which would
look as if a reader had. So a crash at any point lets somebody else go on.

Why a list in a file and not in memory alone: whoever goes on after a crash must know it. On a disk that is too full for
it the move goes on without: then, after a crash, what was changed meanwhile is as it was.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.copying import copy_file, give
from sievemda.store.files import is_directory, sync_directory, unique_name, write_new
from sievemda.store.maildir import PARTS
from sievemda.store.messages import unique_part
from sievemda.store.pinned import open_pinned

if TYPE_CHECKING:
    from sievemda.store.mailbox import Files

LIST, DONE = ".copied", ".followed"
_FULL = (errno.ENOSPC, errno.EDQUOT)

At = tuple[str, str]  # `new` or `cur`, and the name of a message's file


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied of a directory: by folder and unique part where each message was, and when others were written.

    Paths are relative to the directory; times in nanoseconds since 1970.
    """

    messages: dict[str, dict[str, At]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    inode: int = 0  # of the copy

    @classmethod
    def of(cls, directory: Path) -> Copied:
        """OSError."""
        found = cls(inode=directory.stat().st_ino)
        for folder in folders_in(directory):
            found.messages[str(folder.relative_to(directory))] = messages_in(folder)
        for path in other_files(directory):
            found.files[str(path.relative_to(directory))] = path.lstat().st_mtime_ns
        return found


def folders_in(directory: Path) -> Iterator[Path]:
    """Every directory with messages at or below one; none that is shown by a link. OSError."""
    for at, names, _ in os.walk(directory, onerror=_fail):
        if "cur" in names and is_directory(f"{at}/cur"):
            yield Path(at)
        names[:] = [name for name in names if name not in PARTS]


def other_files(directory: Path) -> Iterator[Path]:
    """Files that are no messages, and links. OSError."""
    for at, names, files in os.walk(directory, onerror=_fail):
        links = [name for name in names if Path(at, name).is_symlink()]
        names[:] = [name for name in names if name not in PARTS and name not in links]
        for name in files + links:
            if not name.endswith(".lock") and name not in (LIST, DONE):
                yield Path(at, name)


def _fail(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def messages_in(folder: Path) -> dict[str, At]:
    """By the unique part of its name: where in the folder a message is. `new` first, since it leaves there."""
    found: dict[str, At] = {}
    for part in ("new", "cur"):
        if not is_directory(folder / part):
            continue
        with suppress(FileNotFoundError), os.scandir(folder / part) as entries:
            for entry in entries:
                if entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                    found[unique_part(entry.name)] = (part, entry.name)
    return found


# -- the list ----------------------------------------------------------------------------------------------------------


def note(original: Path, copied: Copied, mode: int) -> None:
    """Write down what was copied. OSError, but not for a full disk."""
    for name in (LIST, DONE):
        (original / name).unlink(missing_ok=True)
    try:
        write_new(original / LIST, json.dumps([copied.messages, copied.files, copied.inode]).encode(), mode)
    except OSError as error:
        (original / LIST).unlink(missing_ok=True)
        if error.errno not in _FULL:
            raise


def noted(original: Path) -> tuple[Copied, bool]:
    """What was copied, and whether what was changed meanwhile is still to follow. Nothing where it was not noted."""
    for name, due in ((LIST, True), (DONE, False)):
        try:
            fd = os.open(original / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
                continue
            raise
        with os.fdopen(fd, "rb") as file:
            written = os.fstat(fd)
            if stat.S_ISREG(written.st_mode) and written.st_uid == os.geteuid():
                return _understood(file.read()), due
    return Copied(), False


def is_copy(original: Path, place: Path) -> bool:
    """Whether a directory can be the copy of which a list was made; it can when there is none. OSError."""
    copied, due = noted(original)
    return not due or copied.inode == place.lstat().st_ino


def forget(original: Path) -> None:
    """There is no copy any more, or none of which is known what is in it."""
    for name in (LIST, DONE):
        (original / name).unlink(missing_ok=True)


def _understood(content: bytes) -> Copied:
    """A user may have a shell: what is no list of ours says nothing, and no path in it leads elsewhere."""
    try:
        messages, files, inode = json.loads(content)
        found = {
            str(folder): {str(unique): (str(part), str(name)) for unique, (part, name) in inside.items()}
            for folder, inside in messages.items()
        }
        copied = Copied(found, {str(path): int(written) for path, written in files.items()}, int(inode))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Copied()
    names = [name for inside in found.values() for at in inside.values() for name in at]
    paths = [Path(path) for path in (*found, *copied.files)]
    sound = not any("/" in name for name in names) and not any(
        path.is_absolute() or ".." in path.parts for path in paths
    )
    return copied if sound else Copied()


def is_followed(original: Path) -> None:
    """Everything that was changed meanwhile has followed; from now on the original is emptied."""
    with suppress(FileNotFoundError):
        (original / LIST).rename(original / DONE)
        sync_directory(original)


# -- following ---------------------------------------------------------------------------------------------------------


def catch_up_files(left: Path, place: Path, copied: Copied) -> None:
    """Other files that were changed, made or removed while they were copied, as scripts and control files. OSError."""
    for at, names, _ in os.walk(left, onerror=_fail):
        names[:] = [name for name in names if not Path(at, name).is_symlink()]
        target = place / Path(at).relative_to(left)
        if not target.is_dir():
            target.mkdir(mode=0o700)
            shutil.copystat(at, target)
            give(Path(at), target)
        if Path(at).name in PARTS:
            names[:] = []
    there = set()
    for path in other_files(left):
        relative = path.relative_to(left)
        there.add(str(relative))
        if _is_newer(path, place / relative):
            _replace(path, place / relative)
    for name, written in copied.files.items():
        path = place / name
        if name not in there and ".." not in path.parts:
            with suppress(FileNotFoundError, NotADirectoryError):
                if not stat.S_ISDIR(path.lstat().st_mode) and path.lstat().st_mtime_ns == written:
                    path.unlink()


def _is_newer(path: Path, other: Path) -> bool:
    """Whether a file or link is another one than its copy, and younger."""
    found = path.lstat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return False
    try:
        copy = other.lstat()
        same = path.is_symlink() and other.is_symlink() and path.readlink() == other.readlink()
    except FileNotFoundError:
        return True
    return found.st_mtime_ns > copy.st_mtime_ns and not same and not stat.S_ISDIR(copy.st_mode)


def _replace(path: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{unique_name()}")
    if path.is_symlink():
        temporary.symlink_to(path.readlink())
        give(path, temporary)
    else:
        copy_file(path, temporary)
    temporary.replace(target)
    sync_directory(target.parent)


def catch_up_messages(files: Files, left: Path, place: Path, copied: dict[str, At]) -> None:
    """Flags and removals of a folder that goes by its original, which may be no more. OSError."""
    now = messages_in(left)
    now |= {unique: at for unique, at in messages_in(left).items() if unique not in now}  # renamed under the first look
    here = messages_in(place)
    changed = [(unique, *at) for unique, at in copied.items() if now.get(unique) != at and here.get(unique) == at]
    if not changed:
        return
    with ExitStack() as opened:
        parts = {}
        for part in ("new", "cur"):
            parts[part] = open_pinned(f"{place}/{part}")
            opened.callback(os.close, parts[part])
        for unique, part, name in changed:
            with suppress(FileNotFoundError):  # a reader of the copy was quicker
                if unique in now:
                    to, new = now[unique]
                    new = renamed(files, left, place, new)
                    os.rename(name, new, src_dir_fd=parts[part], dst_dir_fd=parts[to])
                else:
                    os.unlink(name, dir_fd=parts[part])
        for directory in parts.values():
            os.fsync(directory)


def renamed(files: Files, left: Path, place: Path, name: str) -> str:
    """The name of a message whose keywords are other letters where it goes."""
    base, _, letters = name.partition(":2,")
    words = files.keywords.names(left, letters)
    if not words:
        return name
    ours = files.keywords.letters(place, words)
    return f"{base}:2,{''.join(sorted({letter for letter in letters if not letter.islower()} | set(ours)))}"
