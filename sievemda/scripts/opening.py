"""Whose scripts they are, where they lie, and where their versions are kept."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Protocol

from sievemda.config import Settings
from sievemda.errors import NotFound, StoreTrouble
from sievemda.scripts.keeper import Keeper
from sievemda.state.versions import Actor, Bounds, Versions
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore
from sievemda.store.slots import Slots


class Inbox(Protocol):
    @property
    def id(self) -> str: ...


class Homes(Protocol):
    """What is asked of the mail store."""

    def home(self, userid: str) -> Path: ...

    def find(self, name: MailboxName) -> Inbox | None: ...


def open_versions(settings: Settings, *, only_read: bool = False) -> Versions | None:
    """None where none are kept."""
    sieve = settings.sieve
    if not sieve.sieve_versions:
        return None
    bounds = Bounds(sieve.sieve_versions, sieve.sieve_versions_size)
    return Versions(versions_path(settings), bounds, only_read=only_read)


def versions_path(settings: Settings) -> Path:
    return settings.data / "state" / "versions.db"


def script_store(settings: Settings, homes: Homes, userid: str) -> ScriptStore:
    """The scripts as files, to read them."""
    modes = settings.store
    return ScriptStore(homes.home(userid), file_mode=modes.message_mode, folder_mode=modes.folder_mode)


def keeper_of(settings: Settings, homes: Homes, versions: Versions | None, userid: str, actor: Actor) -> Keeper:
    """The scripts of a user, to change them."""
    slots = Slots(settings.sieve.sieve_active_slots)
    return Keeper(script_store(settings, homes, userid), userid, lambda: _key(homes, userid), versions, actor, slots)


def on_command_line(via: str = "command") -> Actor:
    """Whoever started this program."""
    uid = os.getuid()
    try:
        name = f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        name = f"uid {uid}"
    return Actor(name, "command line", via)


def _key(homes: Homes, userid: str) -> str:
    """The id of his INBOX, which stays when he is renamed, or deleted and brought back. NotFound, StoreTrouble."""
    inbox = homes.find(MailboxName(userid))
    if inbox is None:
        raise NotFound(f"there is no user {userid}")
    try:
        return inbox.id
    except OSError as error:
        raise StoreTrouble(f"the INBOX of {userid} cannot be looked at: {error}") from error
