"""Messages that are in a folder already: find one, read and change its flags, move it to another folder.

A message is known by the unique part of its file's name, which stays the same while readers move it from `new` to `cur`
and change its flags; a message that somebody has moved to another folder or removed is not found any more.

Why a move keeps the file: renaming is atomic, so the message is in one folder or in the other, also after a crash; and
its time of arrival (IMAP's INTERNALDATE) stays. Only to another file system it is copied first.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store.files import is_directory, sync_directory, unique_name
from sievemda.store.keywords import is_keyword
from sievemda.store.maildir import SYSTEM_FLAGS, make_parts, size_of
from sievemda.store.staging import open_part, read_blocks

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_LETTERS = {letter: "\\" + flag[1:].capitalize() for flag, letter in SYSTEM_FLAGS.items()}
_UID = re.compile(rb"^(\d+)[^:\n]*:([^\n]+)$", re.MULTILINE)
_BASE = re.compile(r"[^,:]+")


def unique_part(name: str) -> str:
    """What stays of a message's file name whatever happens to it in its folder."""
    found = _BASE.match(name)
    return found[0] if found else name


def locate(mailbox: Mailbox, unique: str) -> Path | None:
    """The file of a message by the unique part of its name; None when it is not in the folder."""
    for part in ("new", "cur"):
        if not is_directory(mailbox.path / part):  # a link may lead to somebody else's
            continue
        with suppress(FileNotFoundError), os.scandir(mailbox.path / part) as found:
            for entry in found:
                if entry.name.startswith(unique) and unique_part(entry.name) == unique:
                    return Path(entry.path)
    return None


def by_uid(mailbox: Mailbox, uid: int) -> Path | None:
    """The file of a message by the UID that Dovecot has given it."""
    with suppress(FileNotFoundError):
        for number, name in _UID.findall(b"".join(read_blocks(mailbox.path / "dovecot-uidlist"))):
            if int(number) == uid:
                return locate(mailbox, unique_part(os.fsdecode(name)))
    return None


def flags_of(mailbox: Mailbox, file: Path) -> tuple[str, ...]:
    """Flags and keywords of a message, as its file name has them."""
    letters = file.name.partition(":2,")[2]
    return system_flags(letters) + mailbox.store.keywords.names(mailbox.path, letters)


def system_flags(letters: str) -> tuple[str, ...]:
    """Those of the letters of a file name that stand for the same in every folder."""
    return tuple(_LETTERS[letter] for letter in letters if letter in _LETTERS)


def known_flags(said: Sequence[str]) -> tuple[str, ...]:
    """Those of these flags that a message can have, each once, system flags first and as RFC 3501 spells them."""
    system = {flag.lower() for flag in said if flag.lower() in SYSTEM_FLAGS}
    keywords = {flag.lower(): flag for flag in reversed(said) if is_keyword(flag)}
    return (*(flag[0] + flag[1:].capitalize() for flag in sorted(system)), *reversed(keywords.values()))


def set_flags(mailbox: Mailbox, file: Path, flags: tuple[str, ...]) -> Path:
    """Give a message these flags, and return its new file. FileNotFoundError: it was moved meanwhile."""
    name, _, old = file.name.partition(":2,")
    others = {letter for letter in old if letter not in _LETTERS and letter.isupper()}
    letters = "".join(sorted(others | set(mailbox.store.keywords.letters(mailbox.path, flags))))
    target = mailbox.path / "cur" / f"{name}:2,{letters}"
    if target != file:
        _rename(mailbox, file, target)
    return target


def move(
    store: MailStore, source: Mailbox, file: Path, target: Mailbox, flags: tuple[str, ...], *, sync: bool = True
) -> Path:
    """Move a message to another folder, where it has these flags, and return its new file.

    Without `sync` a crash may undo that, unless somebody syncs both folders: see `sync_folder`.

    OSError and TemporaryTrouble say why it is where it was; FileNotFoundError that it is gone.
    """
    letters = target.store.keywords.letters(target.path, flags) if flags else ""
    rest = file.name[len(unique_part(file.name)) :].partition(":")[0]
    name = f"{unique_name()}{rest}" + (f":2,{letters}" if letters else "")
    make_parts(target.path, target.store.folder_mode)
    new = target.path / ("cur" if letters else "new") / name
    size = size_of(file.name, str(file)) or 0
    left, reached = source.quota_root(), target.quota_root()
    same = left is not None and reached is not None and left.path == reached.path
    with nullcontext() if same or reached is None else reached.recording(size):
        try:
            _rename(target, file, new, sync=sync)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            new = _copy(store, file, target, flags)
            file.unlink(missing_ok=True)
    if sync:
        sync_directory(file.parent)
    if left is not None and not same:
        with suppress(OSError):  # it is counted again when somebody asks
            left.changed()
    return new


def sync_folder(mailbox: Mailbox) -> None:
    """See the names of its messages to the disk. OSError."""
    for part in ("cur", "new"):
        directory = open_part(mailbox, part)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _rename(mailbox: Mailbox, file: Path, new: Path, *, sync: bool = True) -> None:
    """Into a directory of a folder that is no link to elsewhere."""
    directory = open_part(mailbox, new.parent.name)
    try:
        os.rename(file, new.name, dst_dir_fd=directory)
        if sync:
            os.fsync(directory)
    finally:
        os.close(directory)


def _copy(store: MailStore, file: Path, target: Mailbox, flags: tuple[str, ...]) -> Path:
    found = file.stat()
    staged = store.stage(target.partition, [file.read_bytes()])
    try:
        new = staged.deliver(target, flags, last=True)
    finally:
        staged.discard()
    os.utime(new, ns=(found.st_atime_ns, found.st_mtime_ns))
    return new
