"""Which quota roots a report is about, as for Cyrus' `quota`: string prefixes, user ids, a domain.

A prefix is one of the name as it is written, so `user/a` chooses `user/a`, `user/ab` and `user/a/Lists`. A `*` or `%`
in it makes it a pattern. Without a domain it means the default one; `--domain` says another for all.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot

Found = tuple[str, "QuotaRoot"]  # the name as administrators write it


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[str, ...]
    users: bool
    domain: str

    def roots(self, store: MailStore) -> Iterator[Found]:
        """In the order of their names, each once. DataError for what can be no name."""
        domain = store.namespace.domain(self.domain) if self.domain else None
        if self.users and self.words:
            sources = [self._of_user(store, word) for word in self.words]
        else:
            sources = [self._with_prefix(store, word, domain) for word in self.words or ("",)]
        last = ""
        for name, root in heapq.merge(*sources, key=lambda found: found[0]):
            if name != last:
                last = name
                yield name, root

    def _of_user(self, store: MailStore, word: str) -> Iterator[Found]:
        from sievemda.store.rootlist import roots_of

        local, at, domain = word.partition("@")
        userid = store.namespace.user(local, domain if at else self.domain)
        found = [(store.namespace.format_admin(root.name), root) for root in roots_of(store, userid, "")]
        yield from sorted(found, key=lambda pair: pair[0])

    def _with_prefix(self, store: MailStore, word: str, domain: str | None) -> Iterator[Found]:
        from sievemda.store.roots import domain_of

        start, at, named = word.rpartition("@") if store.namespace.virtual else ("", "", "")
        if at:
            domain = store.namespace.domain(named)
        else:
            start = word
        if word and domain is None:
            domain = ""
        pattern = start if {"*", "%"} & set(start) else f"{start}*"
        for root in store.roots(f"{pattern}@{domain}" if domain else pattern):
            if domain is None or domain_of(root.name) == domain:
                yield store.namespace.format_admin(root.name), root


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Prefixes as arguments, `-u` and `-d`: the command gets a `choice`."""

    @click.argument("words", metavar="[PREFIX]...", nargs=-1)
    @click.option("-u", "--users", is_flag=True, help="The arguments are user ids, each with all his roots.")
    @click.option("-d", "--domain", metavar="DOMAIN", default="", help="Only roots of this domain.")
    @wraps(command)
    def inner(*args: Any, words: tuple[str, ...], users: bool, domain: str, **options: Any) -> Any:
        return command(*args, choice=Choice(words, users, domain), **options)

    return inner
