"""Messages that left one folder together and can be brought back: a directory in the area of `withdrawn` for them.

    ID.gathered/about           JSON: the mailbox, why, when, and which keywords the letters of its names stand for
    ID.gathered/cur/NAME        the messages, as they were called in their folder
    ID.gathered/new/NAME

It is there, durably, before the first message is renamed into it, so that each is in its folder or here and never in
both, whenever that stops. What people are told of a message is read from it when they ask.

Why the names of the folder: they say flags and size, and are right also when a reader has just changed them; so a
message costs one rename, and no file of its own. Only to another file system it is copied first.

Why what is empty goes after a day only: somebody may be about to rename messages into it.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.store.exchange import rename_new
from sievemda.store.files import open_directory, read_control_file, unique_name, write_new
from sievemda.store.maildir import size_of
from sievemda.store.messages import system_flags, unique_part
from sievemda.store.opened import Entry, OpenFolder, open_message, read_header
from sievemda.store.staging import write_staged
from sievemda.store.withdrawn import END_OF_TIME, Withdrawn, open_area

if TYPE_CHECKING:
    from sievemda.mail.message import Message

ENDING = ".gathered"
_ABOUT = "about"
_PARTS = ("cur", "new")
_MODE = 0o700
_LONGEST = 1000  # characters of a text of a message


class Gathering:
    """Takes messages of an open folder, whose name for people is `mailbox`. OSError when there is no room for that."""

    def __init__(self, folder: OpenFolder, mailbox: str, why: str) -> None:
        store = folder.mailbox.store
        self.keywords = store.keywords.known(folder.mailbox.path)
        self._mode = store.message_mode
        self._name = f"{unique_name()}{ENDING}"
        self._copied: list[tuple[Entry, str]] = []
        about = {"mailbox": mailbox, "why": why, "when": time.time(), "keywords": self.keywords}
        with ExitStack() as stack:
            self._area = _closed_by(stack, open_area(folder.mailbox))
            os.mkdir(self._name, _MODE, dir_fd=self._area)
            try:
                self._directory = _closed_by(stack, _open(self._name, self._area))
                write_new(_ABOUT, json.dumps(about).encode(), self._mode, dir_fd=self._directory)
                self._parts = {}
                for part in _PARTS:
                    os.mkdir(part, _MODE, dir_fd=self._directory)
                    self._parts[part] = _closed_by(stack, _open(part, self._directory))
                os.fsync(self._directory)
                os.fsync(self._area)
            except BaseException:
                _clear(self._area, self._name)
                raise
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Nothing stays of it when it has taken nothing."""
        _clear(self._area, self._name)
        self._stack.close()

    def take(self, entry: Entry) -> bool:
        """Whether the message is out of its folder; False: it is copied, and `leave` takes it out. OSError."""
        into = self._parts[entry.part]
        try:
            _rename(entry.name, entry.fd, into)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copied.append((entry, self._copy(entry, into)))
            return False
        return True

    def _copy(self, entry: Entry, into: int) -> str:
        came, unfinished = entry.status.st_mtime_ns, f".{unique_name()}"
        write_staged(unfinished, entry.blocks(), self._mode, dir_fd=into)
        os.utime(unfinished, ns=(came, came), dir_fd=into)
        return _rename(unfinished, into, into, entry.name)

    def leave(self) -> Iterator[Entry]:
        """Take out of the folder what has been copied: what is. One that was renamed meanwhile stays there. OSError."""
        if not self._copied:
            return
        copied, self._copied = self._copied, []
        for part in self._parts.values():
            os.fsync(part)
        for entry, name in copied:
            try:
                os.unlink(entry.name, dir_fd=entry.fd)
            except OSError as error:
                os.unlink(name, dir_fd=self._parts[entry.part])
                if not isinstance(error, FileNotFoundError):
                    raise
            else:
                yield entry


def _rename(name: str, source: int, target: int, new: str = "") -> str:
    """What it is called now: what is there already is not replaced. OSError."""
    try:
        rename_new(name, new or name, old_fd=source, new_fd=target)
    except FileExistsError:
        wanted = new or name
        other = f"{unique_name()}{wanted[len(unique_part(wanted)) :]}"
        rename_new(name, other, old_fd=source, new_fd=target)
        return other
    return new or name


def _closed_by(stack: ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _open(name: str, directory: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)


# -- looking -----------------------------------------------------------------------------------------------------------


def entries(area: int, directory: str, *, brief: bool, latest_first: bool) -> Iterator[Withdrawn]:
    """What is in a directory of the open area, the oldest first; `brief`: without what is read from the messages."""
    with ExitStack() as stack:
        try:
            opened = _closed_by(stack, _open(directory, area))
        except OSError:  # it has gone, or is something else
            return
        about = _about(opened)
        parts = _opened_parts(stack, opened)
        found = [(name, part) for part, fd in parts.items() for name in _names(fd)]
        found.sort(reverse=latest_first)
        for name, part in found:
            with suppress(OSError):  # it has been brought back
                yield _entry(about, directory, (part, parts[part]), name, brief=brief)


def _about(directory: int) -> dict[str, Any]:
    """Where it is damaged, all comes to the INBOX."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        found = json.loads(read_control_file(_ABOUT, dir_fd=directory) or b"")
        keywords = {int(number): str(keyword) for number, keyword in found["keywords"].items()}
        when = float(found["when"])
        if 0 <= when < END_OF_TIME:
            return {"mailbox": str(found["mailbox"]), "why": str(found["why"]), "when": when, "keywords": keywords}
    return {"mailbox": "", "why": "expire", "when": os.fstat(directory).st_mtime, "keywords": {}}


def _opened_parts(stack: ExitStack, directory: int) -> dict[str, int]:
    found = {}
    for part in _PARTS:
        with suppress(OSError):
            found[part] = _closed_by(stack, _open(part, directory))
    return found


def _names(directory: int) -> Iterator[str]:
    with os.scandir(directory) as found:
        for each in found:
            if each.name[0] != "." and each.is_file(follow_symlinks=False):
                yield each.name


def _entry(about: dict[str, Any], directory: str, part: tuple[str, int], name: str, *, brief: bool) -> Withdrawn:
    where, fd = part
    letters = name.partition(":2,")[2]
    keywords = (about["keywords"].get(ord(letter) - ord("a")) for letter in letters)
    size = size_of(name, f"/proc/self/fd/{fd}/{name}")
    if size is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return Withdrawn(
        f"{directory.removesuffix(ENDING)}/{unique_part(name)}",
        about["mailbox"],
        about["why"],
        about["when"],
        flags=system_flags(letters) + tuple(filter(None, keywords)),
        size=size,
        file=f"{directory}/{where}/{name}",
        **({} if brief else _texts(read_header(open_message(name, fd)))),
    )


def _texts(header: Message) -> dict[str, str]:
    texts = {
        field: next(iter(header.values(field)), "")[:_LONGEST]
        for field in ("message-id", "return-path", "to", "subject")
    }
    return {
        "message_id": texts["message-id"],
        "sender": texts["return-path"].strip("<> "),
        "to": texts["to"],
        "subject": texts["subject"],
    }


@contextmanager
def opened(area: Path, file: str) -> Iterator[tuple[int, str]]:
    """The open directory of a message that lies there below the area, and its name. OSError."""
    *above, name = file.split("/")
    with ExitStack() as stack:
        fd = _closed_by(stack, open_directory(area))
        for each in above:
            fd = _closed_by(stack, _open(each, fd))
        yield fd, name


# -- removing for good -------------------------------------------------------------------------------------------------


def clear(area: int, directory: str, before: float) -> None:
    """Of a directory of the open area remove what is older than that and not whole, and itself if that was all."""
    with suppress(OSError), ExitStack() as stack:
        opened = _closed_by(stack, _open(directory, area))
        if os.fstat(opened).st_mtime >= before:
            return
        for part in _opened_parts(stack, opened).values():
            with os.scandir(part) as found:
                for each in found:
                    if each.name[0] == "." and each.stat(follow_symlinks=False).st_ctime < before:
                        os.unlink(each.name, dir_fd=part)
        _clear(area, directory)


def _clear(area: int, directory: str) -> None:
    """Remove it if there is no message in it; `about` goes when none can come any more."""
    with suppress(OSError):
        fd = _open(directory, area)
        try:
            for part in _PARTS:
                with suppress(FileNotFoundError):
                    os.rmdir(part, dir_fd=fd)
            with suppress(FileNotFoundError):
                os.unlink(_ABOUT, dir_fd=fd)
        finally:
            os.close(fd)
        os.rmdir(directory, dir_fd=area)
