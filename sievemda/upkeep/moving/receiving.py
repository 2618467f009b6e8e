"""The end of a move where the user arrives: takes what he has, pass by pass, and lets him in when he is told to.

Until then nothing of him is seen: all of it lies in `stage./moved.USER` of the partition that he is to be on. Files are
written, synced, and then get their names, so that what is there by its name and size is whole; a pass that was cut off
costs what it had not finished. He is let in by one rename.

Who comes with the identifier with which he has arrived already is told so: then only what follows is done again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.delivery.snoozes import Note, Snoozes
from sievemda.errors import AlreadyExists, DataError, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.state.credentials import credentials_of
from sievemda.store import accounts, copied
from sievemda.store.creation import open_partition
from sievemda.store.directories import make_directory
from sievemda.store.files import locked_within, open_directory, sync_file_system
from sievemda.store.layout import MAILDIR
from sievemda.store.maildir import PARTS, make_parts
from sievemda.store.messages import unique_part
from sievemda.store.names import MailboxName
from sievemda.store.partitions import Space
from sievemda.store.record import Record
from sievemda.store.scripts import ACTIVE
from sievemda.upkeep.moving.former import Arriving
from sievemda.upkeep.moving.household import Entry, sound
from sievemda.upkeep.moving.wire import HISTORY, VERSION, Said, Wire, told

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.mailstore import MailStore

_SECTION = "/arrived"  # of a record's metadata; no user has that name
_DENIED = "/denied"  # see `store.denials`
_INCOMING = ".incoming"
_BATCH = 500  # files between two syncs
_BATCH_OCTETS = 64 << 20


def serve(settings: Settings, store: MailStore, wire: Wire) -> None:
    """Answer until the other end has gone. Unavailable when it goes in the middle of something."""
    wire.say({"sievemda": VERSION, "can": [HISTORY]})
    with ExitStack() as held:
        arrival: Arrival | None = None
        while said := wire.heard():
            try:
                if said.get("do") == "open":
                    arrival = Arrival(settings, store, wire, said)
                    held.enter_context(arrival.alone())
                    wire.say(arrival.opened(said))
                elif arrival is None:
                    raise DataError("nobody has been named yet")
                else:
                    wire.say(arrival.do(said))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                wire.say(told(DataError(f"that is not understood: {error!r}")))
                return
            except (SievemdaError, OSError) as error:
                wire.say(told(error))
                return


class Arrival:
    def __init__(self, settings: Settings, store: MailStore, wire: Wire, said: Said) -> None:
        self._settings = settings
        self._store = store
        self._wire = wire
        self._id = str(said["id"])
        self._old = str(said["user"])
        self._new = store.namespace.userid(str(said["to"]))
        store.namespace.check_new(MailboxName(self._new))
        self._partition = self._chosen(str(said.get("partition") or ""))
        self._stage = store.layout.stage(self._partition) / f"moved.{self._new}"

    def _chosen(self, wanted: str) -> str:
        """Where something of him is already, else where he is to be."""
        layout = self._store.layout
        for name in layout.partitions:
            if (layout.stage(name) / f"moved.{self._new}").is_dir():
                return name
        if self._settings.store.mail_home:
            return layout.partition_of(layout.home(self._new, layout.default))
        if wanted:
            layout.partition(wanted)
        return wanted or layout.disks.choose()

    @contextmanager
    def alone(self) -> Iterator[None]:
        open_partition(self._store, self._partition)
        with suppress(FileExistsError):
            self._stage.mkdir(mode=0o700)
        os.utime(self._stage)  # it is not an abandoned one
        fd = open_directory(self._stage)
        try:
            if not locked_within(fd, fcntl.LOCK_EX, 0):
                raise TemporaryTrouble(f"{self._new} is arriving from somewhere at this moment")
            shutil.rmtree(self._stage / _INCOMING, ignore_errors=True)
            yield
        finally:
            with suppress(OSError):  # something is in it, for the next time
                self._stage.rmdir()
            os.close(fd)

    def opened(self, said: Said) -> Said:
        """AlreadyExists for somebody who is here otherwise; StoreTrouble when there is no room."""
        if self._has_arrived():
            return {"arrived": True}
        self._check_new()
        there = sum(size for _, size in _sizes(self._stage))
        free = Space.at(self._stage).free
        if int(said["octets"]) - there > free:
            raise StoreTrouble(
                f"partition {self._partition} has room for {free} octets, and {said['octets']} are to come"
            )
        return {"arrived": False}

    def _has_arrived(self) -> bool:
        inbox = self._store.find(MailboxName(self._new))
        found = self._store.files.records.get(inbox.path).metadata.get(_SECTION, {}) if inbox else {}
        return found.get("id") == self._id

    def _check_new(self) -> None:
        if self._store.user_exists(self._new):
            raise AlreadyExists(f"user {self._new} is there already")

    def do(self, said: Said) -> Said:
        match said["do"]:
            case "directory":
                return self._directory(sound(str(said["path"])), bool(said["folder"]), said["entries"])
            case "only":
                return self._only({sound(str(path)) for path in said["paths"]})
            case "history":
                return Arriving(self._settings, self._wire).take(self._keeper(), said)
            case "arrive":
                return self._arrive(said)
            case "drop":
                shutil.rmtree(self._stage, ignore_errors=True)
                return {}
        raise DataError(f"{said['do']!r} is nothing that can be done")

    def _keeper(self) -> str:
        """What he is called in the versions of scripts; nothing before his INBOX has come, and when all has."""
        return "" if self._has_arrived() else self._store.files.records.get(self._stage / MAILDIR).id

    # -- passes --------------------------------------------------------------------------------------------------------

    def _directory(self, path: Path, folder: bool, entries: list[Entry]) -> Said:
        place = self._stage / path
        place.mkdir(mode=self._store.files.folder_mode, parents=True, exist_ok=True)
        if folder:
            make_parts(place, self._store.files.folder_mode)
        wanted = {str(entry[0]): entry for entry in entries}
        for name in wanted:
            _check_name(name, folder=folder)
        missing = self._compared(place, wanted, folder=folder)
        order = {str(entry[0]): number for number, entry in enumerate(entries)}
        self._wire.say({"want": [order[name] for name in missing]})
        self._take(place, missing)
        return {"got": len(missing)}

    def _compared(self, place: Path, wanted: dict[str, Entry], *, folder: bool) -> list[str]:
        """What of it is lacking here. What has another name here gets the right one; what is in excess goes."""
        names = {_key(name): name for name in wanted}
        missing = set(wanted)
        for name, (size, written) in [*_here(place, folder=folder)]:
            right = names.get(_key(name))
            if right is None or (right not in missing and right != name):
                (place / name).unlink()
                continue
            _, octets, time, leads = wanted[right]
            same = size == octets and (written == time or "/" in name) and leads is None
            if not same:
                (place / name).unlink()
            else:
                if name != right:
                    (place / name).rename(place / right)
                missing.discard(right)
        for name in sorted(missing):
            leads = wanted[name][3]
            if leads is not None:
                self._link(place / name, str(leads))
                missing.discard(name)
        return [name for name in wanted if name in missing]

    def _link(self, place: Path, leads: str) -> None:
        """To the active script; a link to elsewhere is not followed, and so not made."""
        target = sound(leads)
        if place == self._stage / ACTIVE and target.parts[:1] == ("sieve",):
            place.unlink(missing_ok=True)
            place.symlink_to(target)

    def _take(self, place: Path, missing: list[str]) -> None:
        incoming = self._stage / _INCOMING
        incoming.mkdir(mode=0o700, exist_ok=True)
        waiting: list[tuple[Path, Path]] = []
        octets = 0
        for number, name in enumerate(missing):
            said = self._wire.hear()
            if said.get("gone"):
                continue
            temporary, size = incoming / str(number), int(said["octets"])
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._store.files.message_mode)
            with os.fdopen(fd, "wb") as file:
                file.writelines(self._wire.octets(size))
            os.utime(temporary, ns=(int(said["time"]), int(said["time"])))
            waiting.append((temporary, place / name))
            octets += size
            if len(waiting) >= _BATCH or octets >= _BATCH_OCTETS:
                self._name(waiting)
                octets = 0
        self._name(waiting)

    def _name(self, waiting: list[tuple[Path, Path]]) -> None:
        if waiting:
            self._sync()
        for temporary, place in waiting:
            temporary.replace(place)
        waiting.clear()

    def _sync(self) -> None:
        fd = open_directory(self._stage)
        try:
            sync_file_system(fd)
        finally:
            os.close(fd)

    def _only(self, paths: set[Path]) -> Said:
        """Directories that are no more where he comes from go."""
        kept = {above for path in paths for above in (path, *path.parents)}
        for at, names, _ in os.walk(self._stage, topdown=False):
            names.sort()
            relative = Path(at).relative_to(self._stage)
            part = relative.name in PARTS and relative.parent in kept
            if relative not in kept and not part and relative.parts[:1] != (_INCOMING,):
                shutil.rmtree(at)
        return {}

    # -- arriving ------------------------------------------------------------------------------------------------------

    def _arrive(self, said: Said) -> Said:
        if not self._has_arrived():
            self._check_new()
            self._let_in({str(key): str(value) for key, value in said["denied"].items()})
        accounts.tell(self._store, self._new, granted=True)
        inbox = self._store.find(MailboxName(self._new))
        if inbox is not None:
            for root in {found.quota_root() for found in self._store.mailboxes_of(self._new)} - {None}:
                with suppress(OSError):  # it is counted again when somebody asks
                    root.changed()  # type: ignore[union-attr]
        self._remember(said)
        return {"name": self._store.namespace.format_admin(MailboxName(self._new)), "partition": self._partition}

    def _let_in(self, denied: dict[str, str]) -> None:
        files, maildir = self._store.files, self._stage / MAILDIR
        for folder in [*copied.folders_in(maildir)]:
            make_parts(folder, files.folder_mode)
            if self._new != self._old:
                files.acls.change(folder, self._old, _renaming(self._old, self._new), owner_after=self._new)
        files.records.update(maildir, lambda record: _arrived(record, self._id, denied))
        shutil.rmtree(self._stage / _INCOMING, ignore_errors=True)
        self._sync()
        home = self._store.layout.home(self._new, self._partition)
        make_directory(self._store, home.parent)
        accounts.into_place(self._stage, home)
        fd = open_directory(home.parent)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _remember(self, said: Said) -> None:
        snoozes = Snoozes(self._settings)
        for note in said["notes"]:
            found: dict[str, Any] = {
                key: tuple(value) if isinstance(value, list) else value for key, value in note.items()
            }
            snoozes.put(replace(Note(**found), user=self._new))
        kept, given = credentials_of(self._settings), said["credentials"]
        if given and not kept.of(self._new):
            kept.replace(self._new, {str(kind): str(value) for kind, value in given.items()})


def _renaming(old: str, new: str) -> Callable[[Any], Any]:
    return lambda acl: acl.renamed(old, new)


def _arrived(record: Record, identifier: str, denied: dict[str, str]) -> Record:
    metadata = {section: found for section, found in record.metadata.items() if section != _DENIED}
    metadata |= {_SECTION: {"id": identifier}} | ({_DENIED: denied} if denied else {})
    return replace(record, metadata=metadata)


def _check_name(name: str, *, folder: bool) -> None:
    part, slash, rest = name.rpartition("/")
    if not rest or rest in (".", "..") or "\0" in name or (slash and not (folder and part in ("new", "cur"))):
        raise DataError(f"{name[:200]!r} is no name of a file")


def _key(name: str) -> str:
    """What stays of a name: a message is known by the unique part of its own."""
    part, slash, rest = name.rpartition("/")
    return f"/{unique_part(rest)}" if slash and part in ("new", "cur") else name


def _here(place: Path, *, folder: bool) -> Iterator[tuple[str, tuple[int, int]]]:
    for prefix in ("", "new/", "cur/") if folder else ("",):
        with os.scandir(place / prefix) as inside:
            for entry in inside:
                if not entry.is_dir(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)
                    yield prefix + entry.name, (found.st_size, found.st_mtime_ns)


def _sizes(directory: Path) -> Iterator[tuple[str, int]]:
    for at, _, files in os.walk(directory):
        for name in files:
            yield name, Path(at, name).lstat().st_size
