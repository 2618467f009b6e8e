"""Which mailboxes a rule is for."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.store.mailbox import Mailbox
from sievemda.store.patterns import Pattern, wildcards


@dataclass(frozen=True, slots=True)
class Scope:
    """All that is said must hold; `exclude` and `exclude_users` go before. What is empty says nothing."""

    mailboxes: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    users: tuple[str, ...] = ()  # with * for anything; shared folders have none
    exclude_users: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    special_use: tuple[str, ...] = ()  # in lower case

    @property
    def is_open(self) -> bool:
        """Whether nothing is said of which mailboxes it is for."""
        return not (self.mailboxes or self.users or self.partitions or self.special_use)

    def covers(self, mailbox: Mailbox) -> bool:
        """OSError when its special use cannot be read."""
        name, owner = mailbox.name, mailbox.name.owner
        if any(pattern.matches(name) for pattern in self.exclude) or _is_among(owner, self.exclude_users):
            return False
        return (
            (not self.users or _is_among(owner, self.users))
            and (not self.partitions or mailbox.partition in self.partitions)
            and (not self.mailboxes or any(pattern.matches(name) for pattern in self.mailboxes))
            and (not self.special_use or not set(self.special_use).isdisjoint(mailbox.special_use.lower().split()))
        )


def _is_among(owner: str | None, users: tuple[str, ...]) -> bool:
    return owner is not None and any(wildcards(user, "/")(owner) for user in users)
