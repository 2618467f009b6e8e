"""Under which names what was backed up comes back: `user/alice=user/bob`, with all that lies below.

Why a name that no rule is about stays: a map says what is different.
"""

from __future__ import annotations

from collections.abc import Iterable

from sievemda.errors import DataError, UsageError
from sievemda.store.names import MailboxName, Namespace


class Renaming:
    """`into` takes everything of one user, or of the shared folders, below one mailbox. DataError for bad names."""

    def __init__(self, namespace: Namespace, rules: Iterable[str] = (), into: str = "") -> None:
        self._rules: list[tuple[MailboxName, MailboxName]] = []
        for rule in rules:
            old, equals, new = rule.partition("=")
            if not equals:
                raise DataError(f"{rule[:200]!r} is no pair of names: write OLD=NEW")
            self._rules.append((namespace.parse_admin(old.strip()), namespace.parse_admin(new.strip())))
        self._rules.sort(key=lambda rule: -len(rule[0].path))
        self._into = namespace.parse_admin(into) if into else None
        self._taken: tuple[str | None, str] | None = None
        if self._into is not None and self._rules:
            raise UsageError("--into and --map exclude each other")

    def after(self, name: MailboxName) -> MailboxName:
        """The name that a mailbox gets. DataError when it would be mixed with those of another user."""
        if self._into is not None:
            if self._taken not in (None, (name.owner, name.domain)):
                raise DataError("only what is of one user can go into one mailbox: choose one of those in the archive")
            self._taken = name.owner, name.domain
            return self._into.child(*name.path)
        for old, new in self._rules:
            if old.covers(name):
                return new.child(*name.path[len(old.path) :])
        return name
