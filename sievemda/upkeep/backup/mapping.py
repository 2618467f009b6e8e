"""Under which names what was backed up comes back: `user/alice=user/bob`, with all that lies below.

Why a name that no rule is about stays: a map says what is different.

Why names of the archive are understood with domains, also where the store knows none: it may be of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sievemda.config import Settings
from sievemda.errors import DataError, UsageError
from sievemda.store.names import MailboxName, Namespace


def spellings(settings: Settings) -> tuple[Namespace, ...]:
    """How names in an archive may be spelled: as here, and with domains."""
    here = Namespace(settings)
    with_domains = settings.with_changes(site=settings.site.with_changes(virtdomains="userid", defaultdomain=""))
    return (here,) if here.virtual else (here, Namespace(with_domains))


def understood(namespaces: Iterable[Namespace], parse: Callable[[Namespace], MailboxName]) -> list[MailboxName]:
    """What is meant by any of the spellings. DataError when it is none of all."""
    found: list[MailboxName] = []
    first: DataError | None = None
    for namespace in namespaces:
        try:
            meant = parse(namespace)
        except DataError as error:
            first = first or error
        else:
            found += [] if meant in found else [meant]
    if first is not None and not found:
        raise first
    return found


class Renaming:
    """`into` takes everything of one user, or of the shared folders, below one mailbox. DataError for bad names."""

    def __init__(self, settings: Settings, rules: Iterable[str] = (), into: str = "") -> None:
        namespace = Namespace(settings)
        self._rules: list[tuple[MailboxName, MailboxName]] = []
        for rule in rules:
            old, equals, new = rule.partition("=")
            if not equals:
                raise DataError(f"{rule[:200]!r} is no pair of names: write OLD=NEW")
            to = namespace.parse_admin(new.strip())
            self._rules += [(name, to) for name in self._meant(settings, old.strip())]
        self._rules.sort(key=lambda rule: -len(rule[0].path))
        self._into = namespace.parse_admin(into) if into else None
        self._taken: tuple[str | None, str] | None = None
        if self._into is not None and self._rules:
            raise UsageError("--into and --map exclude each other")

    def _meant(self, settings: Settings, text: str) -> list[MailboxName]:
        return understood(spellings(settings), lambda namespace: namespace.parse_admin(text))

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
