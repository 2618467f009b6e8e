"""The spool of a Cyrus server, taken over mailbox by mailbox, with what its users have beside their mail.

Where a mailbox belongs is said by its header since version 3, also where directories are called by unique ids; by the
list of mailboxes, if there is one; else by the directory. Rights, quotas, subscriptions and scripts are set when a
mailbox comes for the first time, and are then ours: a second run brings messages that are new, and flags that have
changed.

Why a mailbox that was deleted there and waits for its end stays behind: nobody would expect it to come to life.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.errors import DataError, NotFound, SievemdaError
from sievemda.policy.acl import Acl
from sievemda.policy.quota import Limits
from sievemda.scripts.opening import keeper_of, on_command_line, open_versions
from sievemda.store import leftovers, rootlist, subscribed
from sievemda.store.authority import change_entries
from sievemda.store.names import MailboxName
from sievemda.store.patterns import wildcards
from sievemda.upkeep.importing.copies import Copies
from sievemda.upkeep.importing.cyrus.folder import HEADER, SEEN_IN_INDEX, Spooled, look
from sievemda.upkeep.importing.cyrus.lists import Listed, Lists
from sievemda.upkeep.importing.cyrus.names import Name, internal, of_directory
from sievemda.upkeep.importing.cyrus.people import People, Person
from sievemda.upkeep.importing.following import follow
from sievemda.upkeep.importing.intake import Intake, come_from
from sievemda.upkeep.importing.numbers import Numbers
from sievemda.upkeep.importing.places import arranged
from sievemda.upkeep.importing.taken import Taken, Tell, trouble

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.upkeep.importing.places import Places

_NO_MAIL = {"stage.", "sync.", "lost+found"}
_SCRIPTS = "#sieve"


@dataclass(frozen=True, slots=True)
class Source:
    top: Path
    lists: Lists
    people: People
    users: tuple[str, ...] = ()  # patterns of users; none: all users and shared folders

    def wants(self, name: Name) -> bool:
        if name.is_deleted or not self.users:
            return not name.is_deleted
        return any(wildcards(pattern, "\0")(name.user) for pattern in self.users if name.user)


@dataclass(frozen=True, slots=True)
class Found:
    """A mailbox there."""

    name: Name
    spooled: Spooled
    listed: Listed | None

    @property
    def acl(self) -> tuple[tuple[str, str], ...]:
        return self.spooled.header.acl or (self.listed.acl if self.listed else ())

    @property
    def unique_id(self) -> str:
        return self.spooled.header.unique_id or (self.listed.unique_id if self.listed else "")


class Spool:
    """`check` says what is wrong with a script; `tell` gets what goes wrong, `note` what is not as it was."""

    def __init__(
        self,
        places: Places,
        source: Source,
        check: Callable[[bytes], str],
        tell: Tell,
        note: Callable[[str], None],
        *,
        ignore_quota: bool = False,
        dry_run: bool = False,
    ) -> None:
        self.taken: list[Taken] = []
        self.renamed: dict[str, str] = {}
        self._places = places
        self._store = places.store
        self._source = source
        self._check = check
        self._tell = tell
        self._note = note
        self._ignore_quota = ignore_quota
        self._dry_run = dry_run
        self._seen: dict[str, dict[str, Numbers]] = {}
        self._first: set[str] = set()  # users who come for the first time

    def run(self) -> Iterator[None]:
        """Take everything over; gives nothing with each message. NotFound when there is no mailbox at all."""
        found = [one for one in self._folders() if self._source.wants(one.name)]
        if not found:
            raise NotFound(f"{self._source.top}: no mailbox of Cyrus is there, or none of those that are wanted")
        mail = [one for one in found if not one.name.is_internal]
        placed = self._placed(mail)
        self._limit([placed[one.name] for one in mail if one.name in placed])
        for one in sorted(mail, key=lambda each: each.name.parts):
            if one.name in placed:
                yield from self._taken(one, placed[one.name])
        scripts = {one.name.user: one.spooled for one in found if one.name.path == (_SCRIPTS,)}
        for one in mail:
            if one.name.user and not one.name.path and one.name in placed and not self._dry_run:
                self._belongings(one, placed, scripts.get(one.name.user))

    # -- what there is -------------------------------------------------------------------------------------------------

    def _folders(self) -> Iterator[Found]:
        directories = [*_directories(self._source.top)]
        headed = {path for path, has_header in directories if has_header}
        for directory, _ in directories:
            spooled = look(directory)
            listed = self._source.lists.find(spooled.header.unique_id or directory.name, None)
            name = internal(spooled.header.name) if spooled.header.name else None
            name = name or (listed.name if listed else None) or of_directory(directory, self._source.top, headed)
            if name is None:
                self._tell(DataError("nobody says which mailbox this is: give --mailboxes"), str(directory))
                continue
            yield Found(name, spooled, listed or self._source.lists.find("", name))

    def _placed(self, found: list[Found]) -> dict[Name, MailboxName]:
        groups: dict[tuple[str, str], list[Name]] = {}
        for one in found:
            groups.setdefault((one.name.user, "" if one.name.user else one.name.domain), []).append(one.name)
        placed: dict[Name, MailboxName] = {}
        for (user, domain), names in groups.items():
            namespace = self._store.namespace
            try:
                top = MailboxName(namespace.userid(user)) if user else MailboxName(None, (), namespace.domain(domain))
            except DataError as error:
                self._tell(error, user or domain)
                continue
            ours = arranged(top, [name.path for name in names])
            for name in names:
                placed[name] = ours[name.path]
                if ours[name.path].path != name.path:
                    self.renamed[str(name)] = namespace.format_admin(ours[name.path])
        return placed

    # -- a mailbox -----------------------------------------------------------------------------------------------------

    def _taken(self, one: Found, name: MailboxName) -> Iterator[None]:
        row = Taken(str(one.name), self._store.namespace.format_admin(name))
        try:
            one.spooled.open()
            uids = one.spooled.uids()
            row.messages = len(uids)
            self._complain(one, uids)
            mailbox = self._places.at(name)
            if self._dry_run or mailbox is None:
                known = come_from(mailbox, _key(one), one.unique_id) if mailbox else Numbers()
                row.there = sum(1 for uid in uids if uid in known)
                row.added = len(uids) - row.there
                if mailbox is not None:
                    self._follow(one, mailbox, Copies(mailbox, _key(one), one.unique_id), uids, row)
            else:
                yield from self._filled(one, mailbox, uids, row)
        except (SievemdaError, OSError) as error:
            self._tell(trouble(error, row.mailbox), str(one.name))
            row.failed = max(row.messages - row.added - row.there, row.failed, 1)
        finally:
            one.spooled.close()
        self.taken.append(row)

    def _complain(self, one: Found, uids: list[int]) -> None:
        for problem in one.spooled.problems:
            self._note(problem)
        if missing := one.spooled.missing(uids):
            self._note(f"{one.spooled.directory}: {missing} messages of the index have no file")
        known = one.spooled.index
        if known.version and (bare := sum(1 for uid in uids if uid not in known.records)):
            self._note(f"{one.spooled.directory}: {bare} messages are not in the index and come without flags")

    def _filled(self, one: Found, mailbox: Mailbox, uids: list[int], row: Taken) -> Iterator[None]:
        missed: Callable[[MailboxName], None] = lambda name: leftovers.missed(self._store, name)  # noqa: E731
        options: dict[str, Any] = {"ignore_quota": self._ignore_quota, "missed": missed}
        copies = Copies(mailbox, _key(one), one.unique_id)
        with Intake(mailbox, _key(one), one.unique_id, copies=copies, **options) as intake:
            seen = self._seen_by(one)
            if intake.is_first:
                self._furnish(one, mailbox)
            else:
                self._follow(one, mailbox, copies, uids, row)
            try:
                for uid in uids:
                    if intake.has(uid):
                        row.there += 1
                        continue
                    try:
                        carried, size = one.spooled.message(uid, seen.__contains__)
                        intake.add(uid, carried, size)
                    except OSError as error:
                        row.failed += 1
                        self._tell(DataError(error.strerror or str(error)), f"{one.spooled.directory}/{uid}.")
                    yield
                intake.flush()
            finally:
                row.added, row.lost = intake.added, intake.lost
                row.there += intake.skipped

    def _follow(self, one: Found, mailbox: Mailbox, copies: Copies, uids: list[int], row: Taken) -> None:
        """Flags that have changed since the last run; none where the index is damaged, or nobody says what was seen."""
        seen, known = self._seen_by(one), one.spooled.index.records
        if one.spooled.problems or (one.spooled.index.version < SEEN_IN_INDEX and not seen):
            return
        flags = {uid: one.spooled.flags(uid, seen.__contains__) for uid in uids if uid in known}
        row.marked = follow(mailbox, copies, flags, name=row.mailbox, keep=True, dry=self._dry_run).marked

    def _seen_by(self, one: Found) -> Numbers:
        """What the owner has seen of a folder, as far as its index does not say it."""
        user = one.name.user
        if not user or one.spooled.index.version >= SEEN_IN_INDEX:
            return Numbers()
        if user not in self._seen:
            self._seen[user] = {}
            try:
                self._seen[user] = self._source.people.seen(_person(one))
            except (DataError, OSError) as error:
                self._note(f"{error}: nobody knows what {user} has seen")
        return self._seen[user].get(one.unique_id, Numbers())

    def _furnish(self, one: Found, mailbox: Mailbox) -> None:
        if mailbox.name.is_inbox and mailbox.name.owner:
            self._first.add(mailbox.name.owner)
        if not one.acl:
            return
        named = {self._store.namespace.identifier(identifier) for identifier, _ in one.acl}
        mailbox.set_acl(Acl(tuple((name, rights) for name, rights in mailbox.acl().entries if name in named)))
        for identifier, rights in one.acl:
            try:
                change_entries(self._store, mailbox, [(identifier, rights)], careful=False)
            except SievemdaError as error:
                self._note(f"{one.name}: the rights of {identifier} ({rights}) are left out: {error}")

    # -- what belongs to users -----------------------------------------------------------------------------------------

    def _limit(self, names: list[MailboxName]) -> None:
        """Limits come first: they hold for what comes. Where there are some already, those count."""
        wanted = set(names)
        for name, limits in self._source.people.limits():
            with suppress(DataError):
                ours = self._ours(name)
                if ours not in wanted or self._dry_run or self._places.at(ours) is None:
                    continue
                root = self._store.quota_root(ours)
                if root is None or root.limits() == Limits():
                    rootlist.set_limits(self._store, ours, limits)

    def _ours(self, name: Name) -> MailboxName:
        namespace = self._store.namespace
        top = (
            MailboxName(namespace.userid(name.user))
            if name.user
            else MailboxName(None, (), namespace.domain(name.domain))
        )
        return arranged(top, [name.path])[name.path]

    def _belongings(self, one: Found, placed: dict[Name, MailboxName], folder: Spooled | None) -> None:
        owner = placed[one.name].owner
        if owner is None or owner not in self._first:
            return
        try:
            self._subscribe(owner, self._source.people.subscriptions(_person(one)), placed)
            scripts, active = self._source.people.scripts(_person(one), folder)
        except (SievemdaError, OSError) as error:
            self._note(f"{one.name.user}: subscriptions and scripts are left out: {error}")
            return
        self._put(owner, scripts, active)

    def _subscribe(self, owner: str, wanted: list[Name], placed: dict[Name, MailboxName]) -> None:
        """To what he was subscribed to, and no longer to folders that were made and to which he was not."""
        if not wanted:
            return
        names = [placed[name] for name in wanted if name in placed]
        others = [name for name in placed.values() if name.owner == owner and name.path and name not in names]
        subscribed.unsubscribe(self._store, owner, others)
        for name in names:
            with suppress(DataError):  # a shared folder of another domain
                subscribed.subscribe(self._store, owner, [name])

    def _put(self, owner: str, scripts: dict[str, bytes], active: str) -> None:
        """Scripts that are there already stay, and so does the one that is active."""
        if not scripts:
            return
        settings = self._store.settings
        keeper = keeper_of(settings, self._store, open_versions(settings), owner, on_command_line("import"))
        there = {script.name: script.active for script in keeper.store.list()}
        for name, text in scripts.items():
            try:
                if name not in there:
                    keeper.put(name, text)
                if problem := self._check(text):
                    self._note(f"{owner}: script {name} is kept, but does not compile here: {problem}")
                elif name == active and not any(there.values()):
                    keeper.activate(name)
            except SievemdaError as error:
                self._note(f"{owner}: script {name} is left out: {error}")
        if active and active not in scripts:
            self._note(f"{owner}: the text of the active script {active} is not there")


def _person(one: Found) -> Person:
    name, _, domain = one.name.user.partition("@")
    return Person(name, domain, one.unique_id if not one.name.path else "")


def _key(one: Found) -> str:
    return f"cyrus:{one.unique_id or one.name}"


def _directories(top: Path) -> Iterator[tuple[Path, bool]]:
    """Those that are mailboxes, and whether they have a header. OSError when the top cannot be read."""
    os.listdir(top)  # noqa: PTH208 - walking would not say it
    for place, below, files in os.walk(top):
        below[:] = sorted(name for name in below if name not in _NO_MAIL)
        has_header = HEADER in files
        if has_header or "cyrus.index" in files or any(name[-1:] == "." and name[:-1].isdigit() for name in files):
            yield Path(place), has_header
