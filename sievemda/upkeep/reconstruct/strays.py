"""What lies in a folder and is of no use there: unfinished files, messages that nobody sees.

Unfinished files are removed, as Maildir has every reader do 36 hours later: whoever wrote one has never said that the
message arrived. Not one of a process that lives, for an import gives its files the time of arrival of old messages.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import HOST, open_directory, unique_name
from sievemda.upkeep.reconstruct.content import is_whole
from sievemda.upkeep.reconstruct.findings import Work
from sievemda.upkeep.reconstruct.hands import Hands
from sievemda.upkeep.reconstruct.message_names import Name, placed
from sievemda.upkeep.reconstruct.messages import UNFINISHED

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_WRITER = re.compile(r"\d+\.(?:M\d+)?P?(\d+)(?:[^.\d][^.]*)?\.([^,:]+)")
_FILLING = "filling."  # what only somebody who holds the lock of `tmp` writes
_OURS = re.compile(r"\.(?:sievemda-|maildirsize|dovecot-|subscriptions|maildirfolder)[^.]*\.\d+\.M\d+P")
_CONTROL = ("dovecot", "courier", "maildir", "sievemda", "subscriptions", "quota", ".")


def mend_strays(work: Work, mailbox: Mailbox, shown: str) -> None:
    """OSError when the folder cannot be read."""
    _unfinished(work, mailbox, shown)
    with os.scandir(mailbox.path) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISREG(seen.st_mode):
            _file(work, mailbox, shown, Path(entry.path), seen)


def _unfinished(work: Work, mailbox: Mailbox, shown: str) -> None:
    temporary = mailbox.path / "tmp"
    try:
        with _nobody_fills(temporary) as free:
            if free:
                for path, found in _files(temporary):
                    if path.name.startswith(_FILLING) or is_abandoned(path.name, found):
                        work.mend(shown, "unfinished", path, "it was never finished", "removed", path.unlink)
    except (FileNotFoundError, NotADirectoryError):
        return


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for name in sorted(os.listdir(directory)):  # noqa: PTH208 - of very many
        try:
            found = (directory / name).lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(found.st_mode):
            yield directory / name, found


@contextmanager
def _nobody_fills(temporary: Path) -> Iterator[bool]:
    """Whether nobody is just putting many messages into the folder; nobody can begin meanwhile."""
    fd = open_directory(temporary)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def is_abandoned(name: str, found: os.stat_result) -> bool:
    """Whether nobody will finish a file: it is old, and its name is not that of a process that lives."""
    limit = time.time() - UNFINISHED
    if found.st_mtime > limit:
        return False
    writer = _WRITER.match(name)
    if writer is None or found.st_ctime <= limit:
        return True
    return is_of_the_dead(name)


def is_of_the_dead(name: str) -> bool:
    """Whether a name is that of a process of this host that is no more."""
    writer = _WRITER.match(name)
    return writer is not None and writer[2] == HOST and not _lives(int(writer[1][:9]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _file(work: Work, mailbox: Mailbox, shown: str, path: Path, found: os.stat_result) -> None:
    if _OURS.match(path.name):
        if is_abandoned(path.name.lstrip(".").partition(".")[2], found):
            work.mend(shown, "unfinished", path, "it was never put in place", "removed", path.unlink)
    elif not path.name.startswith(_CONTROL) and is_whole(path):
        _message(work, mailbox, shown, path, found)


def _message(work: Work, mailbox: Mailbox, shown: str, path: Path, found: os.stat_result) -> None:
    """A message beside `cur` and `new`: it keeps its name when that can be one, and the time when it arrived."""
    name = Name.of(path.name)
    if not re.match(r"\d+\.", name.base) or not name.can_be:
        name = Name(unique_name(), None)
    letters = name.letters
    if name.size != found.st_size:
        size = found.st_size
        name = name.with_sizes(size, size + path.read_bytes().count(b"\n"))
    part, target = placed("cur" if letters else "new", Name(name.base, f"2,{letters}" if letters else None))
    if os.path.lexists(mailbox.path / part / target):
        target = target.replace(name.unique, unique_name(), 1)

    def bring() -> None:
        with Hands(mailbox) as hands:
            hands.bring(path, (part, target))

    what = "a message lies where no reader looks"
    work.mend(shown, "misplaced", path, what, f"put into {part} as {target}", bring)
    if work.options.dry_run:
        work.expect(mailbox.quota_root(), found.st_size, 1)
