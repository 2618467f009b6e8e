"""What was copied of a directory that goes to another file system: a list in the original, a mark in the copy.

    .copied     in the original: what was copied, and the mark; what was changed since is still to follow
    .followed   the same when that is done
    .copy       in the copy: the mark

The list is written before the copy is put in its place. The mark tells a copy from what somebody else has made in its
place, as an IMAP server does, and stays in it. Where there is none, or another, the list says nothing.

Why no inode: that of a copy which is removed is given to the next directory that is made, perhaps in that very place.

Why a list in a file and not in memory alone: whoever goes on after a crash must know it. On a disk that is too full for
it the move goes on without: then, after a crash, what was changed meanwhile is as it was.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.store.files import is_directory, read_control_file, sync_directory, write_new
from sievemda.store.maildir import PARTS
from sievemda.store.messages import unique_part

LIST, DONE, MARK = ".copied", ".followed", ".copy"
_FULL = (errno.ENOSPC, errno.EDQUOT)

At = tuple[str, str]  # `new` or `cur`, and the name of a message's file


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied of a directory: by folder and unique part where each message was, and when others were written.

    Paths are relative to the directory; times in nanoseconds since 1970.
    """

    messages: dict[str, dict[str, At]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    mark: str = ""  # of the copy

    @classmethod
    def of(cls, directory: Path) -> Copied:
        """OSError."""
        found = cls(mark=mark_of(directory))
        for folder in folders_in(directory):
            found.messages[str(folder.relative_to(directory))] = messages_in(folder)
        for path in other_files(directory):
            found.files[str(path.relative_to(directory))] = path.lstat().st_mtime_ns
        return found


# -- looking -----------------------------------------------------------------------------------------------------------


def folders_in(directory: Path) -> Iterator[Path]:
    """Every directory with messages at or below one; none that is shown by a link. OSError."""
    for at, names, _ in os.walk(directory, onerror=fail):
        if "cur" in names and is_directory(f"{at}/cur"):
            yield Path(at)
        names[:] = [name for name in names if name not in PARTS]


def other_files(directory: Path) -> Iterator[Path]:
    """Files that are no messages, and links. OSError."""
    for at, names, files in os.walk(directory, onerror=fail):
        links = [name for name in names if Path(at, name).is_symlink()]
        names[:] = [name for name in names if name not in PARTS and name not in links]
        for name in files + links:
            if not name.endswith(".lock") and name not in (LIST, DONE, MARK):
                yield Path(at, name)


def fail(error: OSError) -> None:
    """What a walk through directories does that others change."""
    if not isinstance(error, FileNotFoundError):
        raise error


def places_in(folder: Path) -> list[At]:
    """Where the messages of a folder are. `new` first, since they leave there. OSError."""
    found: list[At] = []
    for part in ("new", "cur"):
        if not is_directory(folder / part):
            continue
        with suppress(FileNotFoundError), os.scandir(folder / part) as entries:
            found += [(part, each.name) for each in entries if _is_message(each)]
    return found


def _is_message(entry: os.DirEntry[str]) -> bool:
    return entry.name[0] != "." and entry.is_file(follow_symlinks=False)


def messages_in(folder: Path) -> dict[str, At]:
    """By the unique part of its name: where in the folder a message is; of several of one name always the same."""
    found: dict[str, At] = {}
    for at in sorted(places_in(folder), reverse=True):
        found[unique_part(at[1])] = at
    return found


# -- the mark ----------------------------------------------------------------------------------------------------------


def sign(copy: Path, mode: int) -> None:
    """Give a copy that nobody has seen its mark. OSError."""
    write_new(copy / MARK, os.urandom(12).hex().encode(), mode)


def mark_of(directory: Path) -> str:
    """Empty when it has none that can be read: a user may have a shell."""
    with suppress(OSError, ValueError):
        return (read_control_file(directory / MARK) or b"").decode("ascii")
    return ""


# -- the list ----------------------------------------------------------------------------------------------------------


def note(original: Path, copied: Copied, mode: int, *, due: bool = True) -> None:
    """Write down what was copied. OSError, but not for a full disk."""
    forget(original)
    name = original / (LIST if due else DONE)
    try:
        write_new(name, json.dumps([copied.messages, copied.files, copied.mark]).encode(), mode)
    except OSError as error:
        name.unlink(missing_ok=True)
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
    _, due = noted(original)
    return not due or is_noted_for(original, place)


def is_noted_for(original: Path, place: Path) -> bool:
    """Whether a directory is the copy of which a list was made. OSError."""
    copied, _ = noted(original)
    return copied.mark != "" and copied.mark == mark_of(place)


def forget(original: Path) -> None:
    """There is no copy any more, or none of which is known what is in it."""
    for name in (LIST, DONE):
        (original / name).unlink(missing_ok=True)


def is_followed(original: Path) -> None:
    """Everything that was changed meanwhile has followed; from now on the original is emptied."""
    with suppress(FileNotFoundError):
        (original / LIST).rename(original / DONE)
        sync_directory(original)


def _understood(content: bytes) -> Copied:
    """A user may have a shell: what is no list of ours says nothing, and no path in it leads elsewhere."""
    try:
        messages, files, mark = json.loads(content)
        found = {
            str(folder): {str(unique): (str(part), str(name)) for unique, (part, name) in inside.items()}
            for folder, inside in messages.items()
        }
        copied = Copied(found, {str(path): int(written) for path, written in files.items()}, mark)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Copied()
    if not isinstance(mark, str):
        return Copied()
    names = [name for inside in found.values() for at in inside.values() for name in at]
    paths = [Path(path) for path in (*found, *copied.files)]
    sound = not any("/" in name for name in names) and not any(
        path.is_absolute() or ".." in path.parts for path in paths
    )
    return copied if sound else Copied()
