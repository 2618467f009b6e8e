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
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError
from sievemda.store import aside
from sievemda.store.copying import copy_file, give
from sievemda.store.creation import workshop
from sievemda.store.files import is_directory, locked_within, open_directory, sync_directory, unique_name
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import PARTS, is_at, is_folder
from sievemda.store.messages import unique_part

if TYPE_CHECKING:
    from sievemda.store.aside import Aside
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

Copied = dict[Path, set[str]]  # the unique parts of the messages in each folder, by its place in the whole

_PATIENCE = 30.0  # seconds that one who goes through a leftover waits for another
_LATEST = 3600.0  # seconds after which nobody is still at delivering into it
_ROUNDS = 5  # what follows may find that its folder moves again
_log = logging.getLogger(__name__)


def folders_in(directory: Path) -> Iterator[Path]:
    """Every directory with messages at or below one; none that is shown by a link."""
    for at, names, _ in os.walk(directory):
        if "cur" in names and is_directory(f"{at}/cur"):
            yield Path(at)
        names[:] = [name for name in names if name not in PARTS]


def messages_below(directory: Path) -> Copied:
    return {folder.relative_to(directory): set(_messages(folder)) for folder in folders_in(directory)}


def _messages(folder: Path) -> dict[str, tuple[str, str]]:
    """By the unique part of its name: where in the folder a message is. `new` first, since it leaves there."""
    found = {}
    for part in ("new", "cur"):
        if not is_directory(folder / part):
            continue
        with suppress(FileNotFoundError), os.scandir(folder / part) as entries:
            for entry in entries:
                if entry.name[0] != "." and entry.is_file(follow_symlinks=False):
                    found[unique_part(entry.name)] = (part, entry.name)
    return found


# -- leaving ---------------------------------------------------------------------------------------------------------


def leave(store: MailStore, source: Path, place: Path, copied: Copied | None = None) -> None:
    """Take the original out of sight whose copy is in its place, and have follow what is not in it. OSError.

    On an error the original is where it was, and there is no copy any more.
    """
    try:
        entry = aside.set_aside(store, str(source), store.layout.partition_of(source), [source], to=place)
    except OSError as error:
        if source.is_dir():
            _follow_all(store, place, source, {})
        if source.is_dir() or isinstance(error, FileNotFoundError):  # an IMAP server has renamed or removed it
            shutil.rmtree(place, ignore_errors=True)
        raise
    try:
        with _alone(entry) as mine:
            if mine:
                left = Path(entry.parts[0][0])
                _catch_up(left, place)
                _follow_all(store, left, place, copied or {})
        aside.note(store, entry)
    except (OSError, SievemdaError) as error:
        _log.error("%s: what is left there follows later: %s", entry.path, error)


def _follow_all(store: MailStore, left: Path, place: Path, copied: Copied) -> None:
    for folder in folders_in(left):
        below = folder.relative_to(left)
        if is_folder(place / below):
            _follow(store, folder, place / below, copied.get(below, set()))


def _catch_up(left: Path, place: Path) -> None:
    """Other files that were changed or made while they were copied, as scripts and control files."""
    for at, _, files in os.walk(left):
        target = place / Path(at).relative_to(left)
        if not target.is_dir():
            target.mkdir(mode=0o700)
            shutil.copystat(at, target)
            give(Path(at), target)
        if Path(at).name in PARTS:
            continue
        for name in files:
            if not name.endswith(".lock") and _is_newer(Path(at, name), target / name):
                temporary = target / f".{name}.{unique_name()}"
                copy_file(Path(at, name), temporary)
                temporary.replace(target / name)
                sync_directory(target)


def _is_newer(file: Path, other: Path) -> bool:
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        return False
    try:
        return found.st_mtime_ns > other.lstat().st_mtime_ns
    except FileNotFoundError:
        return True


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
                aside.remove(entry)
                count += 1
        except (OSError, SievemdaError) as error:
            _log.error("%s stays: %s", entry.path, error)
    return count


def _is_empty(entry: Aside) -> bool:
    return not any(_messages(folder) for folder in folders_in(Path(entry.parts[0][0])))


def _go_through(store: MailStore, entry: Aside, name: MailboxName | None) -> bool:
    """Whether something is to be done again."""
    again = False
    if _is_empty(entry):
        return False
    with _alone(entry) as mine:
        for folder in folders_in(Path(entry.parts[0][0])) if mine else ():
            if not _messages(folder):
                continue
            found = _place_of(store, entry, folder, name)
            if found is not None:
                again = not _follow(store, folder, found if isinstance(found, Path) else found.path, set()) or again
            if isinstance(found, Mailbox):
                _recounted(found)
    return again


def _recounted(mailbox: Mailbox) -> None:
    with suppress(OSError):  # it is counted again when somebody asks
        root = mailbox.quota_root()
        if root:
            root.changed()


def _place_of(store: MailStore, entry: Aside, folder: Path, name: MailboxName | None) -> Mailbox | Path | None:
    """Where a folder is now that lies in a leftover: a directory if it is no mailbox; None when it is nowhere."""
    identity = store.files.records.get(folder).id
    if not identity:
        there = Path(entry.to) / folder.relative_to(entry.parts[0][0])
        return there if store.layout.really_holds(there) and is_folder(there) else None
    for mailbox in _likeliest_first(store, name):
        if store.files.records.get(mailbox.path).id == identity:
            return mailbox
    for other in aside.entries(store):
        for part, _ in other.parts if other.mailbox else ():
            for deleted in folders_in(Path(part)):
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
    there = set(_messages(place)) | known
    found = _messages(left)
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
            os.rename(temporary, _renamed(store, left.parent, place.parent, name), dst_dir_fd=directory)
            brought.append(name)
        os.fsync(directory)
        return brought, is_at(directory, str(place))
    finally:
        os.close(directory)


def _renamed(store: MailStore, left: Path, place: Path, name: str) -> str:
    """The name of a message whose keywords are other letters where it goes."""
    base, _, letters = name.partition(":2,")
    words = store.files.keywords.names(left, letters)
    if not words:
        return name
    ours = store.files.keywords.letters(place, words)
    return f"{base}:2,{''.join(sorted({letter for letter in letters if not letter.islower()} | set(ours)))}"


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
