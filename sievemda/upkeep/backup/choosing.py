"""Which mailboxes an archive is to have: users, names with all that lies below them, patterns, one partition.

What is a user's and no mailbox's (scripts, subscriptions, password) goes with the INBOX.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern
from sievemda.upkeep.backup.entries import TreeEntry
from sievemda.upkeep.backup.mapping import understood

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_WILDCARDS = frozenset("*%")
_MOST = 100_000  # users who are named in the head of an archive


class Chosen:
    """DataError for a word that is neither a name nor a pattern. `namespaces`: how it may be spelled."""

    def __init__(
        self, namespaces: Namespace | tuple[Namespace, ...], words: tuple[str, ...], users: tuple[str, ...] = ()
    ) -> None:
        spellings = namespaces if isinstance(namespaces, tuple) else (namespaces,)
        self._patterns = [
            Pattern(namespace, word) for word in words if _WILDCARDS & set(word) for namespace in spellings
        ]
        self._names: list[MailboxName] = []
        for word in words:
            if not _WILDCARDS & set(word):
                self._names += understood(spellings, partial(_named, word))
        for user in users:
            self._names += understood(spellings, partial(_of_user, user))
        self._all = not (words or users)

    @property
    def named(self) -> list[MailboxName]:
        """What was called by its name and must be there."""
        return self._names

    def has(self, name: MailboxName) -> bool:
        return (
            self._all
            or any(chosen.covers(name) for chosen in self._names)
            or any(pattern.matches(name) for pattern in self._patterns)
        )

    def may_have_of(self, owner: str) -> bool:
        """Whether anything of a user may be meant."""
        return (
            self._all
            or any(name.owner == owner for name in self._names)
            or any(pattern.may_match_below(owner) for pattern in self._patterns)
        )

    def only_users(self) -> set[str] | None:
        """The users to whom the choice is confined, if it is."""
        if self._all or self._patterns:
            return None
        return {name.owner for name in self._names if name.owner is not None}


def _named(word: str, namespace: Namespace) -> MailboxName:
    return namespace.parse_admin(word)


def _of_user(user: str, namespace: Namespace) -> MailboxName:
    return MailboxName(namespace.userid(user))


@dataclass(frozen=True, slots=True)
class ChosenTree:
    owner: str | None
    domain: str
    mailboxes: tuple[Mailbox, ...]
    late: bool = False  # behind others that its name comes before

    @property
    def whole(self) -> bool:
        """Whether it is a user with what belongs to no mailbox."""
        return any(mailbox.name.is_inbox for mailbox in self.mailboxes)


def places(store: MailStore, chosen: Chosen) -> tuple[str, ...]:
    """The users and shared trees that there are, and may be chosen: their places in an archive."""
    domains = (TreeEntry(None, domain).place for domain in sorted(set(store.layout.domains())))
    users = chosen.only_users()
    found = sorted(
        owner for owner in set(store.layout.users() if users is None else users) if chosen.may_have_of(owner)
    )
    return (*(domains if users is None else ()), *(TreeEntry(owner).place for owner in found[:_MOST]))


def chosen_trees(store: MailStore, chosen: Chosen, partition: str = "") -> Iterator[ChosenTree]:
    """Shared folders by domain, then users, in the order in which archives have them; none without a mailbox.

    A user who is renamed meanwhile comes once: at last, when his new name would have come before.
    """
    for domain in sorted(set(store.layout.domains())):
        yield from _tree(store, None, domain, chosen, partition)
    users = chosen.only_users()
    names = sorted(set(store.layout.users()) if users is None else users)
    met: dict[str, str] = {}  # users by the ids of their INBOXes
    gone = False
    for owner in names:
        if chosen.may_have_of(owner):
            gone = (yield from _user(store, owner, chosen, partition, met)) or gone
    if gone and users is None:
        for owner in sorted(set(store.layout.users()) - set(names)):
            if chosen.may_have_of(owner):
                yield from _user(store, owner, chosen, partition, met, late=True)


def _user(
    store: MailStore, owner: str, chosen: Chosen, partition: str, met: dict[str, str], *, late: bool = False
) -> Generator[ChosenTree, None, bool]:
    """A user, unless he has come by an earlier name; whether he is not there any more."""
    known = _id(store, owner)
    before = met.get(known)
    if before is None or store.user_exists(before):
        for tree in _tree(store, owner, "", chosen, partition):
            yield replace(tree, late=late)
    found = known or _id(store, owner)  # he has one now
    if found:
        met.setdefault(found, owner)
    return not store.user_exists(owner)


def _id(store: MailStore, owner: str) -> str:
    """That of an INBOX; nothing when it has none."""
    tree = store.user_tree(owner)
    return store.files.records.get(tree.root).id if tree else ""


def _tree(store: MailStore, owner: str | None, domain: str, chosen: Chosen, partition: str) -> Iterator[ChosenTree]:
    mailboxes = tuple(
        mailbox
        for mailbox in store.mailboxes_of(owner, domain)
        if chosen.has(mailbox.name) and partition in {"", mailbox.partition}
    )
    if mailboxes:
        yield ChosenTree(owner, domain, mailboxes)
