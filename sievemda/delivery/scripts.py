"""Which scripts run for a user, and which ones they may include; read at each delivery, compiled once.

The row of a user is: sieve_before, his active scripts (one, unless there are slots for several) or sieve_default,
sieve_after. A bulletin board has the one
script that its annotation names, from sieve_global; what is there for users does not run for it. What the administrator
has put there may require more than users may; a personal script that it includes may not.

Why a script that cannot be read is a script that cannot be used, and not one that is not there: the site wanted it to
run, and a message that passes it by is worse than one in the INBOX that says so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sievemda.config import MOST_SCRIPT, Settings
from sievemda.delivery.customs import script_of
from sievemda.delivery.target import Target
from sievemda.errors import DataError, NotFound, StoreTrouble
from sievemda.given import open_given
from sievemda.sieve.compile import ProgramCache, Programs
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Origin
from sievemda.sieve.sequence import Stage
from sievemda.store.mailstore import MailStore
from sievemda.store.script_names import SUFFIX, file_for
from sievemda.store.scripts import ACTIVE, ScriptStore
from sievemda.store.slots import Slots

PERSONAL = "personal"
MOST = 100  # files of one directory of the administrator
_LOOKS = 3  # at a script that is there and cannot be read, before it counts as broken


@dataclass(frozen=True, slots=True)
class Source:
    """A script that was read: its name (a path, when the administrator's), and the digest of its text."""

    name: str
    sha256: str
    own: bool  # whether it is the user's active script


Told = Callable[[Source], None]  # is told of each script that is read


@dataclass(frozen=True, slots=True)
class Own:
    """A user's own script as it is, or might be.

    Without a text none of his is active; of several, with a name, this one is not.
    """

    name: str = ""
    text: bytes | None = None


class Scripts:
    """Thread-safe; keeps nothing but programs."""

    def __init__(self, settings: Settings, store: MailStore, programs: Programs) -> None:
        self._settings = settings
        self._sieve = settings.sieve
        self._store = store
        self._programs = programs
        self._slots = Slots(settings.sieve.sieve_active_slots)

    def row(self, owner: str, told: Told, own: Own | None = None) -> list[Stage]:
        """The scripts of a delivery to this user, in order. `own` stands in for his active one."""
        before = [self._trusted(path, told) for path in self._files(owner, self._sieve.sieve_before)]
        after = [self._trusted(path, told) for path in self._files(owner, self._sieve.sieve_after)]
        return [*before, *self._own(owner, told, own), *after]

    def of_board(self, target: Target, told: Told) -> list[Stage]:
        """The script of a bulletin board, if it has one. Raises ScriptError when it cannot be used."""
        name = script_of(self._store, target.mailbox)
        if not name:
            return []
        program = self.included(target.scripts_of, "global", name, told)
        if program is None:
            raise _unusable(NotFound(f"there is no script {name!r} in sieve_global"))
        return [Stage(lambda: program, Origin(name))]

    def included(self, owner: str, location: str, name: str, told: Told) -> Program | None:
        """A script to include; `None` when there is none. Raises `ScriptError`. For `owner` see `Target.scripts_of`."""
        try:
            if location == PERSONAL and owner[:1] in ("", "@"):
                return None
            if location == PERSONAL:
                text = ScriptStore(self._store.home(owner)).read(name)
                return None if text is None else self._compiled(self._programs.users, text, name, told)
            if (path := self._global(owner, name)) is not None:
                return self._compiled(self._programs.trusted, _read(path), str(path), told)
        except DataError:  # no script can have that name
            return None
        except (StoreTrouble, OSError) as e:
            raise _unusable(e) from e
        return None

    # -- the user's own ------------------------------------------------------------------------------------------

    def names(self, owner: str, own: Own | None = None) -> tuple[str, ...]:
        """Of his scripts that run, in order; for `own` see `row`. Raises StoreTrouble when they cannot be read."""
        return tuple(name for name, _ in self._chosen(owner, own))

    def _chosen(self, owner: str, own: Own | None) -> tuple[tuple[str, bytes | None], ...]:
        """Names and texts of his scripts that run, in order."""
        if own is not None and (not self._slots.labels or own == Own()):
            return () if own.text is None else ((own.name, own.text),)
        active = _actives(self._store.home(owner))
        if own is None:
            return active
        if own.text is None:
            return tuple((name, text) for name, text in active if name != own.name)
        texts = {**dict(active), own.name: own.text}
        return tuple((name, texts[name]) for name in self._slots.activated([name for name, _ in active], own.name))

    def _own(self, owner: str, told: Told, own: Own | None) -> Iterator[Stage]:
        try:
            chosen = self._chosen(owner, own)
        except StoreTrouble as trouble:
            yield Stage(_failing(trouble))
            return
        for name, text in chosen:
            label = name if len(chosen) > 1 else ""
            origin = Origin(label, (PERSONAL, name) if name else None)
            if text is None:
                yield Stage(_failing(StoreTrouble(f"the active script {name} is not there")), origin)
            else:
                yield Stage(partial(self._compiled, self._programs.users, text, name, told, own=True), origin)
        if chosen:
            return
        if self._sieve.sieve_default:
            for path in self._files(owner, (self._sieve.sieve_default,)):
                yield self._trusted(path, told)

    # -- the administrator's -------------------------------------------------------------------------------------

    def _trusted(self, path: Path, told: Told) -> Stage:
        def load() -> Program:
            try:
                text = _read(path)
            except OSError as e:
                raise _unusable(e) from e
            return self._compiled(self._programs.trusted, text, str(path), told)

        return Stage(load, Origin(str(path)))

    def _files(self, owner: str, places: tuple[str, ...]) -> Iterator[Path]:
        """The files that these settings name, and those in the directories that they name."""
        for place in places:
            path = self._settings.place(place, owner)
            if path is None:
                continue
            try:
                found = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIX) and file.name[0] != ".")
                yield from found[:MOST]
            except FileNotFoundError:
                if path.is_symlink():  # to nothing: somebody wanted a script to run
                    yield path
            except OSError:  # a file; or what cannot be read, which will be said when its turn comes
                yield path

    def _global(self, owner: str, name: str) -> Path | None:
        place = self._sieve.sieve_global
        directory = self._settings.place(place, owner) if place else None
        if directory is None:
            return None
        path = directory / file_for(name)
        return path if os.path.lexists(path) else None

    def _compiled(self, programs: ProgramCache, text: bytes, name: str, told: Told, *, own: bool = False) -> Program:
        told(Source(name, hashlib.sha256(text).hexdigest(), own))
        return programs.get(text)


def _actives(home: Path) -> tuple[tuple[str, bytes | None], ...]:
    """The active scripts; somebody wanted one to run, so a link to nothing, or a pipe, is an error."""
    scripts = ScriptStore(home)
    active, looks = scripts.actives(), 1
    while not active:
        if not os.path.lexists(home / ACTIVE):
            return ()
        if looks == _LOOKS:
            raise StoreTrouble(f"{home / ACTIVE} cannot be read")
        active, looks = scripts.actives(), looks + 1  # it may have been made active just now
    return active


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise OSError(f"{path} is not a file")
    with open_given(path) as file:
        text = file.read(MOST_SCRIPT + 1)
    if len(text) > MOST_SCRIPT:
        raise OSError(f"{path} is larger than {MOST_SCRIPT} octets")
    return text


def _failing(trouble: StoreTrouble) -> Callable[[], Program]:
    def load() -> Program:
        raise _unusable(trouble) from trouble

    return load


def _unusable(error: Exception) -> ScriptError:
    return ScriptError((Problem(1, 1, str(error)),))
