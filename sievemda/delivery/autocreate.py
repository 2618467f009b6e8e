"""Accounts that make themselves when the first message for them arrives (semantics, section 10).

An account is made aside and put in place whole, so that of several first messages the second finds either nobody or
everything, and a crash leaves nothing half-done. What cannot be done behind the INBOX (a folder with an impossible
name, a script that does not compile) is logged and left out.

Why a script that does not compile is not installed: every message of the new user would be marked as one that his
script failed on, and he has never seen the script.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sievemda.config import Autocreate as Options
from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, NotFound, SievemdaError, StoreTrouble
from sievemda.given import read_given
from sievemda.logs import words
from sievemda.policy.quota import KIB, Limits
from sievemda.scripts.opening import keeper_of, open_versions
from sievemda.sieve.problems import ScriptError
from sievemda.state.versions import Actor
from sievemda.store.accounts import build, tell
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
        """The INBOX of a new account, or None: none is made by itself, or not for this user. StoreTrouble."""
        options = self._options
        if options.autocreate_quota < 0 or not options.autocreate_post or not self._allowed(owner):
            return None
        maker = _Maker(options, self._store, owner, self._script(owner))
        try:
            build(self._store, owner, maker.fill)
            if maker.script is not None:
                self._noted(owner)
        except AlreadyExists as e:  # somebody was quicker, or something is in the way
            inbox = self._store.find(MailboxName(owner))
            if inbox is None:
                raise StoreTrouble(str(e)) from e
            return inbox
        except DataError:
            return None
        tell(self._store, owner, granted=bool(options.autocreate_acl))
        log.info("account made %s", words(user=owner))
        return self._store.find(MailboxName(owner))

    def _noted(self, owner: str) -> None:
        """His first script is in the history."""
        settings, actor = self._store.settings, Actor(via="autocreate")
        keeper_of(settings, self._store, open_versions(settings), owner, actor).look(ours=True)

    def _allowed(self, owner: str) -> bool:
        if owner in self._nobody:
            return False
        if "anyone" in self._users or owner in self._users:
            return True
        groups = {name.removeprefix("group:") for name in self._users if name.startswith("group:")}
        return bool(groups) and not groups.isdisjoint(self._store.groups.of(owner))

    def _script(self, owner: str) -> tuple[str, bytes] | None:
        """Name and text of the script that he starts with, unless there is one in his home already."""
        path = self._options.autocreate_sieve_script
        if path is None:
            return None
        with _optional(owner, f"script {path}"):
            scripts = ScriptStore(self._store.home(owner))
            if scripts.active() is None and not scripts.list():
                text = read_given(path)
                self._compiled(text)
                return path.stem if path.suffix in _ENDINGS else path.name, text
        return None


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes one account in a store in which there is nobody else; `site` is the store that he will be in."""

    options: Options
    site: MailStore
    owner: str
    script: tuple[str, bytes] | None

    def fill(self, store: MailStore) -> None:
        inbox = store.create(MailboxName(self.owner))
        with _optional(self.owner, "quota"):
            self._limit(store, inbox)
        for folder in _several(self.options.autocreate_inbox_folders):
            with _optional(self.owner, f"folder {folder}"):
                self._folder(store, folder)
        for line in _several(self.options.autocreate_acl):
            with _optional(self.owner, f"autocreate_acl {line}"):
                self._grant(store, line)
        with _optional(self.owner, "subscriptions of shared folders"):
            self._subscribe_shared(store)
        if self.script is not None:
            with _optional(self.owner, f"script {self.script[0]}"):
                self._install(store, *self.script)

    def _limit(self, store: MailStore, inbox: Mailbox) -> None:
        """The account is a quota root in any case; 0 means that its storage has no limit."""
        storage, messages = self.options.autocreate_quota, self.options.autocreate_quota_messages
        limits = Limits(storage=storage * KIB if storage > 0 else None, messages=messages if messages > 0 else None)
        store.make_root(inbox).set_limits(limits)

    def _folder(self, store: MailStore, folder: str) -> None:
        uses = [use for use, name in self.options.xlist.items() if name == folder]
        free = [use for use in uses if store.special_use(self.owner, use) is None]
        subscribed = folder in _several(self.options.autocreate_subscribe_folders)
        name = store.namespace.parse_detail(self.owner, folder)
        store.create(name, special_use=" ".join(free), subscribe=subscribed)

    def _grant(self, store: MailStore, line: str) -> None:
        """`FOLDER IDENTIFIER RIGHTS`; a folder's name may have blanks in it."""
        words_of = line.rsplit(None, 2)
        if len(words_of) != 3:
            raise DataError("write FOLDER IDENTIFIER RIGHTS")
        folder, identifier, rights = words_of
        if folder not in _several(self.options.autocreate_inbox_folders):
            raise DataError(f"{folder!r} is none of autocreate_inbox_folders")
        mailbox = store.find(store.namespace.parse_detail(self.owner, folder))
        if mailbox is None:
            raise NotFound(f"there is no folder {folder!r}")
        change_entries(store, mailbox, [(identifier, rights)], careful=False)

    def _subscribe_shared(self, store: MailStore) -> None:
        names = [board.name for board in self._shared() if "l" in self.site.rights(board, self.owner)]
        if names:
            subscribe(store, self.owner, sorted(names, key=lambda name: name.path))

    def _shared(self) -> Iterator[Mailbox]:
        """The shared folders of his domain that are wanted for everybody."""
        domain = self.owner.partition("@")[2]
        if self.options.autocreate_subscribe_sharedfolders_all:
            yield from self.site.mailboxes_of(None, domain)
            return
        for text in _several(self.options.autocreate_subscribe_sharedfolders):
            with _optional(self.owner, f"subscription of {text}"):
                board = self.site.find(self.site.namespace.parse_detail(None, text, domain))
                if board is None:
                    raise NotFound("there is no such shared folder")
                yield board

    def _install(self, store: MailStore, name: str, text: bytes) -> None:
        files = store.files
        home = store.home(self.owner)
        scripts = ScriptStore(home, file_mode=files.message_mode, folder_mode=files.folder_mode)
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
