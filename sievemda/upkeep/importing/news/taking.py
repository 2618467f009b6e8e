"""News into shared folders: a folder a group, each article once.

A group `comp.lang.python` is the folder `news/comp/lang/python` (or below another folder, or at the top). Which of its
articles have come stands in the folder; what the source numbers anew, after a loss or a change of servers, is told by
Message-IDs from what is there, and so is what a second source sends.

Why a crosspost is a message in each of its folders: they are read, expire and are counted apart. On disk the copies
can become one file (`sievemda relink`).

Why cancel messages are ignored unless somebody says otherwise: anybody can forge them. With `cancels` one counts if it
comes from the sender of the article, and the article goes as messages go that expire or are discarded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sievemda.errors import DataError, NotPermitted, SievemdaError, Unavailable
from sievemda.mail.carried import Carried
from sievemda.mail.dates import read_date
from sievemda.mail.message import Message
from sievemda.store import leftovers
from sievemda.store.authority import change_entries
from sievemda.store.creation import nearest_above
from sievemda.store.message_list import stored
from sievemda.store.names import MailboxName
from sievemda.store.opened import Entry, OpenFolder
from sievemda.store.removal import remove
from sievemda.upkeep.importing.intake import Intake, come_from, sources_of, validity_of
from sievemda.upkeep.importing.news.source import Article, Missing, Source, parts_of
from sievemda.upkeep.importing.places import arranged
from sievemda.upkeep.importing.taken import Taken, Tell

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.upkeep.importing.places import Places

RIGHTS = (("anyone", "lrs"),)  # of folders that have none above them
_HEAD = 256 << 10  # octets in which the header of an article must end


@dataclass(frozen=True, slots=True)
class Plan:
    """Which groups come, and how. `wants` says it of a name."""

    wants: Callable[[str], bool]
    last: int = 0  # of a group that is new here, so many of the latest articles; 0: all
    sync: bool = False  # make the folders, and bring no articles
    remove: bool = False  # delete folders of groups that the source has no longer
    cancels: bool = False
    ignore_quota: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Head:
    """What counts of an article's header."""

    message_id: str
    sender: str
    date: float | None
    cancelled: str  # the Message-ID of the article that it wants gone


@dataclass
class News:
    """`top` is the folder below which groups go."""

    places: Places
    source: Source
    top: MailboxName
    plan: Plan
    tell: Tell
    taken: list[Taken] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    cancelled: int = 0
    renamed: dict[str, str] = field(default_factory=dict)

    def run(self) -> Iterator[None]:
        """Bring what is new; gives nothing with each article. DataError when the source has no groups at all."""
        try:
            yield from self._run()
        finally:
            self.source.close()

    def _run(self) -> Iterator[None]:
        every = self.source.groups()
        if not every:
            raise DataError(f"{self.source.key} has no groups")
        groups = [group for group in dict.fromkeys(every) if self.plan.wants(group)]
        named = {group: parts for group in groups if (parts := parts_of(group))}
        placed = arranged(self.top, named.values())
        if self.plan.remove:
            self._remove({placed[parts] for parts in named.values()})
        for group, parts in sorted(named.items()):
            name = placed[parts]
            if name != self.top.child(*parts):
                self.renamed[group] = self.places.store.namespace.format_admin(name)
            yield from self._group(group, name)

    # -- folders -----------------------------------------------------------------------------------------------------

    def _folder(self, name: MailboxName) -> Mailbox | None:
        """Made as it is needed, and what is to be above all groups with it; None in a dry run."""
        store = self.places.store
        if self.top.path and name != self.top and store.find(name) is None:
            self._folder(self.top)
        bare = store.find(name) is None and nearest_above(store, name) is None
        mailbox = self.places.at(name)
        if bare and mailbox is not None:
            change_entries(store, mailbox, list(RIGHTS), careful=False)
        return mailbox

    def _remove(self, wanted: set[MailboxName]) -> None:
        """Delete the folders of groups that came from this source and are gone; they can be brought back for a time.

        Why only those that have something from there: nobody else's folder may go because it is called like a group.
        """
        store = self.places.store
        for mailbox in list(store.mailboxes_of(None, self.top.domain)):
            if mailbox.name in wanted or not self.top.covers(mailbox.name):
                continue
            groups = [
                key.removeprefix(self.source.key) for key in sources_of(mailbox) if key.startswith(self.source.key)
            ]
            if not any(map(self.plan.wants, groups)):
                continue
            shown = store.namespace.format_admin(mailbox.name)
            try:
                if not self.plan.dry_run:
                    store.delete(mailbox.name)
                self.removed.append(shown)
            except (SievemdaError, OSError) as error:
                self.tell(_told(error), shown)

    # -- a group -----------------------------------------------------------------------------------------------------

    def _group(self, group: str, name: MailboxName) -> Iterator[None]:
        row = Taken(group, self.places.store.namespace.format_admin(name))
        try:
            mailbox = self._folder(name)
            numbers = [] if self.plan.sync else self.source.numbers(group)
            row.messages = len(numbers)
            key = self.source.key + group
            if self.plan.dry_run or mailbox is None:
                validity = validity_of(mailbox, key) if mailbox else ""
                known = come_from(mailbox, key, validity) if mailbox else ()
                row.added = sum(1 for number in numbers if number not in known)
                row.there = len(numbers) - row.added
            else:
                yield from self._filled(group, mailbox, numbers, row)
        except (Unavailable, NotPermitted):
            raise
        except (SievemdaError, OSError) as error:
            self.tell(_told(error), group)
            row.failed = max(row.failed, 1)
        self.taken.append(row)

    def _filled(self, group: str, mailbox: Mailbox, numbers: list[int], row: Taken) -> Iterator[None]:
        store, key = self.places.store, self.source.key + group
        missed: Callable[[MailboxName], None] = lambda name: leftovers.missed(store, name)  # noqa: E731
        options: dict[str, Any] = {"ignore_quota": self.plan.ignore_quota, "missed": missed}
        validity = validity_of(mailbox, key) or "1"
        known = come_from(mailbox, key, validity)
        if numbers and known and max(last for _, last in known.ranges()) > numbers[-1]:
            validity = f"{validity}+"  # numbers have begun anew
        with Intake(mailbox, key, validity, **options) as intake:
            others = set(sources_of(mailbox)) - {key}
            there = _ids(mailbox) if intake.is_first or others or validity != "1" else set()
            wanted = [number for number in numbers if not intake.has(number)]
            if self.plan.last and not known:
                for number in wanted[: -self.plan.last]:
                    intake.pass_over(number)
                wanted = wanted[-self.plan.last :]
            row.there = len(numbers) - len(wanted)
            try:
                for number in wanted:
                    self._take(group, number, intake, there, row)
                    yield
                intake.flush()
            finally:
                row.added, row.lost = intake.added, intake.lost
                row.there += intake.skipped

    def _take(self, group: str, number: int, intake: Intake, there: set[str], row: Taken) -> None:
        try:
            with self.source.article(group, number) as article:
                head = _head(article)
                if head.cancelled and not group.startswith("control"):
                    self._cancel(head, intake)
                    intake.pass_over(number)
                elif head.message_id and head.message_id in there:
                    intake.pass_over(number)
                    row.there += 1
                else:
                    arrived = article.arrived if article.arrived is not None else _credible(head.date)
                    intake.add(
                        number, Carried(article.content, (), arrived, new=True, where=article.where), article.size
                    )
        except Missing:
            intake.pass_over(number)
        except (DataError, OSError) as error:
            row.failed += 1
            self.tell(_told(error), f"{group}, article {number}")

    def _cancel(self, head: _Head, intake: Intake) -> None:
        """Take an article out of the folder, if it is from the one who wants it gone."""
        if not self.plan.cancels:
            return
        intake.flush()
        store, mailbox = self.places.store, intake.mailbox

        def is_meant(entry: Entry) -> bool:
            fields = _fields(entry.header)
            return (fields.message_id, fields.sender) == (head.cancelled, head.sender)

        with OpenFolder(mailbox, time.time()) as folder:
            victims = [entry for entry in folder.entries() if _is_there(entry, is_meant)]
            shown = store.namespace.format_admin(mailbox.name)
            done = remove(folder, victims, is_meant, name=shown, keep=store.settings.store.withholds)
        self.cancelled += done.messages
        root = mailbox.quota_root()
        if root is not None and done.messages:
            root.changed()
        if done.error is not None:
            raise done.error


def _is_there(entry: Entry, is_meant: Callable[[Entry], bool]) -> bool:
    try:
        return is_meant(entry)
    except FileNotFoundError:
        return False


def _ids(mailbox: Mailbox) -> set[str]:
    """The Message-IDs that a folder has."""
    found = set()
    for message in stored(mailbox):
        with suppress(OSError):
            found.add(message.fields("Message-ID")["Message-ID"].strip())
    return found


def _head(article: Article) -> _Head:
    content, octets = article.content(), bytearray()
    for piece in content:
        octets += piece
        if len(octets) >= _HEAD or b"\n\n" in piece or b"\r\n\r\n" in piece:
            break
    return _fields(Message(bytes(octets[:_HEAD])))


def _fields(message: Message) -> _Head:
    def first(name: str) -> str:
        return next(iter(message.values(name)), "").strip()

    verb, _, target = first("Control").partition(" ")
    date = read_date(first("Injection-Date")) or read_date(first("Date"))
    return _Head(
        first("Message-ID"),
        first("From"),
        date.seconds if date else None,
        target.strip() if verb.lower() == "cancel" else "",
    )


def _credible(date: float | None) -> float | None:
    """A date that is not to come; what has none has just arrived."""
    return date if date is not None and 0 < date <= time.time() else None


def _told(error: SievemdaError | OSError) -> SievemdaError:
    return error if isinstance(error, SievemdaError) else DataError(error.strerror or str(error))
