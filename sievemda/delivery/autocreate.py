"""Accounts that make themselves when the first message for them arrives (semantics, section 10).

The INBOX decides: who makes it also makes the rest, and who finds it made by somebody else in the meantime takes it as
it is. What comes behind the INBOX and cannot be done (a folder with an impossible name, a script that does not
compile) is logged and left out.

Why a script that does not compile is not installed: every message of the new user would be marked as one that his
script failed on, and he has never seen the script.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, NotFound, SievemdaError
from sievemda.logs import words
from sievemda.policy.quota import KIB, Limits
from sievemda.sieve.problems import ScriptError
from sievemda.store.authority import change_entries
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore
from sievemda.store.subscribed import subscribe

log = logging.getLogger(__name__)

_ENDINGS = {".sieve", ".script", ".siv"}


class Autocreator:
    """`compiled` raises ScriptError for a script that cannot be used."""

    def __init__(self, settings: Settings, store: MailStore, compiled: Callable[[bytes], object]) -> None:
        self._options = settings.autocreate
        self._store = store
        self._compiled = compiled
        site, canonical = settings.site, store.namespace.identifier
        self._nobody = frozenset(map(canonical, (*(site.lmtp_admins or site.admins), *site.proxyservers)))
        self._users = frozenset(map(canonical, self._options.autocreate_users))

    def account(self, owner: str) -> Mailbox | None:
        """The INBOX of a new account, or None: none is made by itself, or not for this user."""
        options = self._options
        if options.autocreate_quota < 0 or not options.autocreate_post or not self._allowed(owner):
            return None
        name = MailboxName(owner)
        try:
            inbox = self._store.create(name)
        except AlreadyExists:  # somebody was quicker
            return self._store.find(name)
        except DataError:
            return None
        with _optional(owner, "quota"):
            self._limit(inbox)
        for folder in _several(options.autocreate_inbox_folders):
            with _optional(owner, f"folder {folder}"):
                self._folder(owner, folder)
        for line in _several(options.autocreate_acl):
            with _optional(owner, f"autocreate_acl {line}"):
                self._grant(owner, line)
        with _optional(owner, "subscriptions of shared folders"):
            self._subscribe_shared(owner)
        if options.autocreate_sieve_script is not None:
            with _optional(owner, f"script {options.autocreate_sieve_script}"):
                self._script(owner, options.autocreate_sieve_script)
        log.info("account made %s", words(user=owner))
        return inbox

    def _allowed(self, owner: str) -> bool:
        if owner in self._nobody:
            return False
        if "anyone" in self._users or owner in self._users:
            return True
        groups = {name.removeprefix("group:") for name in self._users if name.startswith("group:")}
        return bool(groups) and not groups.isdisjoint(self._store.groups.of(owner))

    def _limit(self, inbox: Mailbox) -> None:
        """The account is a quota root in any case; 0 means that its storage has no limit."""
        storage, messages = self._options.autocreate_quota, self._options.autocreate_quota_messages
        limits = Limits(storage=storage * KIB if storage > 0 else None, messages=messages if messages > 0 else None)
        self._store.make_root(inbox).set_limits(limits)

    def _folder(self, owner: str, folder: str) -> None:
        uses = [use for use, name in self._options.xlist.items() if name == folder]
        free = [use for use in uses if self._store.special_use(owner, use) is None]
        subscribed = folder in _several(self._options.autocreate_subscribe_folders)
        name = self._store.namespace.parse_detail(owner, folder)
        self._store.create(name, special_use=" ".join(free), subscribe=subscribed)

    def _grant(self, owner: str, line: str) -> None:
        """`FOLDER IDENTIFIER RIGHTS`; a folder's name may have blanks in it."""
        words_of = line.rsplit(None, 2)
        if len(words_of) != 3:
            raise DataError("write FOLDER IDENTIFIER RIGHTS")
        folder, identifier, rights = words_of
        if folder not in _several(self._options.autocreate_inbox_folders):
            raise DataError(f"{folder!r} is none of autocreate_inbox_folders")
        mailbox = self._store.find(self._store.namespace.parse_detail(owner, folder))
        if mailbox is None:
            raise NotFound(f"there is no folder {folder!r}")
        change_entries(self._store, mailbox, [(identifier, rights)], careful=False)

    def _subscribe_shared(self, owner: str) -> None:
        names = [board.name for board in self._shared(owner) if self._sees(board, owner)]
        if names:
            subscribe(self._store, owner, sorted(names, key=lambda name: name.path))

    def _shared(self, owner: str) -> Iterator[Mailbox]:
        """The shared folders of his domain that are wanted for everybody."""
        domain = owner.partition("@")[2]
        if self._options.autocreate_subscribe_sharedfolders_all:
            yield from self._store.mailboxes_of(None, domain)
            return
        for text in _several(self._options.autocreate_subscribe_sharedfolders):
            with _optional(owner, f"subscription of {text}"):
                board = self._store.find(self._store.namespace.parse_detail(None, text, domain))
                if board is None:
                    raise NotFound("there is no such shared folder")
                yield board

    def _sees(self, board: Mailbox, owner: str) -> bool:
        return "l" in self._store.rights(board, owner)

    def _script(self, owner: str, path: Path) -> None:
        store = self._store.settings.store
        modes = {"file_mode": store.message_mode, "folder_mode": store.folder_mode}
        scripts = ScriptStore(self._store.home(owner), **modes)
        if scripts.active() is not None:  # a script that lay in his home before
            return
        text = path.read_bytes()
        self._compiled(text)
        name = path.stem if path.suffix in _ENDINGS else path.name
        scripts.put(name, text)
        scripts.activate(name)


def _several(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


@contextmanager
def _optional(owner: str, what: str) -> Iterator[None]:
    """What cannot be done is logged and left out."""
    try:
        yield
    except (SievemdaError, ScriptError, OSError) as e:
        log.warning("part of a new account left out %s", words(user=owner, part=what, error=e))
