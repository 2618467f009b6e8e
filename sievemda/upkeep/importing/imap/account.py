"""One account on an IMAP server, taken over folder by folder.

Why a connection may break: a mailbox of many gigabytes takes hours. The client logs in again and goes on behind the
last message that it has. A message that the server cannot give, however often it is asked alone, is told and left out;
the next run asks for it again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sievemda.errors import DataError, SievemdaError, Unavailable
from sievemda.policy.quota import Limits
from sievemda.store import leftovers, rootlist, subscribed
from sievemda.store.authority import change_entries
from sievemda.store.patterns import wildcards
from sievemda.upkeep.importing.copies import Copies
from sievemda.upkeep.importing.following import follow
from sievemda.upkeep.importing.imap import folders as remote
from sievemda.upkeep.importing.imap.answers import BadAnswer, Lost
from sievemda.upkeep.importing.imap.connection import Connection, Login, Refused, Server
from sievemda.upkeep.importing.imap.folders import Folder, Opened
from sievemda.upkeep.importing.imap.messages import fetch, flags, uids
from sievemda.upkeep.importing.intake import Intake, come_from
from sievemda.upkeep.importing.places import arranged
from sievemda.upkeep.importing.taken import Taken, Tell, trouble

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.names import MailboxName
    from sievemda.upkeep.importing.places import Places

BATCH = 200  # messages that are asked for at once
PATIENCE = 5  # attempts without a message in between
_PAUSE = 1.0  # seconds before the second attempt; twice as many before each further one
_LIMITED = ("STORAGE", "MESSAGE", "MAILBOX", "ANNOTATION-STORAGE")
_SPECIAL = {"owner": "", "anyone": "anyone", "authenticated": "authenticated", "anonymous": "anonymous"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which folders and messages come, and what with them."""

    only: tuple[str, ...] = ()  # patterns of folders; none: all
    without: tuple[str, ...] = ()
    maps: tuple[tuple[str, str], ...] = ()  # folders that get other names, with what lies below them
    since: date | None = None
    acl: bool = False
    quota: bool = False
    ignore_quota: bool = False
    dry_run: bool = False
    expunge: bool = False  # remove here what was expunged there

    def wants(self, folder: Folder) -> bool:
        if self.only and not any(wildcards(pattern, "/")(folder.shown) for pattern in self.only):
            return False
        return not any(wildcards(pattern, "/")(folder.shown) for pattern in self.without)

    def mapped(self, folder: Folder) -> tuple[str, ...]:
        """The path with which it comes; the longest map that fits counts."""
        shown = folder.shown
        for old, new in sorted(self.maps, key=lambda pair: -len(pair[0])):
            if shown == old or shown.startswith(f"{old}/"):
                parts = tuple(part for part in (new + shown[len(old) :]).split("/") if part)
                return () if parts == ("INBOX",) else parts
        return folder.path


class Account:
    """`top` is where the folders go. `tell` gets what goes wrong with one folder or message."""

    def __init__(
        self, places: Places, server: Server, login: Login, top: MailboxName, choice: Choice, tell: Tell
    ) -> None:
        self.taken: list[Taken] = []
        self.renamed: dict[str, str] = {}  # folders that could not keep their names
        self._places = places
        self._store = places.store
        self._server = server
        self._login = login
        self._top = top
        self._choice = choice
        self._tell = tell
        self._connection: Connection | None = None
        self._attempts = 0

    def run(self) -> Iterator[None]:
        """Take everything over; gives nothing with each message that has come. Unavailable, NotPermitted, ..."""
        try:
            found = [folder for folder in self._patiently(remote.folders) if self._choice.wants(folder)]
            names = self._names(found)
            if self._choice.quota and not self._choice.dry_run:
                self._limit(names)
            for folder in found:
                yield from self._taken(folder, names[folder])
        finally:
            if self._connection is not None:
                self._connection.log_out()

    def _names(self, found: Sequence[Folder]) -> dict[Folder, MailboxName]:
        if len(found) == 1 and len(self._choice.only) == 1 and not {"*", "%"} & set(self._choice.only[0]):
            return {found[0]: self._top}  # one folder into one mailbox
        paths = {folder: self._choice.mapped(folder) for folder in found}
        where = arranged(self._top, paths.values())
        for folder, path in paths.items():
            if where[path].path[len(self._top.path) :] != path:
                self.renamed[folder.shown] = self._store.namespace.format_admin(where[path])
        return {folder: where[path] for folder, path in paths.items()}

    # -- the connection ------------------------------------------------------------------------------------------------

    def _patiently(self, ask: Callable[[Connection], Any]) -> Any:
        """What a question is answered with, on a new connection when the old one is gone. Unavailable."""
        while True:
            try:
                found = ask(self._connected())
            except (Lost, BadAnswer) as error:
                self._broken(error)
            else:
                self._attempts = 0
                return found

    def _connected(self) -> Connection:
        if self._connection is None:
            directory = str(self._store.layout.stage(self._store.default_partition))
            self._store.spool_path(self._store.default_partition)  # makes that directory
            self._connection = Connection(self._server, self._login, directory)
        return self._connection

    def _broken(self, error: SievemdaError) -> None:
        """Unavailable when it has broken too often."""
        self._disconnect()
        self._attempts += 1
        if self._attempts >= PATIENCE:
            raise Unavailable(f"{error}; given up after {PATIENCE} attempts: run it again to go on") from error
        time.sleep(_PAUSE * 2 ** (self._attempts - 1))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- a folder ------------------------------------------------------------------------------------------------------

    def _taken(self, folder: Folder, name: MailboxName) -> Iterator[None]:
        row = Taken(folder.shown, self._store.namespace.format_admin(name))
        try:
            opened, found = self._patiently(lambda connection: _look(connection, folder, self._choice.since))
            made = self._store.find(name) is None
            mailbox = self._places.at(name)
            row.messages = len(found)
            if self._choice.dry_run or mailbox is None:
                known = come_from(mailbox, self._source(folder), opened.validity) if mailbox else ()
                row.added = sum(1 for uid in found if uid not in known)
                row.there = len(found) - row.added
                if mailbox is not None:
                    self._follow(folder, mailbox, opened, found, row)
            else:
                yield from self._filled(folder, mailbox, opened, found, row, made=made)
        except Unavailable:
            raise
        except (SievemdaError, OSError) as error:
            self._tell(trouble(error, row.mailbox), folder.shown)
            row.failed = max(row.messages - row.added - row.there, row.failed, 1)
        self.taken.append(row)

    def _source(self, folder: Folder) -> str:
        host, port = self._server.address
        return f"imap://{quote(self._login.user)}@{host}:{port}/{quote(folder.name)}"

    def _filled(
        self, folder: Folder, mailbox: Mailbox, opened: Opened, found: Sequence[int], row: Taken, *, made: bool
    ) -> Iterator[None]:
        source, validity = self._source(folder), opened.validity
        missed: Callable[[MailboxName], None] = lambda name: leftovers.missed(self._store, name)  # noqa: E731
        options: dict[str, Any] = {"ignore_quota": self._choice.ignore_quota, "missed": missed}
        with Intake(mailbox, source, validity, copies=Copies(mailbox, source, validity), **options) as intake:
            if intake.is_first:
                self._furnish(folder, mailbox, made=made)
            else:
                self._follow(folder, mailbox, opened, found, row)
            wanted = [uid for uid in found if not intake.has(uid)]
            row.there = len(found) - len(wanted)
            try:
                yield from self._fetched(folder, intake, validity, wanted, row)
                intake.flush()
            finally:
                row.added, row.lost = intake.added, intake.lost
                row.there += intake.skipped

    def _follow(self, folder: Folder, mailbox: Mailbox, opened: Opened, found: Sequence[int], row: Taken) -> None:
        """Do to the copies what has happened to messages there since the last run."""
        copies = Copies(mailbox, self._source(folder), opened.validity)
        known, there = copies.read().keys(), set(found)

        def ask(_: Connection) -> dict[int, tuple[str, ...]]:
            self._select(folder, opened.validity)
            return flags(self._connected(), known & there)

        whole = self._choice.since is None and len(found) >= opened.exists
        gone = known - there if self._choice.expunge and whole else set[int]()
        keep, dry = self._store.settings.store.withholds, self._choice.dry_run
        done = follow(mailbox, copies, self._patiently(ask), gone, name=row.mailbox, keep=keep, dry=dry)
        row.marked, row.removed = done.marked, done.removed

    def _fetched(self, folder: Folder, intake: Intake, validity: str, wanted: list[int], row: Taken) -> Iterator[None]:
        together = BATCH
        where = f"{self._server.host}, {folder.shown}"
        while wanted:
            batch, missing = wanted[:together], 0
            try:
                self._select(folder, validity)
                for each in fetch(self._connected(), batch, where):
                    self._attempts = 0
                    intake.add(each.uid, each.carried, each.size)
                    yield
            except (Lost, BadAnswer, Refused) as error:
                missing = sum(1 for uid in batch if not intake.has(uid))
                wanted = self._without_bad(wanted, batch, intake, error, f"{where}, UID {batch[0]}")
                row.failed += missing if missing and batch[0] not in wanted and len(batch) == 1 else 0
                together = 1 if isinstance(error, BadAnswer | Refused) else together
            else:
                wanted = wanted[len(batch) :]
                together = min(together * 4, BATCH)

    def _without_bad(
        self, wanted: list[int], batch: list[int], intake: Intake, error: SievemdaError, where: str
    ) -> list[int]:
        """What is still to be asked for after a batch that broke; a message that breaks it alone is not."""
        left = [uid for uid in wanted if not intake.has(uid)]
        if len(batch) == 1 and not isinstance(error, Lost):
            self._tell(error, where)
            self._disconnect()
            return [uid for uid in left if uid != batch[0]]
        if isinstance(error, Refused):
            self._disconnect()
        else:
            self._broken(error)
        return left

    def _select(self, folder: Folder, validity: str) -> None:
        """Have the folder selected on this connection. DataError when it is another one meanwhile."""
        connection = self._connected()
        if connection.selected == folder.name:
            return
        if remote.examine(connection, folder).validity != validity:
            raise DataError(f"{folder.shown} was made anew on the server meanwhile: run it again")
        connection.selected = folder.name

    # -- what comes beside messages ------------------------------------------------------------------------------------

    def _furnish(self, folder: Folder, mailbox: Mailbox, *, made: bool) -> None:
        owner = mailbox.name.owner
        if made and folder.special_use and owner is not None and not mailbox.special_use:
            uses = folder.special_use.split()
            free = " ".join(use for use in uses if self._store.special_use(owner, use) is None)
            if free:
                mailbox.set_special_use(free)
        if owner is not None and not mailbox.name.is_inbox:
            change = subscribed.subscribe if folder.subscribed else subscribed.unsubscribe
            if folder.subscribed or made:
                change(self._store, owner, [mailbox.name])
        if self._choice.acl:
            for identifier, rights in self._patiently(lambda connection: remote.rights(connection, folder)):
                self._grant(folder, mailbox, identifier, rights)

    def _grant(self, folder: Folder, mailbox: Mailbox, identifier: str, rights: str) -> None:
        sign, name = ("-", identifier[1:]) if identifier.startswith("-") else ("", identifier)
        if name in {"owner", self._login.user}:
            name = mailbox.name.owner or name
        name = re.sub(r"^user=", "", re.sub(r"^(?:group=|\$)", "group:", name))
        try:
            change_entries(self._store, mailbox, [(sign + name, rights)], careful=False)
        except SievemdaError as error:
            self._tell(error, f"{folder.shown}: the rights of {identifier}")

    def _limit(self, names: dict[Folder, MailboxName]) -> None:
        """The limits of the INBOX there, unless there are some here."""
        found = self._patiently(remote.limits)
        inbox = next((name for name in names.values() if name.is_inbox), None)
        if not found or inbox is None or self._places.at(inbox) is None:
            return
        root = self._store.quota_root(inbox)
        if root is None or root.limits() == Limits():
            words = [word for name in _LIMITED if name in found for word in (name, str(found[name]))]
            with suppress(DataError):  # more than can be a limit is none
                rootlist.set_limits(self._store, inbox, Limits.parse(words))


def _look(connection: Connection, folder: Folder, since: date | None) -> tuple[Opened, list[int]]:
    connection.selected = b""
    opened = remote.examine(connection, folder)
    connection.selected = folder.name
    return opened, uids(connection, since) if opened.exists else []
