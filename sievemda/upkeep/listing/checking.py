"""A list of mailboxes before anything is made of it: can all of it be, here?

Entries are put in order, a mailbox before those below it, and kept in a temporary file. What is wrong is told of each
one that it is wrong with; the rest is a `Plan`.
"""

from __future__ import annotations

import re
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import IO

from sievemda.errors import DataError, NotFound, SievemdaError
from sievemda.mail.annotation import PRIVATE
from sievemda.policy.acl import Acl, check_identifier, parse_rights
from sievemda.store import rootlist
from sievemda.store.aclfile import MAX_ENTRIES
from sievemda.store.creation import special_uses
from sievemda.store.internal import format_internal, parse_internal
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.upkeep.listing.entries import MAIL, ROOT, Entry, decoded
from sievemda.upkeep.listing.reading import Unread
from sievemda.upkeep.sorting import sorted_rows

Problem = Callable[[SievemdaError | OSError, str], None]  # what is wrong, and where
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")  # RFC 8474 §4
_ANY = "*"


@dataclass
class Plan:
    """What is to be loaded, in order. May be gone through again; to be closed."""

    file: IO[bytes]
    number: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # what nothing is to be made of, by what it is

    def __iter__(self) -> Iterator[Entry]:
        self.file.seek(0)
        for line in self.file:
            yield decoded(line[:-1])

    def close(self) -> None:
        self.file.close()


def checked(store: MailStore, found: Iterable[Entry | Unread], partitions: Mapping[str, str], problem: Problem) -> Plan:
    """`partitions` gives those of the file other names; `*` is what has none there. OSError."""
    plan = Plan(tempfile.TemporaryFile("w+b", prefix="sievemda."))  # noqa: SIM115 - the plan closes it
    try:
        rows = sorted_rows(_rows(store, found, partitions, problem, plan.left_out))
        for row in _fitting(store, rows, problem):
            plan.file.write(row + b"\n")
            plan.number += 1
        _tell_doubles(plan, problem)
    except BaseException:
        plan.close()
        raise
    return plan


def _rows(
    store: MailStore,
    found: Iterable[Entry | Unread],
    partitions: Mapping[str, str],
    problem: Problem,
    left_out: Counter[str],
) -> Iterator[bytes]:
    for entry in found:
        try:
            if isinstance(entry, Entry):
                yield check(store, entry, partitions).encode()
            elif entry.what == "broken":
                raise DataError(entry.why)
            else:
                left_out[entry.what] += 1
        except (SievemdaError, OSError) as error:
            name = format_internal(entry.name) if isinstance(entry, Entry) else ""
            problem(error, f"{entry.where}: {name}" if name else entry.where)


def check(store: MailStore, entry: Entry, partitions: Mapping[str, str]) -> Entry:
    """The entry as it is to be here. SievemdaError when it cannot be."""
    name, namespace = entry.name, store.namespace
    if entry.kind == MAIL and not name.path and name.owner is None:
        raise DataError("it is a domain and no mailbox")
    _check_name(store, name)
    if entry.limits is not None:
        rootlist.check_root(namespace, name)
    if entry.kind == ROOT:
        return replace(entry, partition="", acl=None, id="", special_use=None, annotations=None, subscriptions=None)
    if entry.id and not _ID.fullmatch(entry.id):
        raise DataError(f"{entry.id[:80]!r} cannot be the id of a mailbox")
    use = special_uses(entry.special_use) if entry.special_use else entry.special_use
    if use and name.is_inbox:
        raise DataError("an INBOX has no special use")
    _check_annotations(entry)
    for text in entry.subscriptions or ():
        parse_internal(namespace, text)
    partition = partitions.get(entry.partition, partitions.get(_ANY, entry.partition))
    if partition:
        store.layout.partition(partition)
    return replace(entry, partition=partition, acl=_acl(store, entry), special_use=use)


def _check_name(store: MailStore, name: MailboxName) -> None:
    """DataError for what could not be made today; it may be there since other settings held."""
    if rootlist.is_domain(name):
        return
    try:
        store.namespace.check_new(name)
    except SievemdaError:
        if store.find(name) is None:
            raise


def _acl(store: MailStore, entry: Entry) -> tuple[tuple[str, str], ...] | None:
    """Identifiers as they are kept here, with single rights.

    Why a group that nobody knows may stand there: users are often moved before their groups are.
    """
    if entry.acl is None:
        return None
    if len(entry.acl) > MAX_ENTRIES:
        raise DataError(f"an ACL of {len(entry.acl)} entries is too long: there may be {MAX_ENTRIES}")
    acl = Acl()
    for identifier, letters in entry.acl:
        who = store.namespace.identifier(identifier)
        if who.removeprefix("-") != entry.name.owner:  # whoever may be a user may stand in his own ACL
            check_identifier(who)
        acl = acl.having(who, _rights(letters, store.settings.acl.deleteright))
    return tuple((who, "".join(sorted(rights))) for who, rights in acl.entries)


_rights = lru_cache(parse_rights)  # a few ones stand everywhere


def _check_annotations(entry: Entry) -> None:
    for user, entries in (entry.annotations or {}).items():
        if user and (wrong := next((key for key in entries if not key.startswith(PRIVATE)), None)):
            raise DataError(f"{wrong[:80]!r} is no private annotation of {user[:80]}")


def _fitting(store: MailStore, rows: Generator[bytes], problem: Problem) -> Iterator[bytes]:
    """Rows that stand there once, and whose user is here or comes with them."""
    before, user = b"", [b""]
    with closing(rows):
        for row in rows:
            head, _, rest = row.partition(b"\x00")
            key = head + b"\x00" + rest[:1]
            whose = head.split(b"\x01", 3)
            if key == before:
                entry = decoded(row)
                problem(DataError(f"{format_internal(entry.name)} stands there twice"), entry.where)
                continue
            before = key
            if whose[1] and rest[:1] == MAIL.encode():
                if len(whose) > 3 and whose[:3] != user and not _has_user(store, row, problem):
                    continue
                user = whose[:3]
            yield row


def _has_user(store: MailStore, row: bytes, problem: Problem) -> bool:
    """Whether the user of a folder is here already; who comes with the list has come before it."""
    entry = decoded(row)
    owner = entry.name.owner or ""
    there = store.user_exists(owner)
    if not there:
        problem(NotFound(f"no user {owner}, so there can be no {format_internal(entry.name)}"), entry.where)
    return there


def _tell_doubles(plan: Plan, problem: Problem) -> None:
    """Two mailboxes cannot have one id."""
    numbers = array("q", (hash(entry.id) for entry in plan if entry.id))
    seen = sorted(numbers)
    twice = {number for number, following in pairwise(seen) if number == following}
    known: set[str] = set()
    for entry in plan if twice else ():
        if entry.id and hash(entry.id) in twice:
            if entry.id in known:
                problem(DataError(f"the id {entry.id} stands there twice"), entry.where)
            known.add(entry.id)
