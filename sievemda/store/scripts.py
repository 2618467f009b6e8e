"""The Sieve scripts of one user: files `HOME/sieve/NAME.sieve`, the active one linked from `HOME/.dovecot.sieve`.

Why this layout: it is what Dovecot reads, so a site can go from one to the other, and a person can look at it with
`ls`. Why one lock on the folder for every change: two clients that rename, delete and activate at once then see each
other's work done or not begun. A delivery takes no lock: the link and every script are replaced by rename(2), so it
reads the old one or the new one, whole.

Several can be active, where the site has slots for them: then the link leads to a list of them, `active_link`.

An active script that is a plain file (as Dovecot's administrators write by hand), or a link to a file of the
user's elsewhere, is taken into the folder as `dovecot`, and linked, when scripts are first listed or changed: nothing
is lost, and clients can see and keep it. Symbolic links in the folder are not scripts and are not
followed; so nobody reads or writes outside of it.

What is changed here is not noted anywhere: whoever changes scripts of somebody who is there does it by a
`scripts.keeper.Keeper`.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import AlreadyExists, NotFound, NotPermitted, StoreTrouble, TemporaryTrouble
from sievemda.store import active_link, script_files
from sievemda.store.active_link import ACTIVE, FOLDER, LIST, ActiveLink
from sievemda.store.files import LOCK_PATIENCE, locked_within, sync_file
from sievemda.store.script_files import MAX_READ, exists, file_of, files, name_of, read
from sievemda.store.script_names import SUFFIX, file_for, is_name, name_for
from sievemda.store.slots import Slots

__all__ = ["ACTIVE", "FOLDER", "MAX_READ", "Script", "ScriptActive", "ScriptStore", "State", "TooManyScripts"]


class ScriptActive(NotPermitted):
    """The active script cannot be deleted. RFC 5804 §2.10."""


class TooManyScripts(NotPermitted):
    """The user has as many scripts as allowed; replacing one is still possible."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class State:
    """What is there, without the texts: by name what each file has anew after a change (see `sign_of`)."""

    signs: dict[str, str]
    active: tuple[str, ...]  # in the order in which they run
    plain: bool = False  # the active script is a plain file yet


class ScriptStore:
    """The scripts below one home directory, which must exist. Every method raises StoreTrouble when the disk fails.

    `folder`: a directory in it that holds them in place of the one that belongs to a home. It is made when something is
    changed, and where `above` says so the home too.
    """

    def __init__(
        self,
        home: Path,
        folder: str = FOLDER,
        /,
        *,
        file_mode: int = 0o600,
        folder_mode: int = 0o700,
        above: bool = False,
    ) -> None:
        self._home = home
        self._place = home / folder
        self._link = ActiveLink(home)
        self._file_mode = file_mode
        self._folder_mode = folder_mode
        self._above = above
        self._held: int | None = None  # the folder, while it is locked

    def is_where(self, other: ScriptStore) -> bool:
        """Whether both are in one place."""
        return self._place == other._place

    # --- reading -----------------------------------------------------------------------------------------------

    def list(self) -> tuple[Script, ...]:
        """All scripts by name."""
        with self._folder() as folder:
            if folder is None:
                return ()
            active = self._active_files()
            named = {name_of(folder, file): file in active for file in files(folder)}
            return tuple(Script(name, named[name]) for name in sorted(name for name in named if name))

    def get(self, name: str) -> bytes:
        """The text of a script; raises NotFound."""
        file_for(name)
        with self._folder() as folder:
            text = None if folder is None else read(folder, file_of(folder, name))
        if text is None:
            raise missing(name)
        return text

    def read(self, name: str) -> bytes | None:
        """The text of a script as a delivery sees it, without changing anything; None when there is none."""
        file_for(name)
        with _trouble(self._home), self._open() as folder:
            return None if folder is None else read(folder, file_of(folder, name))

    def active(self) -> tuple[str, bytes] | None:
        """Name and text of the first active script as a delivery sees it; changes nothing, not even a plain file."""
        found = [(name, text) for name, text in self.actives() if text is not None]
        return found[0] if found else None

    def actives(self) -> tuple[tuple[str, bytes | None], ...]:
        """The active scripts in their order, as a delivery sees them; one that is not there has no text.

        Following links is several steps: what is renamed between them is looked for under its new name.
        """
        with _trouble(self._home):
            while True:
                target = self._link.target()
                if target == LIST:
                    found = tuple((name, self.read(name)) for name in self._listed())
                    if (found and all(text is not None for _, text in found)) or self._is_as(found):
                        return found
                    continue
                text = read(None, str(self._link.path), follow=True)
                if text is not None:
                    return (((name_for(target, self._beside) if target else None) or "", text),)
                if not target or target == self._link.target():
                    return ()

    def _is_as(self, found: Sequence[tuple[str, bytes | None]]) -> bool:
        return self._link.target() == LIST and self._listed() == tuple(name for name, _ in found)

    def state(self) -> State:
        """What is there now; changes nothing."""
        with _trouble(self._home), self._open() as folder:
            if folder is None:
                return State({}, (), self._link.is_plain())
            named = {name: file for file in files(folder) if (name := name_of(folder, file))}
            signs = {name: script_files.sign_of(folder, file) for name, file in named.items()}
            active = self._active_files()
            return State(
                signs, tuple(name for file in active for name in named if named[name] == file), self._link.is_plain()
            )

    def called(self, name: str) -> str:
        """The name as the script that is there spells it; as it is given when there is none. DataError."""
        file_for(name)
        with _trouble(self._home), self._open() as folder:
            return name if folder is None else name_of(folder, file_of(folder, name)) or name

    def everything(self) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The texts of all scripts, and the names of the active ones; changes nothing.

        An active one that is a plain file comes under a name that it might be taken into the folder by.
        """
        with _trouble(self._home), self._open() as folder:
            named = (
                [] if folder is None else [(name, file) for file in files(folder) if (name := name_of(folder, file))]
            )
            texts = {name: read(folder, file) for name, file in named}
        found = {name: text for name, text in sorted(texts.items()) if text is not None}
        active = dict(self.actives())
        if self._link.is_plain():
            name = next(name for name in map(_own_name, itertools.count(1)) if name not in found)
            found[name] = active.get("") or b""
            return found, (name,)
        return found, tuple(name for name in active if name in found)

    def _beside(self, file: str) -> bytes:
        with self._open() as folder:
            return b"" if folder is None else read(folder, file) or b""

    def _listed(self) -> tuple[str, ...]:
        names = active_link.names_in(self._beside(LIST))
        return tuple(name for name in names if is_name(name))

    # --- changing ----------------------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes scripts meanwhile. TemporaryTrouble when somebody does for long."""
        with self._locked():
            yield

    def put(self, name: str, text: bytes, *, max_scripts: int = 0) -> None:
        """Store or replace a script durably; raises TooManyScripts for a new one beyond `max_scripts` (0: no bound)."""
        file_for(name)
        with self._locked() as folder:
            script_files.sweep(folder)
            file = file_of(folder, name)
            if not self._room(folder, file, max_scripts):
                raise TooManyScripts(f"there are already {max_scripts} scripts, which is the limit")
            if not exists(folder, file):
                script_files.write_name(folder, file, name, self._file_mode)
            script_files.write(folder, file, text, self._file_mode)
            sync_file(folder)

    def has_room(self, name: str, max_scripts: int) -> bool:
        """Whether `put` would find room for a script of this name."""
        file_for(name)
        with self._folder() as folder:
            return folder is None or self._room(folder, file_of(folder, name), max_scripts)

    def activate(self, name: str, slots: Slots | None = None) -> None:
        """Make this the active script, or that of its slot, atomically; raises NotFound."""
        file_for(name)
        with self._locked() as folder:
            file = file_of(folder, name)
            if not exists(folder, file):
                raise missing(name)
            called = name_of(folder, file) or name
            self.set_active(slots.activated(self.state().active, called) if slots else (called,))

    def deactivate(self) -> None:
        """Have no active script; no error when there is none. RFC 5804 §2.8."""
        with self._locked():
            self.set_active(())

    def set_active(self, names: Sequence[str]) -> None:
        """Have these scripts active, in this order, at once and no others; raises NotFound."""
        with self._locked() as folder:
            chosen = [file_of(folder, name) for name in names]
            for name, file in zip(names, chosen, strict=True):
                if not exists(folder, file):
                    raise missing(name)
            if len(chosen) > 1:
                called = [name_of(folder, file) or "" for file in chosen]
                script_files.write(folder, LIST, active_link.render(called), self._file_mode)
                sync_file(folder)
            target = LIST if len(chosen) > 1 else "".join(chosen)
            if target and self._link.target() != target:
                self._link.lead_to(target)
            if not target:
                self._link.remove()
            if target != LIST:
                with suppress(FileNotFoundError):
                    os.unlink(LIST, dir_fd=folder)

    def delete(self, name: str) -> None:
        """Raises NotFound, or ScriptActive for an active script."""
        file_for(name)
        with self._locked() as folder:
            file = file_of(folder, name)
            if not exists(folder, file):
                raise missing(name)
            if file in self._active_files():
                raise is_active(name)
            script_files.unlink(folder, file)
            sync_file(folder)

    def rename(self, old: str, new: str, active: Sequence[str] | None = None) -> None:
        """Raises NotFound or AlreadyExists; an active script stays active. RFC 5804 §2.11.

        `active`: the active scripts, in their order then; without it the new name stands where the old one stood.

        The new name comes first, the link follows, the old name goes last: a delivery always finds the script. Where
        the link cannot follow, as on a full disk, the new name goes again: what is refused is not half done.
        """
        file_for(old)
        file_for(new)
        with self._locked() as folder:
            source, target = file_of(folder, old), file_of(folder, new)
            if not exists(folder, source):
                raise missing(old)
            if target == source:  # it may become another spelling of the same name
                target = file_for(new)
            if exists(folder, target):
                raise taken(new)
            script_files.write_name(folder, target, new, self._file_mode)
            os.link(source, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            try:
                sync_file(folder)
                self._renamed(folder, source, target, new, active)
            except (OSError, StoreTrouble):
                if exists(folder, source) and target not in self._active_files():
                    script_files.unlink(folder, target)
                raise

    def finish_rename(self, old: str, new: str) -> None:
        """Go on with a renaming that a crash cut short between the two names."""
        with self._locked() as folder:
            source, target = file_of(folder, old), file_of(folder, new)
            if source != target and script_files.same(folder, source, target):
                self._renamed(folder, source, target, new)

    def _renamed(self, folder: int, source: str, target: str, new: str, wanted: Sequence[str] | None = None) -> None:
        active = self._active_files()
        if source in active:
            names = [new if file == source else name_of(folder, file) or "" for file in active if file != target]
            self.set_active(names if wanted is None else wanted)
        script_files.unlink(folder, source)
        sync_file(folder)

    # --- the folder --------------------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[int | None]:
        if self._held is not None:
            yield self._held
            return
        try:
            folder = os.open(self._place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _folder(self) -> Iterator[int | None]:
        if self._link.is_plain():
            with self._locked():
                pass  # taking the lock takes the plain file in
        with _trouble(self._home), self._open() as folder:
            yield folder

    @contextmanager
    def _locked(self) -> Iterator[int]:
        with _trouble(self._home):
            if self._held is not None:
                yield self._held
                return
            with suppress(FileExistsError):
                self._place.mkdir(mode=self._folder_mode, parents=self._above)
                self._link.sync()
            with self._open() as folder:
                if folder is None:
                    raise StoreTrouble(f"{self._place} vanished")
                if not locked_within(folder, fcntl.LOCK_EX, LOCK_PATIENCE):  # ends with the descriptor, also by a crash
                    raise TemporaryTrouble(f"{self._place} is locked by another program")
                if not os.path.samestat(os.fstat(folder), self._place.lstat()):
                    raise TemporaryTrouble(f"{self._place} has moved while it was waited for")
                if self._link.is_plain():
                    self._adopt(folder)
                self._held = folder
                try:
                    yield folder
                finally:
                    self._held = None

    def _adopt(self, folder: int) -> None:
        for number in range(1, 1000):
            file = f"{_own_name(number)}{SUFFIX}"
            with suppress(FileExistsError):
                if self._link.take_in(folder, file, self._file_mode):
                    self._link.lead_to(file)
                return
        raise StoreTrouble(f"{self._link.path} is a plain file, and no name is free for it in {FOLDER}")

    def _room(self, folder: int, file: str, max_scripts: int) -> bool:
        there = set(files(folder))
        return file in there or not max_scripts or len(there) < max_scripts

    def _active_files(self) -> tuple[str, ...]:
        """The files of the active scripts, in order, whether they are there or not."""
        target = self._link.target()
        if target != LIST:
            return (target,) if target else ()
        with self._open() as folder:
            return () if folder is None else tuple(file_of(folder, name) for name in self._listed())


def _own_name(number: int) -> str:
    """What a plain file is called in the folder."""
    return f"dovecot{number if number > 1 else ''}"


def missing(name: str) -> NotFound:
    return NotFound(f"there is no script {name!r}")


def taken(name: str) -> AlreadyExists:
    return AlreadyExists(f"there is already a script {name!r}")


def is_active(name: str) -> ScriptActive:
    return ScriptActive(f"script {name!r} is active; deactivate it first")


@contextmanager
def _trouble(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise StoreTrouble(f"scripts below {home}: {e.strerror}") from e
