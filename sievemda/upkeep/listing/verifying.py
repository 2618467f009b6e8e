"""What contradicts: a list of mailboxes and the store, or the store and itself.

Where the file system is the list of mailboxes, nothing can be missing from it; what can be is a folder without `cur`, a
directory whose name no mailbox can have, a link that leads nowhere (`orphans`), a control file that cannot be read, and
an id that two mailboxes have since somebody copied one. Against a list of another time or of a Cyrus server the
sentences are those of `ctl_mboxlist -v`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from sievemda.errors import DataError, SievemdaError
from sievemda.store import rootlist
from sievemda.store.aclfile import FILE_NAME
from sievemda.store.internal import format_internal
from sievemda.store.layout import MAILDIR
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.orphans import Orphan, orphans
from sievemda.upkeep.listing.entries import MAIL, Entry
from sievemda.upkeep.listing.reading import Unread
from sievemda.upkeep.sorting import sorted_rows

Problem = Callable[[SievemdaError | OSError, str], None]
_GAP = b"\x00"


@dataclass(frozen=True, slots=True)
class Contradiction:
    kind: str  # missing, unlisted, acl, id, or what `orphans` calls it
    name: str  # internal; empty where nothing can have a name
    text: str


def against(
    store: MailStore, found: Iterable[Entry | Unread], partitions: dict[str, str], problem: Problem
) -> Iterator[Contradiction]:
    """What a list has and the store has not, and the other way round, by name."""
    listed = ((row, None) for row in sorted_rows(_listed(store, found, partitions, problem)))
    there = ((_row(store, mailbox.name, mailbox.partition), mailbox) for mailbox in store.list())
    held: tuple[bytes, Mailbox | None] | None = None
    for row, mailbox in heapq.merge(listed, there, key=lambda pair: pair[0]):
        if held and (held[0] == row) and (held[1] is None) != (mailbox is None):
            held = None
            continue
        if held:
            yield _alone(*held)
        held = row, mailbox
    if held:
        yield _alone(*held)


def _row(store: MailStore, name: MailboxName, partition: str) -> bytes:
    """In the order of `MailStore.list`."""
    return _GAP.join(text.encode() for text in (store.namespace.format_admin(name), format_internal(name), partition))


def _listed(
    store: MailStore, found: Iterable[Entry | Unread], partitions: dict[str, str], problem: Problem
) -> Iterator[bytes]:
    for entry in found:
        if isinstance(entry, Unread):
            if entry.what == "broken":
                problem(DataError(entry.why), entry.where)
        elif entry.kind == MAIL:
            partition = partitions.get(entry.partition, partitions.get("*", entry.partition))
            if not partition:  # the list does not say
                mailbox = store.find(entry.name)
                partition = mailbox.partition if mailbox else ""
            yield _row(store, entry.name, partition)


def _alone(row: bytes, mailbox: Mailbox | None) -> Contradiction:
    _, name, partition = row.decode().split(_GAP.decode())
    if mailbox is not None:
        return Contradiction("unlisted", name, f"'{name}' has a directory '{mailbox.path}' but no DB entry")
    return Contradiction("missing", name, f"'{name}' has a DB entry but no directory on partition '{partition}'")


def itself(store: MailStore, problem: Problem) -> Iterator[Contradiction]:
    for orphan in orphans(store, lambda error: problem(error, str(error.filename))):
        if orphan.kind != "parent" and not _keeps_limits(
            orphan
        ):  # a mailbox needs none above it (semantics, section 1)
            yield Contradiction(orphan.kind, "", f"{orphan.path}: {orphan.why}")
    damaged: list[Contradiction] = []
    ids = sorted_rows(_ids(store, problem, damaged))
    first = next(ids, None)
    yield from damaged  # the rows are sorted when the first one comes
    for one, other in pairwise(_with(first, ids)):
        (id_, name), (following, twin) = one.split(_GAP), other.split(_GAP)
        if id_ == following:
            text = f"'{twin.decode()}' has the id {id_.decode()}, which '{name.decode()}' has, too"
            yield Contradiction("id", twin.decode(), text)


def _keeps_limits(orphan: Orphan) -> bool:
    """Whether it is there for the limits of a mailbox that is still to be made."""
    place = orphan.path / MAILDIR if orphan.kind == "home" else orphan.path
    try:
        return orphan.kind in ("home", "no-cur") and rootlist.is_bare(place) and any(place.iterdir())
    except OSError:
        return False


def _with(first: bytes | None, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first is not None:
        yield first
        yield from rest


def _ids(store: MailStore, problem: Problem, damaged: list[Contradiction]) -> Iterator[bytes]:
    """Those that are there, with names; what is damaged is noted on the way."""
    for shown, mailbox in store.named():
        name = format_internal(mailbox.name)
        try:
            if damage := store.files.acls.damage(mailbox.path):
                damaged.append(Contradiction("acl", name, f"{mailbox.path / FILE_NAME}: {damage}"))
            id_ = store.files.records.get(mailbox.path).id
        except (SievemdaError, OSError) as error:
            problem(error, shown)
        else:
            if id_:
                yield _GAP.join((id_.encode("utf-8", "replace"), name.encode())).replace(b"\n", b" ")
