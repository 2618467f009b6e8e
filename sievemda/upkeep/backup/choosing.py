"""Which mailboxes an archive is to have: users, names with all that lies below them, patterns, one partition.

What is a user's and no mailbox's (scripts, subscriptions, password) goes with the INBOX.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_WILDCARDS = frozenset("*%")


class Chosen:
    """DataError for a word that is neither a name nor a pattern."""

    def __init__(self, namespace: Namespace, words: tuple[str, ...], users: tuple[str, ...] = ()) -> None:
        self._patterns = [Pattern(namespace, word) for word in words if _WILDCARDS & set(word)]
        self._names = [namespace.parse_admin(word) for word in words if not _WILDCARDS & set(word)]
        self._names += [MailboxName(namespace.userid(user)) for user in users]
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


@dataclass(frozen=True, slots=True)
class ChosenTree:
    owner: str | None
    domain: str
    mailboxes: tuple[Mailbox, ...]

    @property
    def whole(self) -> bool:
        """Whether it is a user with what belongs to no mailbox."""
        return any(mailbox.name.is_inbox for mailbox in self.mailboxes)


def chosen_trees(store: MailStore, chosen: Chosen, partition: str = "") -> Iterator[ChosenTree]:
    """Shared folders by domain, then users, in the order in which archives have them; none without a mailbox."""
    for domain in sorted(set(store.layout.domains())):
        yield from _tree(store, None, domain, chosen, partition)
    users = chosen.only_users()
    for owner in sorted(set(store.layout.users()) if users is None else users):
        if chosen.may_have_of(owner):
            yield from _tree(store, owner, "", chosen, partition)


def _tree(store: MailStore, owner: str | None, domain: str, chosen: Chosen, partition: str) -> Iterator[ChosenTree]:
    mailboxes = tuple(
        mailbox
        for mailbox in store.mailboxes_of(owner, domain)
        if chosen.has(mailbox.name) and partition in {"", mailbox.partition}
    )
    if mailboxes:
        yield ChosenTree(owner, domain, mailboxes)
