"""Whose scripts they are, where they lie, and where their versions are kept."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sievemda.config import Settings
from sievemda.errors import NotFound, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.scripts.keeper import Keeper
from sievemda.scripts.repositories import canonical, is_repository, place_of
from sievemda.state.versions import Actor, Bounds, Versions
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore
from sievemda.store.slots import Slots

MARK = "versions.there"  # in the data directory, where it stays when `state` is a disk that is away


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
    return Versions(versions_path(settings), bounds, None if only_read else settings.data / MARK, only_read=only_read)


def versions_to_read(settings: Settings) -> Versions | None:
    """To look at them without making anything; None where there are none. TemporaryTrouble when there were some."""
    path = versions_path(settings)
    if not path.exists():
        if settings.sieve.sieve_versions and (settings.data / MARK).exists():
            raise TemporaryTrouble(f"{path} is gone: bring it back, or remove {settings.data / MARK} to do without")
        return None
    return open_versions(settings, only_read=not os.access(path.parent, os.W_OK))


def versions_path(settings: Settings) -> Path:
    return settings.data / "state" / "versions.db"


def number_of(settings: Settings, userid: str, script: str, digest: str, instant: float) -> int | None:
    """The number of the version of a script that had this text at that time, if it is kept. Changes nothing."""
    from sievemda.store.mailstore import MailStore  # noqa: PLC0415 - most have one

    versions = open_versions(settings, only_read=True) if versions_path(settings).exists() else None
    if versions is None:
        return None
    try:
        return versions.number_of(inbox_id(MailStore(settings), userid), script, digest, instant)
    except SievemdaError:
        return None


def script_store(settings: Settings, homes: Homes, userid: str) -> ScriptStore:
    """The scripts as files, to read them."""
    modes = settings.store
    if is_repository(userid):
        place = place_of(settings, userid)
        if place is None:
            raise NotFound(f"there is no {userid}; /global, /before and /after are what sieve_global and the like name")
        return ScriptStore(place, "", file_mode=modes.message_mode, folder_mode=modes.folder_mode, above=True)
    return ScriptStore(homes.home(userid), file_mode=modes.message_mode, folder_mode=modes.folder_mode)


def keeper_of(
    settings: Settings, homes: Homes, versions: Versions | None, userid: str, actor: Actor, inbox: str = ""
) -> Keeper:
    """The scripts of a user, to change them; only while his INBOX has that id, where one is given."""
    store = script_store(settings, homes, userid)
    if is_repository(userid):
        return Keeper(store, userid, lambda: canonical(settings, userid), versions, actor)
    slots = Slots(settings.sieve.sieve_active_slots)
    return Keeper(store, userid, lambda: inbox_id(homes, userid, inbox), versions, actor, slots)


def on_command_line(via: str = "command") -> Actor:
    """Whoever started this program."""
    uid = os.getuid()
    try:
        name = f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        name = f"uid {uid}"
    return Actor(name, "command line", via)


def arrived(settings: Settings, homes: Homes, userid: str, via: str) -> None:
    """The scripts of somebody who is new are noted as this program's doing."""
    keeper_of(settings, homes, open_versions(settings), userid, on_command_line(via)).look(ours=True)


@contextmanager
def noted(settings: Settings, homes: Homes, userid: str, via: str) -> Iterator[None]:
    """What is done to a user's scripts inside, by other means than a keeper, is noted afterwards as this program's."""
    keeper = keeper_of(settings, homes, open_versions(settings), userid, on_command_line(via))
    keeper.look()
    yield
    keeper.look(ours=True)


def inbox_id(homes: Homes, userid: str, expected: str = "") -> str:
    """The id of his INBOX, which stays when he is renamed, or deleted and brought back.

    NotFound, also when another one is `expected`: then somebody else has his name. StoreTrouble, TemporaryTrouble.
    """
    inbox = homes.find(MailboxName(userid))
    if inbox is None:
        raise NotFound(f"there is no user {userid}")
    try:
        found = inbox.id
    except OSError as error:
        raise StoreTrouble(f"the INBOX of {userid} cannot be looked at: {error}") from error
    if expected and found != expected:
        raise NotFound(f"there is another user {userid} now")
    return found
