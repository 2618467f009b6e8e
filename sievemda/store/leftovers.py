"""What a move to another file system leaves behind, and what arrives in that: no message stays out of sight.

The original of what was copied lies below `deleted.` (see `aside`), with a note where the copy is. Messages that the
copy lacks follow it, and then none is left. Whoever had opened the original before, as a delivery does, puts his
message there even later. He who notices (`Staged.deliver`) has it follow at once; else the housekeeper does.

A folder is found by its id, for it may have moved on or be called otherwise by now; else by its place, if the mark of
the copy is there. A message is known by the unique part of its name, and is removed here as soon as the folder has it,
so that what a reader has since removed or moved does not come back.

What holds whatever the others do, and whoever crashes (and see `catchup`):

- A message is removed from a leftover as `emptying` says.
- Nothing is taken out of a leftover before everything that was changed in it has followed.
- One leftover is gone through, or removed, by one process at a time, which holds the lock on it.
- A leftover with messages is removed only when their folders are nowhere, on any disk, and have been so for long.
- A copy that is not to be is not removed, but is a leftover itself: somebody may have used it.

Why a leftover stays for an hour though nothing is in it: a delivery that has opened a directory needs it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError, StoreTrouble
from sievemda.store import aside, catchup, copied, emptying
from sievemda.store.files import is_directory, locked_within, open_directory
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import is_folder

if TYPE_CHECKING:
    from sievemda.store.aside import Aside
    from sievemda.store.catchup import Original
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

_PATIENCE = 30.0  # seconds that one who goes through a leftover waits for another
_LATEST = 3600.0  # seconds after which nobody is still at delivering into it
_ROUNDS = 5  # what follows may find that its folder moves again
_log = logging.getLogger(__name__)


# -- leaving ---------------------------------------------------------------------------------------------------------


def leave(store: MailStore, source: Path, place: Path, *, shown: bool = False, room: Path | None = None) -> None:
    """Take the original out of sight whose copy is in its place, and have follow what is not in it. OSError.

    On an error the original is where it was, and its copy is out of sight. `shown`, `room`: see `aside.make_room`.
    """
    partition = store.layout.partition_of(source)
    try:
        room = room or aside.make_room(store, partition, place if shown else None)
        entry = aside.set_aside(store, str(source), partition, [source], to=place, room=room)
    except BaseException as error:
        if is_directory(source) or isinstance(error, FileNotFoundError):  # an IMAP server has renamed or removed it
            withdraw(store, source, place)
        raise
    _follow_now(store, entry)


def withdraw(store: MailStore, source: Path, copy: Path) -> None:
    """Take a copy out of sight that is not to be; what somebody has put into it follows to the original."""
    try:
        if not is_directory(source) and _is_left_elsewhere(store, copy):
            return
        if is_directory(source):
            known, _ = copied.noted(source)
            if not copied.mark_of(source):
                copied.sign(source, store.files.message_mode)
            copied.note(copy, replace(known, mark=copied.mark_of(source)), store.files.message_mode, due=False)
            copied.forget(source)
        entry = aside.set_aside(store, str(copy), store.layout.partition_of(copy), [copy], to=source)
    except (OSError, SievemdaError) as error:
        _log.error("%s, a copy of %s, stays: %s", copy, source, error)
    else:
        _follow_now(store, entry)


def _is_left_elsewhere(store: MailStore, copy: Path) -> bool:
    """Whether somebody else has put away the original of a copy."""
    mark = copied.mark_of(copy)
    return bool(mark) and any(copied.noted(_left(entry))[0].mark == mark for entry in aside.entries(store) if entry.to)


def _follow_now(store: MailStore, entry: Aside) -> None:
    try:
        with _alone(entry) as mine:
            if mine:
                _follow_all(store, entry)
        aside.note(store, entry)
    except (OSError, SievemdaError) as error:
        _log.error("%s: what is left there follows later: %s", entry.path, error)


def _left(entry: Aside) -> Path:
    """Where the original is now."""
    return Path(entry.parts[0][0])


def _follow_all(store: MailStore, entry: Aside) -> None:
    """Everything that is with the original, or has been changed there, follows to its copy. OSError, StoreTrouble."""
    left, place = _left(entry), Path(entry.to)
    with catchup.opened(left) as original:
        if not is_directory(place) or (original.due and not original.is_copied_to(place)):
            raise StoreTrouble(f"{place} is not the copy any more")
        catchup.catch_up_files(store, original, place)
        if original.due:
            for below in original.copied.messages:
                catchup.catch_up_messages(store, original, left / below, place / below)
            copied.is_followed(left)
        for folder in [*copied.folders_in(left)]:
            below = str(folder.relative_to(left))
            if is_folder(place / below):
                emptying.empty(store, original, folder, place / below)


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
            with _alone(entry) as mine:
                if mine and (_is_empty(entry) or (entry.deleted <= now - older_than and _is_nowhere(store, entry))):
                    copied.is_followed(_left(entry))  # what is only half removed looks as if readers had
                    aside.remove(entry)
                    count += 1
        except (OSError, SievemdaError) as error:
            _log.error("%s stays: %s", entry.path, error)
    return count


def _is_empty(entry: Aside) -> bool:
    """Nothing is to follow from there any more."""
    left = _left(entry)
    if not is_directory(left):  # it never went there; a link to the copy may lie there
        return True
    return not (os.path.lexists(left / copied.LIST) or any(map(copied.places_in, copied.folders_in(left))))


def _is_nowhere(store: MailStore, entry: Aside) -> bool:
    """Whether there is nothing to which its messages could follow."""
    with catchup.opened(_left(entry)) as original:
        full = [folder for folder in copied.folders_in(original.left) if copied.places_in(folder)]
        return not original.due and all(_place_of(store, entry, original, folder, None) is None for folder in full)


def _go_through(store: MailStore, entry: Aside, name: MailboxName | None) -> bool:
    """Whether something is to be done again."""
    if _is_empty(entry):
        return False
    left, again = _left(entry), False
    with _alone(entry) as mine:
        if not mine or not is_directory(left):
            return False
        with catchup.opened(left) as original:
            folders = [folder for folder in copied.folders_in(left) if original.due or copied.places_in(folder)]
            found = [(folder, _place_of(store, entry, original, folder, name)) for folder in folders]
            if original.due:
                _catch_up_later(store, entry, original, found)
            for folder, where in found:
                if where is not None:
                    again = not emptying.empty(store, original, folder, where) or again
                if isinstance(where, Mailbox):
                    _recounted(where)
    return again


def _catch_up_later(
    store: MailStore, entry: Aside, original: Original, found: list[tuple[Path, Mailbox | Path | None]]
) -> None:
    """What somebody would have done who has crashed: see `_follow_all`. The folders may have moved on."""
    left, place = original.left, Path(entry.to)
    if any(where is None for _, where in found):
        store.layout.check_there()
    if store.layout.really_holds(place) and is_directory(place) and original.is_copied_to(place):
        catchup.catch_up_files(store, original, place)
        for below in original.copied.messages:
            if not is_directory(left / below):
                catchup.catch_up_messages(store, original, left / below, place / below)
    for folder, where in found:
        if where is not None and emptying.is_copied_to(original, where):
            catchup.catch_up_messages(store, original, folder, where)
    copied.is_followed(left)


def _recounted(mailbox: Mailbox) -> None:
    with suppress(OSError):  # it is counted again when somebody asks
        root = mailbox.quota_root()
        if root:
            root.changed()


def _place_of(
    store: MailStore, entry: Aside, original: Original, folder: Path, name: MailboxName | None
) -> Mailbox | Path | None:
    """Where a folder is now that lies in a leftover: a directory if it is no mailbox; None when it is nowhere."""
    identity = store.files.records.get(folder).id
    there: Path | None = Path(entry.to) / folder.relative_to(original.left)
    if there is not None and not (store.layout.really_holds(there) and is_folder(there)):
        there = None
    if there and (not identity or entry.parts[0][1] == entry.to):  # see `vacate`
        return there
    if not identity:
        return None
    for mailbox in _likeliest_first(store, name):
        if store.files.records.get(mailbox.path).id == identity:
            return mailbox
    for other in aside.entries(store):
        for part, _ in other.parts if other.mailbox else ():
            for deleted in copied.folders_in(Path(part)):
                if store.files.records.get(deleted).id == identity:
                    return deleted
    return there if original.is_copied_to(Path(entry.to)) else None  # a repair has given it another id


def _likeliest_first(store: MailStore, name: MailboxName | None) -> Iterator[Mailbox]:
    if name is not None:
        yield from store.mailboxes_of(name.owner, name.domain)
    yield from store.list()


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
