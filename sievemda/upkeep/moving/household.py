"""What a user has that goes with him to another host, directory by directory, as files: of his home and his folders.

A folder that lies on another partition goes as if it lay in his tree. What an IMAP server makes again by itself stays:
its indexes (`dovecot.*`); `dovecot-uidlist` goes, so UIDs stay. Locks stay, and what is no file. Of a home that is not
ours (see mail_home) only what is ours goes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError
from sievemda.store.copied import DONE, LIST, MARK
from sievemda.store.files import is_directory
from sievemda.store.layout import MAILDIR
from sievemda.store.maildir import is_folder
from sievemda.store.moves import HOME_PARTS
from sievemda.store.scripts import ACTIVE
from sievemda.store.spelling import from_disk

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

MESSAGES = ("new", "cur")  # in the order in which a message goes through them
_NOT = (".lock", LIST, DONE, MARK)

Part = tuple[str, Path]  # the path of a directory in a home, and where it is now
Entry = list[str | int | None]  # name, `new/` or `cur/` in front for a message; octets; time in ns; where a link leads


def of_user(store: MailStore, userid: str) -> Iterator[Part]:
    """The directories of somebody who is here. OSError."""
    tree = store.user_tree(userid)
    if tree is None:
        return
    for mailbox in store.mailboxes_of(userid):
        below = tree.folder(mailbox.name.path).name if mailbox.name.path else ""
        yield str(Path(MAILDIR, below)), mailbox.path
    yield from _of_home(tree.root.parent, ours=not store.settings.store.mail_home)


def put_away(parts: Sequence[tuple[str, str]]) -> Iterator[Part]:
    """The directories of somebody whose home, and what else he had, is put away: where each part is, and was."""
    home, maildir = _home_of(parts)
    if is_folder(maildir):
        yield MAILDIR, maildir
    for name in sorted(os.listdir(maildir)):  # noqa: PTH208 - only names
        if name[0] != "." or not from_disk(name):
            continue
        folder = _now(parts, maildir / name)
        if folder is not None and is_folder(folder):
            yield f"{MAILDIR}/{name}", folder
    if home is not None:
        yield from _of_home(home, ours=True)
    else:
        for there, was in parts:
            if Path(was).name in HOME_PARTS and Path(was).name != MAILDIR and is_directory(there):
                yield from _below(Path(was).name, Path(there))


def maildir_of(parts: Sequence[tuple[str, str]]) -> Path:
    """Where his INBOX is now that it is put away."""
    return _home_of(parts)[1]


def _home_of(parts: Sequence[tuple[str, str]]) -> tuple[Path | None, Path]:
    first = Path(parts[0][0])
    return (None, first) if Path(parts[0][1]).name == MAILDIR else (first, first / MAILDIR)


def _now(parts: Sequence[tuple[str, str]], folder: Path) -> Path | None:
    if not folder.is_symlink():
        return folder
    target = folder.readlink()
    for there, was in parts:
        if target.is_relative_to(was):
            return Path(there) / target.relative_to(was)
    return None


def _of_home(home: Path, *, ours: bool) -> Iterator[Part]:
    yield "", home
    for name in sorted(os.listdir(home)):  # noqa: PTH208 - only names
        if name != MAILDIR and (ours or name in HOME_PARTS) and is_directory(home / name):
            yield from _below(name, home / name)


def _below(name: str, directory: Path) -> Iterator[Part]:
    for at, names, _ in os.walk(directory):
        names.sort()
        yield str(Path(name) / Path(at).relative_to(directory)), Path(at)


def entries(directory: Path, *, folder: bool, ours: bool = True) -> list[Entry]:
    """The files of one directory, and the messages when it is a mail folder. OSError.

    Of a home that is not `ours` only the link to the active script.
    """
    found = [entry for entry in _files(directory, "", links=not folder) if ours or entry[0] == ACTIVE]
    for part in MESSAGES if folder else ():
        if is_directory(directory / part):
            found += _files(directory / part, f"{part}/", links=False)
    return found


def _files(directory: Path, prefix: str, *, links: bool) -> Iterator[Entry]:
    with os.scandir(directory) as inside:
        for entry in inside:
            if entry.name.endswith(_NOT) or (prefix and entry.name[0] == ".") or entry.name.startswith("dovecot."):
                continue
            try:
                at = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(at.st_mode):
                    yield [prefix + entry.name, at.st_size, at.st_mtime_ns, None]
                elif links and entry.name == ACTIVE and stat.S_ISLNK(at.st_mode):
                    yield [entry.name, 0, at.st_mtime_ns, os.readlink(entry.path)]  # noqa: PTH115
            except FileNotFoundError:  # it has just been renamed, and is seen in the next pass
                continue


def sound(path: str) -> Path:
    """A path in a home that another host names. DataError for one that leads out of it."""
    found = Path(path)
    if found.is_absolute() or ".." in found.parts or "\0" in path:
        raise DataError(f"{path[:200]!r} is no path in a home")
    return found
