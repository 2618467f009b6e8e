"""Moving mailboxes to another partition, which may be another disk (semantics, section 5).

How that is done without losing or doubling what arrives meanwhile is the store's (`store.moves`, `store.catchup`).
Here is what is moved: a folder with what lies below it, a user with all folders, wherever they lie; and whether there
is room for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError, NotFound, StoreTrouble
from sievemda.store.creation import open_partition
from sievemda.store.maildir import contents
from sievemda.store.partitions import Space

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.names import MailboxName

_RESERVE = 1 << 20  # octets that a partition keeps free for what arrives meanwhile


@dataclass(frozen=True, slots=True)
class Moving:
    """What is to move with one mailbox. Octets and messages are those that are not on the partition yet."""

    name: str  # as administrators write it
    mailbox: MailboxName
    partition: str  # where it is
    to: str
    away: tuple[MailboxName, ...]  # folders on yet another partition
    octets: int
    messages: int

    @property
    def is_there(self) -> bool:
        return self.partition == self.to and not self.away


def planned(store: MailStore, mailbox: Mailbox, to: str) -> Moving:
    """DataError for a partition or a user that cannot be, OSError."""
    store.layout.partition(to)
    if mailbox.name.is_inbox and store.settings.store.mail_home:
        raise DataError("mail_home decides where the homes of users lie")
    covered = _covered(store, mailbox)
    counts = [contents(found.path) for found in covered if found.partition != to]
    away = tuple(found.name for found in covered if found.partition not in (mailbox.partition, to))
    if mailbox.partition == to:
        away = tuple(found.name for found in covered if found.partition != to)
    octets, messages = sum(octets for octets, _ in counts), sum(number for _, number in counts)
    name = store.namespace.format_admin(mailbox.name)
    return Moving(name, mailbox.name, mailbox.partition, to, away, octets, messages)


def move(store: MailStore, moving: Moving) -> None:
    """StoreTrouble, also when there is no room; NotFound when it has gone meanwhile; TemporaryTrouble."""
    if moving.is_there:
        return
    open_partition(store, moving.to)
    _check_room(store, moving)
    if moving.partition != moving.to:
        store.rename(moving.mailbox, moving.mailbox, partition=moving.to)
    for name in moving.away:
        found = store.find(name)
        if found is not None and found.partition != moving.to:
            store.rename(name, name, partition=moving.to)


def _check_room(store: MailStore, moving: Moving) -> None:
    """A rename within one file system needs none."""
    mailbox = store.find(moving.mailbox)
    if mailbox is None:
        raise NotFound(f"no mailbox {moving.name}")
    target = store.layout.partition(moving.to)
    if _is_one_disk([found.path for found in _covered(store, mailbox)], target):
        return
    free = Space.at(target).free
    if free < moving.octets + _RESERVE:
        raise StoreTrouble(
            f"partition {moving.to} has room for {free} octets, and {moving.name} has {moving.octets}:"
            " it stays where it is"
        )


def _is_one_disk(places: list[Path], target: Path) -> bool:
    return {place.stat().st_dev for place in places} == {target.stat().st_dev}


def _covered(store: MailStore, mailbox: Mailbox) -> list[Mailbox]:
    name = mailbox.name
    found = [other for other in store.mailboxes_of(name.owner, name.domain) if name.covers(other.name)]
    return sorted(found, key=lambda other: other.name.path)


def without_covered(mailboxes: Iterable[tuple[str, Mailbox]]) -> Iterator[tuple[str, Mailbox]]:
    """Those that do not move with another of them. In the order of their names."""
    last: list[MailboxName] = []
    for name, mailbox in sorted(mailboxes, key=lambda pair: (len(pair[1].name.path), pair[0])):
        if not any(above.covers(mailbox.name) for above in last):
            last.append(mailbox.name)
            yield name, mailbox
