"""Accounts that make themselves when the first message for them arrives (semantics, section 10)."""

from __future__ import annotations

import logging

from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, SievemdaError
from sievemda.logs import words
from sievemda.policy.quota import KIB, Limits
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

log = logging.getLogger(__name__)


class Autocreator:
    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._options = settings.autocreate
        self._admins = frozenset(settings.site.admins)
        self._store = store

    def account(self, owner: str) -> Mailbox | None:
        """The INBOX of a new account, or None: none is made by itself, or not for this user."""
        if not self._wanted(owner):
            return None
        name = MailboxName(owner)
        try:
            inbox = self._store.create(name)
        except AlreadyExists:  # somebody was quicker
            return self._store.find(name)
        except DataError:
            return None
        self._limit(inbox)
        for folder in self._options.autocreate_inbox_folders.split("|"):
            if folder.strip():
                self._folder(owner, folder.strip())
        log.info("account made %s", words(user=owner))
        return inbox

    def _wanted(self, owner: str) -> bool:
        options = self._options
        if options.autocreate_quota < 0 or not options.autocreate_post or owner in self._admins:
            return False
        allowed = options.autocreate_users
        if "anyone" in allowed or owner in allowed:
            return True
        groups = {name.removeprefix("group:") for name in allowed if name.startswith("group:")}
        return bool(groups) and not groups.isdisjoint(self._store.groups.of(owner))

    def _limit(self, inbox: Mailbox) -> None:
        """The account is a quota root in any case; 0 means that its storage has no limit."""
        storage, messages = self._options.autocreate_quota, self._options.autocreate_quota_messages
        limits = Limits(storage=storage * KIB if storage > 0 else None, messages=messages if messages > 0 else None)
        self._store.make_root(inbox).set_limits(limits)

    def _folder(self, owner: str, folder: str) -> None:
        """One that cannot be made is logged and left out."""
        try:
            self._store.create(self._store.namespace.parse_detail(owner, folder))
        except (SievemdaError, OSError) as e:
            log.warning("folder of a new account not made %s", words(user=owner, folder=folder, error=e))
