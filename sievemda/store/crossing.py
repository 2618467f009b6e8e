"""A directory that goes to another file system: it is copied, and the original is taken away.

While it is copied, mail arrives in the original, and an IMAP server goes on in it. So the copy is put in its place
first, the original is then taken out of sight, and what the copy lacks follows (see `copied`, `catchup`, `leftovers`).
At no moment is a user or his INBOX nowhere. Nobody sees the copy before that, so it is synced as a whole. Room for the
original out of sight is made before that, too: on a full disk it is still the copy that goes.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError
from sievemda.store import aside, copied, gone, leftovers, links, script_moves, vacating
from sievemda.store.copying import copy_directory
from sievemda.store.creation import workshop
from sievemda.store.exchange import exchange_paths
from sievemda.store.files import sync_directory, sync_later, unique_name

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_TRIES = 5  # an IMAP server may be at making it again


def transfer(store: MailStore, source: Path, place: Path, held: ExitStack, *, shown: bool = False) -> None:
    """Rename a directory, or copy it when that leads to another file system. OSError.

    Until `held` is closed, nobody else moves the copy (see `links.alone`). `shown`: a link at the source is to show the
    place, which `copy` makes. A link at the place that shows the source is replaced.
    """
    try:
        _put_in_place(store, source, place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy(store, source, place, held, shown=shown)
    sync_directory(place.parent)
    sync_directory(source.parent)


def copy(store: MailStore, source: Path, place: Path, held: ExitStack, *, shown: bool = False) -> None:
    """As `transfer` to another file system."""
    for folder in [*copied.folders_in(source)]:
        if not gone.is_put_away(folder):
            with suppress(OSError, SievemdaError):  # a full disk, a lock; it is known by its place all the same
                store.files.records.id_of(folder)  # by which what follows later finds it
    temporary, room = workshop(store, place) / f"new.{unique_name()}", None
    try:
        with sync_later(temporary.parent):
            copy_directory(source, temporary)
            script_moves.bring(source, temporary, held)
            copied.sign(temporary, store.files.message_mode)
        copied.note(source, copied.Copied.of(temporary), store.files.message_mode)
        with suppress(OSError):  # a file system without locks
            links.hold(temporary, held)
        room = aside.make_room(store, store.layout.partition_of(source), place if shown else None)
        _put_in_place(store, temporary, place)
    except BaseException:
        if os.path.lexists(temporary):
            for made in filter(None, (temporary, room)):
                shutil.rmtree(made, ignore_errors=True)
            with suppress(OSError):
                copied.forget(source)
        elif copied.is_noted_for(source, place):  # interrupted when it was in its place
            leftovers.withdraw(store, source, place)
        raise
    sync_directory(place.parent)
    leftovers.leave(store, source, place, shown=shown, room=room)


def _put_in_place(store: MailStore, source: Path, place: Path) -> None:
    """Rename a directory, also where an IMAP server has meanwhile made an empty home for who was logged in. OSError."""
    if place.is_symlink():  # a folder comes home
        if exchange_paths(source, place):
            source.unlink()
            return
        if source.lstat().st_dev != place.parent.stat().st_dev:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
        place.unlink()
    for _ in range(_TRIES):
        try:
            source.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            vacating.vacate(store, place)
        else:
            return
    source.rename(place)
