"""What a move to another file system leaves behind, and what arrives in that: no message stays out of sight.

The original of what was copied lies below `deleted.` (see `aside`), with a note where the copy is. Messages that the
copy lacks follow it, and then none is left. Whoever had opened the original before, as a delivery does, puts his
message there even later. He who notices (`Staged.deliver`) has it follow at once; else the housekeeper does.

A folder is found by its id, for it may have moved on or be called otherwise by now. A message is known by the unique
part of its name, and is removed here as soon as the folder has it, so that what a reader has since removed or moved
does not come back. One leftover is gone through by one process at a time.

Why a leftover stays for an hour though nothing is in it: a delivery that has opened a directory needs it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError
from sievemda.store import aside, catchup, maildirsize, quota_state, record
from sievemda.store.copying import copy_file
from sievemda.store.creation import workshop
from sievemda.store.files import is_directory, locked_within, open_directory, unique_name
from sievemda.store.layout import MAILDIR
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import is_at, is_folder
from sievemda.store.record import Record

if TYPE_CHECKING:
    from sievemda.store.aside import Aside
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

_PATIENCE = 30.0  # seconds that one who goes through a leftover waits for another
_LATEST = 3600.0  # seconds after which nobody is still at delivering into it
_ROUNDS = 5  # what follows may find that its folder moves again
_THEIRS = {"maildirfolder", maildirsize.FILE_NAME, quota_state.FILE_NAME, "subscriptions"}  # beside `dovecot...`
_log = logging.getLogger(__name__)


# -- leaving ---------------------------------------------------------------------------------------------------------


def leave(store: MailStore, source: Path, place: Path) -> None:
    """Take the original out of sight whose copy is in its place, and have follow what is not in it. OSError.

    On an error the original is where it was, and there is no copy any more.
    """
    try:
        entry = aside.set_aside(store, str(source), store.layout.partition_of(source), [source], to=place)
    except OSError as error:
        if source.is_dir():
            _follow_back(store, source, place)
        if source.is_dir() or isinstance(error, FileNotFoundError):  # an IMAP server has renamed or removed it
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):  # it has gone, too
                catchup.forget(source)
        raise
    try:
        with _alone(entry) as mine:
            if mine:
                _follow_all(store, Path(entry.parts[0][0]), place)
        aside.note(store, entry)
    except (OSError, SievemdaError) as error:
        _log.error("%s: what is left there follows later: %s", entry.path, error)


def vacate(store: MailStore, home: Path) -> None:
    """Take a home out of the way in which there is nothing of ours or of its owner but mail. OSError.

    An IMAP server makes such of somebody whom it looks for on one partition alone, or who has moved while he was logged
    in. Mail that is in it, or arrives there, follows.
    """
    if not is_directory(home) or is_directory(home / "cur") or any(map(is_directory, _others(home))):
        return
    if all(_says_nothing(store, path) for path in catchup.other_files(home)):
        aside.set_aside(store, str(home), store.layout.partition_of(home), [home], to=home)


def _others(home: Path) -> list[Path]:
    """What is beside the Maildir. A directory there, as one for scripts, was not made by an IMAP server."""
    return [path for path in home.iterdir() if path.name != MAILDIR]


def _says_nothing(store: MailStore, path: Path) -> bool:
    """Whether a file is one that IMAP servers make, or that a delivery made which came too late."""
    if path.name == record.FILE_NAME:
        found = store.files.records.get(path.parent)
        return found == Record(found.id)
    return path.name.startswith("dovecot") or path.name in _THEIRS


def _follow_all(store: MailStore, left: Path, place: Path) -> None:
    """Everything that is with the original, or has been changed there, follows to the copy."""
    copied, due = catchup.noted(left)
    catchup.catch_up_files(left, place, copied)
    if due:
        for below, messages in copied.messages.items():
            _catch_up(store, left / below, place / below, messages)
        catchup.is_followed(left)
    _empty(store, left, place, copied)


def _follow_back(store: MailStore, source: Path, copy: Path) -> None:
    """What has come to the copy, which is not to be, goes to the original."""
    copied, _ = catchup.noted(source)
    catchup.catch_up_files(copy, source, catchup.Copied())
    _empty(store, copy, source, copied)


def _empty(store: MailStore, left: Path, place: Path, copied: catchup.Copied) -> None:
    for folder in [*catchup.folders_in(left)]:
        below = str(folder.relative_to(left))
        if is_folder(place / below):
            _follow(store, folder, place / below, set(copied.messages.get(below, ())))


def _catch_up(store: MailStore, left: Path, place: Path, copied: dict[str, catchup.At]) -> None:
    if not is_directory(place / "cur"):
        return
    catchup.catch_up_messages(store.files, left, place, copied)
    if not is_directory(left):
        with suppress(OSError):  # something is in it: then it stays
            for part in ("tmp", "new", "cur", ""):
                (place / part).rmdir()


# -- following -------------------------------------------------------------------------------------------------------


def missed(store: MailStore, name: MailboxName) -> None:
    """A message was put into a folder of that name that has just gone from its place."""
    follow(store, name, since=time.time() - _LATEST)


def follow(store: MailStore, name: MailboxName | None = None, *, since: float = 0.0) -> None:
    """Have every message follow that was left; `name`: where its folder is to be looked for first.

    Only in what was left `since` then, seconds since 1970. What cannot be done now is told, and done the next time.
    """
    for _ in range(_ROUNDS):
        try:
            left = [entry for entry in aside.entries(store, since) if entry.to]
            again = [entry for entry in left if _go_through(store, entry, name)]
        except (OSError, SievemdaError) as error:
            _log.error("what a move has left cannot follow now: %s", error)
            return
        if not again:
            return


def forget(store: MailStore, older_than: float) -> int:
    """Remove for good what has been emptied, and what was left so many seconds ago by what is no more; how many."""
    now, count = time.time(), 0
    for entry in aside.entries(store):
        if not entry.to or entry.deleted > now - _LATEST:
            continue
        try:
            store.layout.check_there()
            if _is_empty(entry) or entry.deleted <= now - older_than:
                catchup.is_followed(Path(entry.parts[0][0]))  # what is only half removed looks as if readers had
                aside.remove(entry)
                count += 1
        except (OSError, SievemdaError) as error:
            _log.error("%s stays: %s", entry.path, error)
    return count


def _is_empty(entry: Aside) -> bool:
    """Nothing is to follow from there any more."""
    left = Path(entry.parts[0][0])
    return not (os.path.lexists(left / catchup.LIST) or any(map(catchup.messages_in, catchup.folders_in(left))))


def _go_through(store: MailStore, entry: Aside, name: MailboxName | None) -> bool:
    """Whether something is to be done again."""
    if _is_empty(entry):
        return False
    left, again = Path(entry.parts[0][0]), False
    with _alone(entry) as mine:
        if not mine:
            return False
        copied, due = catchup.noted(left)
        folders = [folder for folder in catchup.folders_in(left) if due or catchup.messages_in(folder)]
        found = [(folder, _place_of(store, entry, folder, name)) for folder in folders]
        if due:
            _catch_up_later(store, entry, found, copied)
        for folder, where in found:
            if where is not None:
                known = set(copied.messages.get(str(folder.relative_to(left)), ()))
                again = not _follow(store, folder, _path(where), known) or again
            if isinstance(where, Mailbox):
                _recounted(where)
    return again


def _catch_up_later(
    store: MailStore, entry: Aside, found: list[tuple[Path, Mailbox | Path | None]], copied: catchup.Copied
) -> None:
    """What somebody would have done who has crashed: see `_follow_all`. The folders may have moved on."""
    left, place = Path(entry.parts[0][0]), Path(entry.to)
    if store.layout.really_holds(place) and is_directory(place):
        catchup.catch_up_files(left, place, copied)
    for folder, where in found:
        if where is not None:
            before = copied.messages.get(str(folder.relative_to(left)), {})
            catchup.catch_up_messages(store.files, folder, _path(where), before)
    catchup.is_followed(left)


def _path(where: Mailbox | Path) -> Path:
    return where.path if isinstance(where, Mailbox) else where


def _recounted(mailbox: Mailbox) -> None:
    with suppress(OSError):  # it is counted again when somebody asks
        root = mailbox.quota_root()
        if root:
            root.changed()


def _place_of(store: MailStore, entry: Aside, folder: Path, name: MailboxName | None) -> Mailbox | Path | None:
    """Where a folder is now that lies in a leftover: a directory if it is no mailbox; None when it is nowhere."""
    identity = store.files.records.get(folder).id
    if not identity or entry.parts[0][1] == entry.to:  # see `vacate`
        there = Path(entry.to) / folder.relative_to(entry.parts[0][0])
        if store.layout.really_holds(there) and is_folder(there):
            return there
    if not identity:
        return None
    for mailbox in _likeliest_first(store, name):
        if store.files.records.get(mailbox.path).id == identity:
            return mailbox
    for other in aside.entries(store):
        for part, _ in other.parts if other.mailbox else ():
            for deleted in catchup.folders_in(Path(part)):
                if store.files.records.get(deleted).id == identity:
                    return deleted
    return None


def _likeliest_first(store: MailStore, name: MailboxName | None) -> Iterator[Mailbox]:
    if name is not None:
        yield from store.mailboxes_of(name.owner, name.domain)
    yield from store.list()


def _follow(store: MailStore, left: Path, place: Path, known: set[str]) -> bool:
    """Messages of a folder that another lacks go there, and none stays; False when that one has moved meanwhile.

    `known` are messages that it had, though a reader may have taken them from it.
    """
    there = set(catchup.messages_in(place)) | known
    found = catchup.messages_in(left)
    done, stays = [at for unique, at in found.items() if unique in there], True
    for part in ("new", "cur"):
        late = [name for unique, (at, name) in found.items() if at == part and unique not in there]
        if late:
            brought, is_there = _bring(store, left / part, place / part, late)
            done += [(part, name) for name in brought]
            stays = stays and is_there
    for part, name in done:
        (left / part / name).unlink(missing_ok=True)
    return stays


def _bring(store: MailStore, left: Path, place: Path, names: list[str]) -> tuple[list[str], bool]:
    """Durably copy messages into a directory that is no link: those that came, and whether it is still there then."""
    brought = []
    directory = open_directory(place)
    try:
        for name in names:
            temporary = workshop(store, place.parent) / unique_name()
            try:
                copy_file(left / name, temporary)
            except FileNotFoundError:
                if os.path.lexists(left / name):
                    raise
                continue  # a reader who has it open moves it; it will be found again
            os.rename(temporary, catchup.renamed(store.files, left.parent, place.parent, name), dst_dir_fd=directory)
            brought.append(name)
        os.fsync(directory)
        return brought, is_at(directory, str(place))
    finally:
        os.close(directory)


@contextmanager
def _alone(entry: Aside) -> Iterator[bool]:
    """Whether nobody else goes through a leftover meanwhile; False when it has gone, or it took him too long."""
    try:
        fd = open_directory(entry.path)
    except FileNotFoundError:
        yield False
        return
    try:
        yield locked_within(fd, fcntl.LOCK_EX, _PATIENCE)
    finally:
        os.close(fd)
