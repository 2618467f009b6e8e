"""Which mailboxes a run is about. Nothing said: all, and what belongs to the store as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sievemda.store.layout import Layout
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern

_WILDCARDS = frozenset("*%")


@dataclass
class Scope:
    """`words` are names and patterns of administrators, `users` user ids. DataError for what can be no name."""

    namespace: Namespace
    words: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    partition: str = ""
    recursive: bool = False
    _plain: dict[str, MailboxName] = field(init=False)
    _patterns: list[Pattern] = field(init=False)
    _found: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        plain = [word for word in self.words if not _WILDCARDS & set(word)]
        self._plain = {word: self.namespace.parse_admin(word) for word in plain}
        self._patterns = [Pattern(self.namespace, word) for word in self.words if _WILDCARDS & set(word)]
        self.users = tuple(self.namespace.userid(user) for user in self.users)

    @property
    def whole(self) -> bool:
        return not (self.words or self.users or self.partition)

    def owners(self, layout: Layout) -> Iterator[tuple[str | None, str]]:
        """Whose trees are to be looked at: user ids, or None and the domain of shared folders; each once, sorted."""
        found: set[tuple[str, str]] = {(user, "") for user in self.users}
        found |= {(name.owner or "", name.domain) for name in self._plain.values()}
        if self._patterns or (not self.words and not self.users):
            found |= {("", domain) for domain in layout.domains()}
            found |= {(user, "") for user in set(layout.users()) if self._may_match(user)}
        for owner, domain in sorted(found):
            yield owner or None, domain

    def _may_match(self, userid: str) -> bool:
        return not self._patterns or any(pattern.may_match_below(userid) for pattern in self._patterns)

    def wants(self, name: MailboxName, partition: str) -> bool:
        """Whether a mailbox that is there is to be looked at: its name is not missed then."""
        self._found.update(self._words(name) if self._is_there(partition) else ())
        return self.may_want(name, partition)

    def may_want(self, name: MailboxName, partition: str) -> bool:
        """The same of one that may not be there."""
        if not self._is_there(partition):
            return False
        if not self.words and not self.users:
            return True
        if name.owner in self.users or any(self._words(name)):
            return True
        return any(pattern.matches(name) for pattern in self._patterns)

    def may_want_lost(self, name: MailboxName, partition: str) -> bool:
        """Whether a folder is to be brought back under that name: when it is wanted, or the INBOX above it."""
        above = name.owner is not None and self.may_want(MailboxName(name.owner), partition)
        return above or self.may_want(name, partition)

    def _is_there(self, partition: str) -> bool:
        return not self.partition or partition == self.partition

    def _words(self, name: MailboxName) -> Iterator[str]:
        """Which of the plain names mean it."""
        for word, wanted in self._plain.items():
            if wanted == name or wanted.decoded() == name or (self.recursive and wanted.covers(name)):
                yield word

    def missed(self, known: set[str]) -> list[str]:
        """The names for which there was no mailbox, nor anything that a dry run did not make one: those `known`."""
        found = self._found | {word for word, name in self._plain.items() if self.namespace.format_admin(name) in known}
        return [word for word in self._plain if word not in found]
