"""What a copy of mail folders lacks, once its original is out of sight: changes that were made while it was copied.

With the list of what was copied (see `copied`) it can be told what a reader has changed in the original since, and what
in the copy: a message that is as it was copied gets the name, and so the flags, that it has in the original by now, and
is put away if it has gone there. What has been changed in the copy stays as it is. Other files follow when they are
younger, and are put away when they have gone.

What holds whatever the others do, and whoever crashes:

- Nothing of a copy is removed or replaced: what has gone from the original is put away (see `gone`), and a new name
  that is taken is not given.
- Nothing is put away on the word of a directory that somebody else may be emptying: only while the original lies where
  it lay, with its list still due, and two looks at a folder of it saw the same. Who empties it says so first, by
  `is_followed`, and holds the lock on the leftover, as does who follows. From a damaged original nothing has gone.
- A directory counts as the copy only with the mark that the list tells.
- What was copied and is not in the copy any more has been taken from there; it is not made again.

When all messages of a folder have gone they are put away, too, though that may be damage: a reader who empties a folder
would find it full again, and with `mailbox restore` nothing is lost.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import StoreTrouble, TemporaryTrouble
from sievemda.store import gone
from sievemda.store.copied import LIST, At, fail, mark_of, messages_in, noted, other_files
from sievemda.store.copying import copy_file, give
from sievemda.store.exchange import rename_new
from sievemda.store.files import is_directory, open_directory, sync_directory, unique_name
from sievemda.store.layout import MAILDIR
from sievemda.store.maildir import PARTS, is_at
from sievemda.store.pinned import open_pinned
from sievemda.store.whose import mailbox_at

if TYPE_CHECKING:
    from sievemda.store.mailbox import Files, Mailbox
    from sievemda.store.mailstore import MailStore

_log = logging.getLogger(__name__)
_LOOKS = 10  # at a folder that somebody changes under them


class Original:
    """What was copied, and whether what was changed meanwhile is still to follow. See `opened`.

    It is damaged where the messages are not that nobody can have removed: an INBOX, or the folder that was copied.
    """

    def __init__(self, left: Path, fd: int) -> None:
        self.left = left
        self._fd = fd
        self.copied, self.due = noted(left)
        self.is_damaged = any(
            below in (".", MAILDIR) and not is_directory(left / below / "cur") for below in self.copied.messages
        )

    def is_copied_to(self, *places: Path) -> bool:
        """Whether one of these directories is the copy. Not so, when there is no list."""
        return self.copied.mark != "" and any(mark_of(place) == self.copied.mark for place in places)

    def before(self, folder: Path) -> dict[str, At]:
        """Where the messages of a folder of it were when they were copied."""
        return self.copied.messages.get(str(folder.relative_to(self.left)), {})

    def check(self) -> None:
        """StoreTrouble when it is not known any more whether what is not in it has been removed by a reader."""
        with suppress(FileNotFoundError):
            found = os.stat(LIST, dir_fd=self._fd, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and is_at(self._fd, str(self.left)):
                return
        raise StoreTrouble(f"{self.left}: somebody else is at what a move has left")


@contextmanager
def opened(left: Path) -> Iterator[Original]:
    """The original of a copy. OSError."""
    fd = open_directory(left)
    try:
        yield Original(left, fd)
    finally:
        os.close(fd)


def settled(folder: Path) -> dict[str, At]:
    """What two looks at a folder agree on; nothing of one that is not there. OSError.

    TemporaryTrouble when somebody keeps changing it.
    """
    last = messages_in(folder)
    for _ in range(_LOOKS):
        found = messages_in(folder)
        if found == last:
            return found
        last = found
    raise TemporaryTrouble(f"{folder} changes all the time")


# -- files that are no messages ----------------------------------------------------------------------------------------


def catch_up_files(store: MailStore, original: Original, place: Path) -> None:
    """Those that were changed, made or removed while they were copied, as scripts and control files. OSError.

    What is not in the copy any more has been removed, or renamed with its folder, since.
    """
    left, copied = original.left, original.copied
    there = set()
    _make_directories(left, place, set(copied.messages))
    for path in other_files(left):
        relative = path.relative_to(left)
        there.add(str(relative))
        if str(relative) in copied.files and not os.path.lexists(place / relative):
            continue
        if _is_newer(path, place / relative) and is_directory((place / relative).parent):
            _replace(path, place / relative)
    if not original.due or original.is_damaged:
        return
    for name, written in copied.files.items():
        path = place / name
        if name not in there and not gone.is_put_away(Path(name)):
            with suppress(FileNotFoundError, NotADirectoryError):
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode) and found.st_mtime_ns == written:
                    original.check()
                    gone.put_file_away(store, path)


def _make_directories(left: Path, place: Path, copied: set[str]) -> None:
    for at, names, _ in os.walk(left, onerror=fail):
        below = Path(at).relative_to(left)
        target = place / below
        if not target.is_dir() and (str(below) in copied or os.path.lexists(target)):
            names[:] = []
            continue
        names[:] = [name for name in names if not Path(at, name).is_symlink()]
        if not target.is_dir():
            target.mkdir(mode=0o700)
            shutil.copystat(at, target)
            give(Path(at), target)
        if Path(at).name in PARTS:
            names[:] = []


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


# -- messages ----------------------------------------------------------------------------------------------------------


def catch_up_messages(store: MailStore, original: Original, left: Path, where: Mailbox | Path) -> None:
    """Flags and removals of a folder that goes by its original, which may be no more. OSError, StoreTrouble."""
    place, before = path_of(where), original.before(left)
    if not before or not is_directory(place / "cur"):
        return
    if original.is_damaged or (is_directory(left) and not is_directory(left / "cur")):
        _log.error("%s is damaged: what has gone from it stays in %s", left, place)
        return
    now, here = settled(left), messages_in(place)
    changed = [unique for unique, at in before.items() if now.get(unique) != at and _is_as_it_was(here.get(unique), at)]
    _rename(store.files, left, place, [(here[unique], now[unique]) for unique in changed if unique in now])
    away = [here[unique] for unique in changed if unique not in now]
    if away and not gone.is_put_away(place):
        original.check()
        gone.put_away(store, where if not isinstance(where, Path) else mailbox_at(store, where), away)
    if not is_directory(left):
        _clear(place)


def _is_as_it_was(here: At | None, before: At) -> bool:
    """Whether nobody has changed a message in the copy; whoever looks at a folder brings it from `new` to `cur`."""
    return here is not None and here[1].partition(":2,")[2] == before[1].partition(":2,")[2]


def _clear(place: Path) -> None:
    """A folder that a reader removed, or renamed, while it was copied goes if nothing is in it."""
    with suppress(OSError):
        for part in ("tmp", "new", "cur", ""):
            (place / part).rmdir()


def _rename(files: Files, left: Path, place: Path, changed: Sequence[tuple[At, At]]) -> None:
    if not changed:
        return
    with ExitStack() as stack:
        parts = {}
        for part in ("new", "cur"):
            parts[part] = open_pinned(f"{place}/{part}")
            stack.callback(os.close, parts[part])
        for (part, name), (to, new) in changed:
            with suppress(FileNotFoundError, FileExistsError):  # a reader of the copy was quicker
                rename_new(name, renamed(files, left, place, new), old_fd=parts[part], new_fd=parts[to])
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


def path_of(where: Mailbox | Path) -> Path:
    """Of a directory with messages, which may be no mailbox."""
    return where if isinstance(where, Path) else where.path
