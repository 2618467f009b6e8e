"""Moving several directories and links as if it were one step (semantics, section 5).

What is to be done is written down first, in `moving./UNIQUE` of the default partition. An error takes back what was
done; after a crash the rest is done, or taken back, by whoever comes next. The note says how far it went, but for one
step, which can be repeated, and what is to follow the last one. Whoever is under way holds a lock on his note.

Each directory moves by one rename, or is copied to another file system (see `crossing`).
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.errors import AlreadyExists, SievemdaError
from sievemda.store import copied
from sievemda.store.crossing import transfer
from sievemda.store.directories import make_directory
from sievemda.store.files import is_directory, read_control_file, sync_directory, unique_name, write_new
from sievemda.store.layout import MOVING
from sievemda.store.leftovers import follow, leave
from sievemda.store.links import hold
from sievemda.store.maildir import is_at
from sievemda.store.vacating import vacate

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_log = logging.getLogger(__name__)
_ABANDONED = 86400.0  # seconds after which a note that was never finished is nobody's
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DONE, _BACK, _UNDONE = b"+", b"!", b"-"  # what is noted behind the first line


@dataclass(frozen=True, slots=True)
class Step:
    """`move`: the directory `at` goes to `to`. `link`: `at` becomes a link to `to`. `unlink`: it is one no more.

    `linked`: nothing; when it is taken back `at` becomes a link to `to`. A move may go where a link shows what moves.
    `clear`: `at` is removed if it is empty. `vacate`: it goes away if it is a home that nobody has used.
    """

    what: str
    at: Path
    to: Path
    inode: int = 0  # of what is to be moved, if it is there when the journey begins


@contextmanager
def journey(store: MailStore, steps: Sequence[Step], note: dict[str, Any]) -> Iterator[None]:
    """Go all the steps, and then what is done inside, or take them back.

    `note` is what a successor is told, so that he can do the latter. AlreadyExists, OSError.
    """
    path, fd = _written(store, steps, note)
    with ExitStack() as held:
        held.callback(os.close, fd)
        done, over = 0, True
        try:
            for step in steps:
                _go(store, step, held, _links(steps))
                _say(fd, _DONE)
                done += 1
            yield
        except BaseException:
            with suppress(OSError):  # the disk of the note is full: that is no reason to leave it half done
                _say(fd, _BACK)
            over = _go_back(store, steps[:done], fd, held)
            raise
        finally:
            if over:
                path.unlink(missing_ok=True)


def go_on(store: MailStore, arrived: Callable[[dict[str, Any]], None]) -> None:
    """Go the rest of the steps of those who never arrived; `arrived` does what follows, as their notes tell.

    What cannot be finished now is tried again the next time.
    """
    for partition in store.layout.partitions:
        base = store.layout.partition(partition) / MOVING
        for path in sorted(base.iterdir()) if is_directory(base) else ():
            try:
                fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                with ExitStack() as held:
                    held.callback(os.close, fd)
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if is_at(fd, str(path)):  # it may have come to its end meanwhile
                        _finish(store, path, fd, arrived, held)
            except (BlockingIOError, FileNotFoundError):
                continue
            except OSError as error:
                _log.error("%s is no note of a rename: %s", path, error)


def unfinished(store: MailStore) -> frozenset[str]:
    """The notes of those who never arrived, and that nobody has gone on with."""
    base, found = store.layout.partition(store.layout.default) / MOVING, set()
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in base.iterdir():
            with suppress(OSError):
                if not path.name.startswith(".") and not _is_held(path):
                    found.add(path.name)
    return frozenset(found)


def is_shown_soon(store: MailStore, seen: Path) -> bool:
    """Whether somebody is under way with a folder that belongs at a path, where it cannot be seen at this moment."""
    base = store.layout.partition(store.layout.default) / MOVING
    with suppress(FileNotFoundError, NotADirectoryError):
        recent = time.time() - base.stat().st_mtime < _ABANDONED  # a look-up reads no directory without need
        for path in base.iterdir() if recent else ():
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                note = json.loads((read_control_file(path) or b"").partition(b"\n")[0])
                for what, at, to, *_ in note["steps"]:
                    if str(seen) == {"link": at, "move": to}.get(what):
                        return _is_held(path)
    return False


def _is_held(path: Path) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _written(store: MailStore, steps: Sequence[Step], note: dict[str, Any]) -> tuple[Path, int]:
    base = store.layout.partition(store.layout.default) / MOVING
    make_directory(store, base)
    path = base / unique_name()
    content = note | {"steps": [[step.what, str(step.at), str(step.to), _inode(step.at)] for step in steps]}
    unseen = path.with_name(f".{path.name}")
    write_new(unseen, json.dumps(content).encode() + b"\n", store.files.message_mode)
    fd = os.open(unseen, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    fcntl.flock(fd, fcntl.LOCK_EX)
    unseen.rename(path)
    sync_directory(base)
    return path, fd


def _inode(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_ino
    return 0


def _say(fd: int, what: bytes) -> None:
    os.write(fd, what)
    os.fdatasync(fd)


def _finish(store: MailStore, path: Path, fd: int, arrived: Callable[[dict[str, Any]], None], held: ExitStack) -> None:
    if path.name.startswith("."):  # he has not begun; he may be about to
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)
        return
    try:
        first, _, said = (read_control_file(path) or b"").partition(b"\n")
        note: dict[str, Any] = json.loads(first)
        steps = [Step(what, Path(at), Path(to), *inode) for what, at, to, *inode in note["steps"]]
        _check(store, steps)
        done = said.count(_DONE) - said.count(_UNDONE)
        if _BACK in said:
            if not _go_back(store, steps[:done], fd, held):
                return
        else:
            for step in steps[done:]:
                _go(store, step, held, _links(steps), again=True)
                _say(fd, _DONE)
            arrived(note)
            follow(store)
    except (OSError, SievemdaError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _log.error("%s cannot be finished now: %s", path, error)
    else:
        path.unlink(missing_ok=True)


def _check(store: MailStore, steps: Sequence[Step]) -> None:
    """ValueError for steps that lead out of the partitions: no note of ours has such."""
    for path in (path for step in steps for path in (step.at, step.to)):
        if not store.layout.really_holds(path):
            raise ValueError(f"{path} lies in no partition")


def _go_back(store: MailStore, done: Sequence[Step], fd: int, held: ExitStack) -> bool:
    """Whether that is over: on a full disk whoever comes next, when there is room, goes on.

    What else cannot be taken back is left and told; the other steps are still taken back.
    """
    for step in reversed(done):
        back = {"move": "move", "unlink": "link", "link": "unlink", "linked": "link"}.get(step.what)
        at, to = (step.to, step.at) if back == "move" else (step.at, step.to)
        try:
            if back:
                _go(store, Step(back, at, to, 0 if copied.mark_of(at) else step.inode), held, (), again=True)
        except (OSError, SievemdaError) as error:
            _log.error("%s cannot be put back: %s", step.at, error)
            cause = error if isinstance(error, OSError) else error.__cause__
            if isinstance(cause, OSError) and cause.errno in _FULL:
                return False
        with suppress(OSError):
            _say(fd, _UNDONE)
    return True


# -- steps -------------------------------------------------------------------------------------------------------------


def _links(steps: Sequence[Step]) -> Sequence[tuple[Path, Path]]:
    """What is to be shown by a link in the end: where that is, and what it shows."""
    return [(step.at, step.to) for step in steps if step.what == "link"]


def _go(
    store: MailStore, step: Step, held: ExitStack, linked: Sequence[tuple[Path, Path]], *, again: bool = False
) -> None:
    match step.what:
        case "move":
            _move(store, step, held, again=again, shown=(step.at, step.to) in linked)
        case "unlink":
            if step.at.is_symlink():
                step.at.unlink()
                sync_directory(step.at.parent)
        case "link":
            if not (step.at.is_symlink() and (again or step.at.readlink() == step.to)):
                step.at.symlink_to(step.to)
            sync_directory(step.at.parent)
        case "clear":
            with suppress(OSError):
                step.at.rmdir()
        case "vacate":
            vacate(store, step.at)


def _is_copied(store: MailStore, source: Path, place: Path) -> bool:
    """Whether a directory has been copied, and that was the last that was done.

    If not, somebody has made what is in its place meanwhile: that goes, or everything goes there that it lacks.
    """
    if not copied.is_copy(source, place):
        vacate(store, place)
        if not os.path.lexists(place):
            return False
        copied.forget(source)
    return True


def _is_another(step: Step) -> bool:
    """Whether something was made where that had been which has arrived already, as a folder on that partition."""
    return step.inode not in (0, _inode(step.at))


def _move(store: MailStore, step: Step, held: ExitStack, *, again: bool, shown: bool) -> None:
    source, place = step.at, step.to
    if source.is_symlink() and source.readlink() in (source, place):  # swapped: it has gone already
        if not shown:
            source.unlink()
        return
    if again:
        for directory in (source, place):
            with suppress(OSError):  # it is not there, or on a file system without locks
                hold(directory, held)
    if os.path.lexists(place) and not again:
        vacate(store, place)
    if os.path.lexists(place) and not (place.is_symlink() and place.resolve() == source.resolve()):
        if not again:
            raise AlreadyExists(f"{place} is in the way")
        if not os.path.lexists(source) or _is_another(step):
            return
        if _is_copied(store, source, place):
            leave(store, source, place, shown=shown)
            return
    make_directory(store, place.parent)
    transfer(store, source, place, held, shown=shown)
