"""Users who are moving to another host: how far each has come, so that the move can be finished or taken back.

    DATA/state/departures/USER/note     JSON; its directory is what the one who moves him holds a lock on

Why not in his home: that goes away before he has arrived, and mail for him must still be put off.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sievemda.errors import StoreTrouble, TemporaryTrouble
from sievemda.store.files import locked_within, read_control_file, sync_directory, write_atomically

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.store.mailstore import MailStore

_NOTE = "note"

STAYING = "staying"  # he is here as ever, and a copy of what he has is being made
HELD = "held"  # his mail is put off
AWAY = "away"  # what he has is put away here (see `aside`); he is not there yet
ARRIVING = "arriving"  # the other host has been told to let him in: only that host knows whether it has
THERE = "there"  # he is there


@dataclass(frozen=True, slots=True)
class Departure:
    id: str  # of this move
    host: str
    to: str  # what he is called there
    phase: str = STAYING
    since: float = 0.0  # from when on what he has may be put away; seconds since 1970
    denied: Mapping[str, str] = field(default_factory=dict)  # what he was shut out of before, see `denials`
    notes: tuple[Mapping[str, Any], ...] = ()  # of snoozed messages


class Keeping(Protocol):
    """Whose settings say where notes of departures lie."""

    @property
    def settings(self) -> Settings: ...


def _place(store: Keeping, userid: str) -> Path:
    return store.settings.data / "state" / "departures" / userid


def is_departing(store: Keeping, userid: str) -> bool:
    """Whether somebody who is not found is on his way to another host, or was and mail for him is still to wait."""
    return os.path.lexists(_place(store, userid) / _NOTE)


@contextmanager
def alone(store: MailStore, userid: str) -> Iterator[None]:
    """While nobody else moves that user to another host. TemporaryTrouble when somebody does; OSError."""
    place = _place(store, userid)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not locked_within(fd, fcntl.LOCK_EX, 0):
            raise TemporaryTrouble(f"{userid} is being moved by somebody else at this moment")
        yield
    finally:
        if not is_departing(store, userid):
            shutil.rmtree(place, ignore_errors=True)
        os.close(fd)


def read(store: Keeping, userid: str) -> Departure | None:
    """StoreTrouble when it is damaged."""
    path = _place(store, userid) / _NOTE
    content = read_control_file(path)
    if content is None:
        return None
    try:
        said = json.loads(content)
        return Departure(**(said | {"notes": tuple(said.get("notes", ()))}))
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreTrouble(f"{path} is damaged: {error}") from error


def write(store: MailStore, userid: str, departure: Departure, **changes: Any) -> Departure:
    """Note how far it is, durably. OSError."""
    departure = replace(departure, **changes)
    place = _place(store, userid)
    write_atomically(place / _NOTE, json.dumps(asdict(departure)).encode(), store.files.message_mode)
    for directory in (place.parent, place.parent.parent):
        sync_directory(directory)
    return departure


def forget(store: MailStore, userid: str) -> None:
    (_place(store, userid) / _NOTE).unlink(missing_ok=True)
