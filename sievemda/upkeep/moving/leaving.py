"""Moving a user to another host while mail arrives: the end where he leaves.

    staying    what he has is copied, again and again, until a pass finds little that is new
    held       his mail is put off (451), and he cannot change his scripts
    away       what he has is put away as a deleted mailbox; in its place is an empty INBOX for which mail is put off;
               a last pass brings what has changed until that moment
    arriving   the other host is told to let him in, with one rename
    there      he is there; here mail for him is put off, is forwarded, or he is unknown, as was asked for

Each is noted before it begins (see `store.departures`), so that the same command goes on wherever it was cut off, and
another takes it back: all of it until the other host has let him in.

Why mail is put off and not refused, or forwarded, by itself: the table of the MTA says where he is, and until that is
changed a message is safest where it is.

Why the last pass waits for what is being delivered: a delivery that has opened a folder before it was put away puts its
message there still. It has a file in `stage.` until it has done so.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.delivery.snoozes import Snoozes
from sievemda.errors import AlreadyExists, DataError, NotFound, NotPermitted, StoreTrouble
from sievemda.scripts.opening import noted, versions_to_read
from sievemda.state.credentials import credentials_of
from sievemda.store import accounts, aside, departures, links, moves
from sievemda.store.accounts import Account
from sievemda.store.denials import SERVICES, denials_of, set_denials
from sievemda.store.departures import ARRIVING, AWAY, HELD, STAYING, THERE, Departure
from sievemda.store.files import is_directory, unique_name
from sievemda.store.maildir import contents
from sievemda.store.names import MailboxName
from sievemda.upkeep.moving import former, household
from sievemda.upkeep.moving.household import Part
from sievemda.upkeep.moving.wire import HISTORY

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.aside import Aside
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.moving.wire import Wire

_PASSES = 5  # at most, before his mail is put off
_FEW = 50  # files that are new in a pass, with which that can be done
_PATIENCE = 30.0  # seconds for deliveries that are under way
_PAUSE = 0.2  # seconds for an IMAP server to make an INBOX
_LATELY = 600.0  # seconds after which a file in `stage.` is nobody's


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to, and what is to be here afterwards."""

    host: str
    to: str = ""  # what he is to be called there; empty: as here
    partition: str = ""  # there
    then: str = "tempfail"  # "tempfail", "forward", "remove"
    forward: str = ""  # the address for "forward"


class Leaving:
    """One user who leaves, for who holds `departures.alone`."""

    def __init__(self, settings: Settings, store: MailStore, userid: str, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._store = store
        self._userid = userid
        self._name = store.namespace.format_admin(MailboxName(userid))
        self._say = say
        self._files = 0

    # -- going ---------------------------------------------------------------------------------------------------------

    def go(self, wish: Wish, connect: Callable[[str], Wire]) -> int:
        """Move him, or go on with that; how many files were sent. What the store and the wire raise."""
        found = departures.read(self._store, self._userid)
        if found is None:
            self._inbox()
            departure = Departure(unique_name(), wish.host, wish.to or self._userid)
        else:
            departure = found
        if (departure.host, departure.to) != (wish.host, wish.to or departure.to):
            raise NotPermitted(
                f"{self._userid} is on his way to {departure.to} at {departure.host}: finish that, or say --abort"
            )
        if departure.phase != THERE:
            departure = self._travel(departure, wish, connect(departure.host))
        self._afterwards(wish)
        return self._files

    def _inbox(self) -> Mailbox:
        found = self._store.find(MailboxName(self._userid))
        if found is None:
            self._store.layout.check_there()
            raise NotFound(f"no user {self._userid}")
        return found

    def _note(self, departure: Departure, **changes: object) -> Departure:
        return departures.write(self._store, self._userid, departure, **changes)

    def _travel(self, departure: Departure, wish: Wish, wire: Wire) -> Departure:
        versions = versions_to_read(self._settings) if HISTORY in wire.meet() else None
        here = departure.phase in (STAYING, HELD)
        octets = self._octets() if here else 0
        asked = {"do": "open", "id": departure.id, "user": self._userid, "to": departure.to}
        arrived = wire.ask(asked | {"partition": wish.partition, "octets": octets})["arrived"]
        if here:
            departure = self._note(departure)
            if versions is not None:
                former.send(versions, "", wire)
            with links.alone(self._inbox().tree, strict=True):
                departure = self._copy(departure, wire)
                departure = self._put_away(departure)
        elif departure.phase == AWAY:
            departure = self._put_away(departure)
        if not arrived:
            self._last_passes(departure, wire)
            departure = self._note(departure, phase=ARRIVING)
        if versions is not None:
            former.send(versions, self._keeper(departure), wire)
        credentials = credentials_of(self._settings).of(self._userid)
        said = {"denied": dict(departure.denied), "notes": list(departure.notes), "credentials": credentials}
        wire.ask({"do": "arrive", **said})
        return self._note(departure, phase=THERE)

    def _keeper(self, departure: Departure) -> str:
        """What he is called in the versions of scripts: the id of his INBOX. Nothing when what was put away is gone."""
        entry = self._entry(departure)
        return "" if entry is None else self._store.files.records.get(household.maildir_of(entry.parts)).id

    def _octets(self) -> int:
        return sum(contents(mailbox.path)[0] for mailbox in self._store.mailboxes_of(self._userid))

    def _copy(self, departure: Departure, wire: Wire) -> Departure:
        for number in range(1, _PASSES + 1):
            sent = self._pass(wire, household.of_user(self._store, self._userid), f"pass {number}")
            if sent <= _FEW:
                break
        inbox = self._inbox()
        if departure.phase == STAYING:
            departure = self._note(departure, phase=HELD, denied=dict(denials_of(inbox)))
        set_denials(inbox, dict.fromkeys(SERVICES, f"moving to {departure.host}"))
        self._pass(wire, household.of_user(self._store, self._userid), "last pass but one")
        notes = tuple(asdict(note) for note in Snoozes(self._settings).of_user(self._userid))
        return self._note(departure, phase=AWAY, since=time.time(), notes=notes)

    def _pass(self, wire: Wire, parts: Iterable[Part], what: str) -> int:
        """Send what the other host lacks of these directories; how many files that were."""
        paths, sent = [], 0
        for path, directory in parts:
            folder = is_directory(directory / "cur")
            try:
                ours = bool(path) or not self._settings.store.mail_home
                entries = household.entries(directory, folder=folder, ours=ours)
            except FileNotFoundError:  # it has just been renamed or removed
                continue
            paths.append(path)
            wanted = wire.ask({"do": "directory", "path": path, "folder": folder, "entries": entries})["want"]
            for number in wanted:
                self._send(wire, directory / str(entries[number][0]))
            wire.hear()
            sent += len(wanted)
            self._say(f"{self._name}: {what}: {self._files + sent} files")
        wire.ask({"do": "only", "paths": paths})
        self._files += sent
        return sent

    def _send(self, wire: Wire, file: Path) -> None:
        try:
            fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            wire.say({"gone": True})
            return
        with os.fdopen(fd, "rb") as opened:
            found = os.fstat(fd)
            wire.say({"octets": found.st_size, "time": found.st_mtime_ns}, _exactly(opened.read, found.st_size, file))

    # -- being away ----------------------------------------------------------------------------------------------------

    def _put_away(self, departure: Departure) -> Departure:
        """Put away what he has, and an INBOX in its place that takes no mail; what of it was done is not done again."""
        entry = self._entry(departure)
        if entry is None:
            inbox = self._inbox()
            entry = aside.set_aside(self._store, self._name, inbox.partition, moves.parts_of_user(self._store, inbox))
        for there, was in entry.parts:
            if not os.path.lexists(there) and os.path.lexists(was):  # somebody has crashed between two of them
                Path(was).rename(there)
        self._shut(departure.host)
        return departure

    def _shut(self, host: str) -> None:
        """Have an INBOX here that takes no mail, ours or that of an IMAP server in whose session he still is."""
        for last in (False, False, True):
            present = self._store.find(MailboxName(self._userid))
            if present is not None:
                if "lmtp" not in denials_of(present):
                    set_denials(present, _moved(host))
                return
            try:
                accounts.build(self._store, self._userid, lambda built: _waiting(built, self._userid, host))
            except AlreadyExists:  # made while we made ours; perhaps not wholly yet
                if last:
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _entry(self, departure: Departure) -> Aside | None:
        """Where what he had is put away; None when it is not yet."""
        found = [
            entry
            for entry in aside.entries(self._store, departure.since - 1)
            if entry.mailbox and entry.name == self._name and entry.deleted >= departure.since
        ]
        return found[0] if found else None

    def _last_passes(self, departure: Departure, wire: Wire) -> None:
        entry = self._entry(departure)
        if entry is None:
            raise StoreTrouble(f"what {self._userid} had is not where it was put away, in {aside.ENTRY} of no deletion")
        under_way = list(self._under_way())
        parts = list(household.put_away(entry.parts))
        self._pass(wire, parts, "last pass")
        end = time.monotonic() + _PATIENCE
        while any(os.path.lexists(path) for path in under_way) and time.monotonic() < end:
            time.sleep(0.05)
        self._pass(wire, parts, "what was under way")

    def _under_way(self) -> Iterator[Path]:
        for partition in self._store.layout.partitions:
            with suppress(OSError):
                for path in self._store.layout.stage(partition).iterdir():
                    with suppress(FileNotFoundError):
                        if not path.is_dir() and time.time() - path.lstat().st_mtime < _LATELY:
                            yield path

    # -- afterwards ----------------------------------------------------------------------------------------------------

    def _afterwards(self, wish: Wish) -> None:
        if wish.then == "remove":
            self.finish()
            return
        inbox = self._store.find(MailboxName(self._userid))
        if wish.then == "forward" and inbox is not None:
            script = f'redirect "{wish.forward}";\n'.encode()
            with noted(self._settings, self._store, self._userid, "mailbox move"):
                accounts.furnish(self._store, Account(self._userid, script=("moved", script)))
            set_denials(inbox, dict.fromkeys(SERVICES))

    def finish(self) -> None:
        """He is there, and here he is unknown from now on. NotPermitted before he has arrived; NotFound."""
        departure = self._departure()
        if departure.phase != THERE:
            raise NotPermitted(f"{self._userid} has not arrived at {departure.host}: move him on, or say --abort")
        self._remove_waiting()
        departures.forget(self._store, self._userid)

    def _departure(self) -> Departure:
        found = departures.read(self._store, self._userid)
        if found is None:
            raise NotFound(f"{self._userid} is not moving to another host")
        return found

    def _remove_waiting(self) -> None:
        """What stands in for him goes; when somebody has put mail into it, as any deleted mailbox."""
        inbox = self._store.find(MailboxName(self._userid))
        if inbox is None:
            return
        entry = aside.set_aside(self._store, self._name, inbox.partition, moves.parts_of_user(self._store, inbox))
        if not entry.contents()[1]:
            aside.remove(entry)

    def abort(self, connect: Callable[[str], Wire]) -> None:
        """Everything is as it was. NotPermitted when he has arrived; Unavailable when nobody can tell."""
        departure = self._departure()
        if departure.phase == THERE:
            raise NotPermitted(f"{self._userid} has arrived at {departure.host}: move him back from there")
        if departure.phase == ARRIVING:
            wire = connect(departure.host)
            wire.meet()
            asked = {"do": "open", "id": departure.id, "user": self._userid, "to": departure.to, "octets": 0}
            if wire.ask(asked)["arrived"]:
                self._note(departure, phase=THERE)
                raise NotPermitted(f"{self._userid} has arrived at {departure.host}: move him back from there")
            wire.ask({"do": "drop"})
        entry = self._entry(departure) if departure.phase in (AWAY, ARRIVING) else None
        if entry is not None:
            self._remove_waiting()
            self._store.undelete(MailboxName(self._userid), deletion=entry.id)
        if departure.phase != STAYING:
            inbox = self._store.find(MailboxName(self._userid))
            if inbox is not None:
                set_denials(inbox, dict.fromkeys(SERVICES) | dict(departure.denied))
        departures.forget(self._store, self._userid)


def _waiting(built: MailStore, userid: str, host: str) -> None:
    inbox = built.create(MailboxName(userid), subscribe=False)
    set_denials(inbox, _moved(host))


def _moved(host: str) -> dict[str, str | None]:
    return dict.fromkeys(SERVICES, f"moved to {host}")


def _exactly(read: Callable[[int], bytes], size: int, file: Path) -> Iterator[bytes]:
    """So many octets of a file. StoreTrouble when there are fewer: then the other end must not believe it."""
    while size:
        block = read(min(size, 1 << 20))
        if not block:
            raise StoreTrouble(f"{file} has become shorter while it was read")
        size -= len(block)
        yield block


def checked(wish: Wish) -> Wish:
    """DataError for a host that ssh would take for an option, or an address that cannot stand in a script."""
    if (
        not wish.host
        or wish.host.startswith("-")
        or any(not letter.isprintable() or letter == " " for letter in wish.host)
    ):
        raise DataError(f"{wish.host[:200]!r} is no name of a host")
    if (wish.then == "forward") != bool(wish.forward):
        raise DataError("--then forward and --forward-to ADDRESS belong together")
    if wish.forward and ("@" not in wish.forward or any(c in '"\\' or not c.isprintable() for c in wish.forward)):
        raise DataError(f"{wish.forward[:200]!r} is no address")
    return wish
