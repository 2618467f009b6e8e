"""Messages of one folder of a leftover (see `leftovers`) that the folder lacks go there, and none stays.

A message is removed from the leftover only when it lies in the folder, durably; one that a reader has taken from there
is put away (see `gone`). Of several that have one name none is taken for the other.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.store import catchup, copied, gone
from sievemda.store.copying import copy_file
from sievemda.store.creation import workshop
from sievemda.store.files import open_directory, sync_directory, unique_name
from sievemda.store.mailbox import Mailbox
from sievemda.store.maildir import is_at
from sievemda.store.messages import unique_part
from sievemda.store.whose import mailbox_at

if TYPE_CHECKING:
    from sievemda.store.catchup import Original
    from sievemda.store.copied import At
    from sievemda.store.mailstore import MailStore


def is_copied_to(original: Original, where: Mailbox | Path) -> bool:
    """Whether a folder lies in the copy, wherever that is by now."""
    path = catchup.path_of(where)
    return original.is_copied_to(path, *path.parents[:3])


def empty(store: MailStore, original: Original, left: Path, where: Mailbox | Path) -> bool:
    """Messages of a folder that another lacks go there, and none stays; False when that one has moved meanwhile."""
    place, stays = catchup.path_of(where), True
    if left.samefile(place):
        return True
    known = set(original.before(left)) if is_copied_to(original, where) else set()
    done, taken, late = _sorted_out(left, place, known)
    for part in ("new", "cur"):
        names = [name for at, name in late if at == part]
        if names:
            brought, is_there = _bring(store, left / part, place / part, names)
            done += [(part, name) for name in brought]
            stays = stays and is_there
    if done:
        _sync(place)
    for part, name in done:
        (left / part / name).unlink(missing_ok=True)
    if taken:
        _put_away(store, left, where, taken)
    return stays


def _sorted_out(left: Path, place: Path, known: set[str]) -> tuple[list[At], list[At], list[At]]:
    """Messages of a leftover that its folder has; those that it had, and somebody has taken; those that it lacks."""
    found = copied.places_in(left)
    here = [
        name for _ in range(2 if found else 0) for _, name in copied.places_in(place)
    ]  # one is renamed under a look
    uniques, bases = {unique_part(name) for name in here}, {name.partition(":")[0] for name in here}
    several = Counter(unique_part(name) for _, name in found)
    done: list[At] = []
    taken: list[At] = []
    late: list[At] = []
    for at in found:
        unique, base = unique_part(at[1]), at[1].partition(":")[0]
        if (unique in uniques) if several[unique] == 1 else (base in bases):
            done.append(at)
        else:
            (taken if unique in known and several[unique] == 1 else late).append(at)
    return done, taken, late


def _sync(folder: Path) -> None:
    """Others may have put there what is not durable yet."""
    for part in ("new", "cur"):
        with suppress(FileNotFoundError):
            sync_directory(folder / part)


def _put_away(store: MailStore, left: Path, where: Mailbox | Path, taken: list[At]) -> None:
    """What a reader of the copy has taken from there; what is with nobody any more stays as long as the leftover."""
    if gone.is_put_away(catchup.path_of(where)):
        for part, name in taken:
            (left / part / name).unlink(missing_ok=True)
        return
    mailbox = where if isinstance(where, Mailbox) else mailbox_at(store, where)
    if mailbox is not None:
        gone.put_away(store, replace(mailbox, path=left), taken)


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
