"""Mailboxes that somebody renames, or moves to another partition, after they were listed and before they are read.

Why by their ids: whatever a folder is called, and wherever it lies, that stays. Where a user is not any more, whoever
has his folders now is he.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sievemda.errors import StoreTrouble
from sievemda.upkeep.backup.scan import Scan

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_ROUNDS = 8  # how often a mailbox is looked for that is renamed again and again
_PAUSE = 0.05  # seconds before a mailbox counts as deleted


class Following:
    """Where mailboxes are now."""

    def __init__(self, store: MailStore) -> None:
        self._store = store
        self._called: dict[str, str] = {}  # what users are called who are not there any more
        self._deleted: set[str] = set()

    @contextmanager
    def scan(self, mailbox: Mailbox, key: str) -> Iterator[Scan | None]:
        """The mailbox of that id, wherever it is; None: it was deleted. OSError: it cannot be read."""
        with ExitStack() as stack:
            scan: Scan | None = None
            for _ in range(_ROUNDS):
                try:
                    scan = stack.enter_context(Scan(mailbox))
                    break
                except OSError as error:
                    if not key.isalnum():
                        raise
                    found = self.now(mailbox, key)
                    if found is None:
                        break
                    if found.path == mailbox.path and not isinstance(error, FileNotFoundError):
                        raise
                    mailbox = found
            else:
                raise StoreTrouble("it is renamed all the time")
            yield scan

    def now(self, mailbox: Mailbox, key: str) -> Mailbox | None:
        """The mailbox of that id; None when there is none."""
        owner, domain = mailbox.name.owner, mailbox.name.domain
        for again in (True, False):  # one that is renamed while directories are read may be missed
            for name in dict.fromkeys((owner, self._called.get(owner or "", owner))):
                if (found := self._of(name, domain, key)) is not None:
                    return found
            if owner is not None and owner not in self._deleted and not self._store.user_exists(owner):
                holder = self._holder(key)
                if holder is not None:
                    self._called[owner] = holder
                elif not again:
                    self._deleted.add(owner)
            time.sleep(_PAUSE)
        name = self._called.get(owner or "", owner)
        return self._of(name, domain, key)

    def _of(self, owner: str | None, domain: str, key: str) -> Mailbox | None:
        return next((found for found in self._store.mailboxes_of(owner, domain) if self._has(found, key)), None)

    def _has(self, mailbox: Mailbox, key: str) -> bool:
        return self._store.files.records.get(mailbox.path).id == key

    def _holder(self, key: str) -> str | None:
        """The user who has the mailbox of an id."""
        for _ in range(_ROUNDS):
            users = set(self._store.layout.users())
            for user in users:
                if any(self._has(mailbox, key) for mailbox in self._store.mailboxes_of(user)):
                    return user
            if users == set(self._store.layout.users()):
                break
        return None
