"""Changes to somebody's scripts, each of them noted as a version: whoever makes them, and by what means.

In this order, with the lock on his folder of scripts held: what others have changed on the disk is noted; the version
is written as begun, with its text, to the disk; the file is changed; the version is settled.

Why so: a crash before the file changed leaves a version that never was, with the text that was sent; a crash after it
leaves one that is begun though it was done. The next look finds out which by what is on the disk, so neither the old
rules nor the new ones are lost. A change is refused when it cannot be noted: later is better than without a way back.
Where the change cannot be carried out (a full disk), the text that was sent is in the history all the same. Once the
file has changed nothing is refused any more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache

from sievemda.errors import DataError, SievemdaError
from sievemda.logs import words
from sievemda.scripts.looking import Look, after, look
from sievemda.scripts.repositories import is_repository
from sievemda.state.past import Past, Texts
from sievemda.state.versions import Actor, Known, Version, Versions, digest_of
from sievemda.store.scripts import ScriptActive, ScriptStore, TooManyScripts, is_active, missing, taken
from sievemda.store.slots import Slots

_log = logging.getLogger(__name__)


class Keeper:
    """For one user and one actor, used by one thread. Methods raise what the store raises, and TemporaryTrouble.

    `key` tells what he is called in `versions`; it is asked once, with the lock held where something is changed, and
    raises NotFound when he is not there any more. Without `versions` nothing is noted.
    """

    def __init__(
        self,
        store: ScriptStore,
        userid: str,
        key: Callable[[], str],
        versions: Versions | None,
        actor: Actor,
        slots: Slots | None = None,
    ) -> None:
        self.store = store
        self.slots = slots or Slots()
        self.userid = userid
        self._key = cache(key)
        self._versions = versions
        self._actor = actor

    # -- changing ------------------------------------------------------------------------------------------------------

    def put(self, name: str, text: bytes, *, max_scripts: int = 0, undoes: int = 0) -> Version:
        """Store or replace a script; TooManyScripts beyond `max_scripts` (0: no bound)."""
        with self._changing() as known:
            name = self.store.called(name)
            if max_scripts and name not in known.scripts and len(known.scripts) >= max_scripts:
                raise TooManyScripts(f"there are already {max_scripts} scripts, which is the limit")
            change = self._change(known, "put", name, undoes=undoes, size=len(text), digest=digest_of(text))
            return self._carry_out(known, change, text, lambda: self.store.put(name, text, max_scripts=max_scripts))

    def activate(self, name: str) -> Version:
        """Make this the active script, or that of its slot, atomically; NotFound. RFC 5804 §2.8.

        DataError for the administrator's scripts.
        """
        if is_repository(self.userid):
            raise DataError("the administrator's scripts are not activated: the settings say which of them run")
        with self._changing() as known:
            name = self._there(known, name)
            return self._activated(known, "activate", name, self.slots.activated(known.active, name))

    def deactivate(self, name: str = "") -> Version:
        """Let this active script run no more, or (without a name) none; no error when none does."""
        with self._changing() as known:
            active = tuple(other for other in known.active if name and other != name)
            return self._activated(known, "deactivate", name or ", ".join(known.active), active)

    def set_active(self, names: Sequence[str], *, undoes: int = 0) -> Version:
        """Have these scripts active and no others; NotFound."""
        with self._changing() as known:
            found = tuple(self._there(known, name) for name in names)
            action = "activate" if found else "deactivate"
            return self._activated(known, action, ", ".join(found or known.active), found, undoes)

    def delete(self, name: str, *, undoes: int = 0) -> Version:
        """NotFound, or ScriptActive for an active script. RFC 5804 §2.10."""
        with self._changing() as known:
            name = self._there(known, name)
            if name in known.active:
                raise is_active(name)
            change = self._change(known, "delete", name, undoes=undoes)
            return self._carry_out(known, change, None, lambda: self.store.delete(name))

    def rename(self, old: str, new: str, *, undoes: int = 0) -> Version:
        """NotFound or AlreadyExists; an active script stays active. RFC 5804 §2.11.

        ScriptActive for an active one that would come into a slot which has an active one already.
        """
        with self._changing() as known:
            old, there = self._there(known, old), self.store.called(new)
            if there in known.scripts and (there != old or new == old):
                raise taken(new)
            change = self._change(known, "rename", old, undoes=undoes, digest=known.scripts[old][0])
            try:
                active = self.slots.renamed(known.active, old, new)
            except ValueError as e:
                raise ScriptActive(str(e)) from e
            change = replace(change, target=new, active=active)
            return self._carry_out(known, change, None, lambda: self.store.rename(old, new, active))

    def look(self, *, ours: bool = False) -> None:
        """Note what has changed on the disk, by others or (`ours`) by the one whom this keeper is for.

        It never fails: what cannot be noted now is logged.
        """
        if self._versions is None:
            return
        try:
            known = self._versions.known(self._key())
            if Look(known, self.store).differs():
                with self.store.locked():
                    self._look(self._actor if ours else None)
        except SievemdaError as error:
            _log.warning("scripts not looked at %s", words(user=self.userid, error=error))

    def take_in(self, past: Past, texts: Texts, *, afresh: bool = False) -> None:
        """Join a history that was carried here, once; `afresh`: his scripts have come with it, and are new here.

        TemporaryTrouble when it cannot be noted.
        """
        if self._versions is None:
            return
        met = self._versions.known(self._key()).met
        if not (past.versions or past.scripts or (afresh and met)):
            return
        with self.store.locked():
            if met and not afresh:
                self._look()
            self._versions.join(self._key(), past, texts, "none" if afresh else "here")

    # -- reading -------------------------------------------------------------------------------------------------------

    def history(self) -> list[Version]:
        """All versions that are kept, the oldest first, after a look."""
        self.look()
        return [] if self._versions is None else self._versions.of(self._key())

    def known(self) -> Known:
        """What is there now, noted as far as it was not."""
        with self._changing() as known:
            return known

    def text(self, digest: str) -> bytes | None:
        """A text of the history; None when it is not kept any more."""
        return self._versions.text(digest) if self._versions is not None and digest else None

    def before(self, version: Version) -> Version | None:
        """What gave the same script the text that this version replaced, or took it away."""
        if self._versions is None:
            return None
        found = (
            other
            for other in reversed(self._versions.of(self._key()))
            if other.number < version.number and other.status == "done" and other.changes(version.script)
        )
        return next(found, None)

    # -- inside --------------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[Known]:
        with self.store.locked():
            yield self._look()

    def _look(self, actor: Actor | None = None) -> Known:
        """What is there, with the lock held, noted where it is not what was known."""
        key = self._key()  # of nobody else, whether anything is noted or not
        if self._versions is None:
            return Look(Known(), self.store).plainly()
        known = self._versions.known(key)
        seen = look(known, self.store, self.userid, actor)
        if seen.found or seen.known != known:
            self._versions.record(key, seen.found, known, seen.known)
        return seen.known

    def _there(self, known: Known, name: str) -> str:
        name = self.store.called(name)
        if name not in known.scripts:
            raise missing(name)
        return name

    def _change(self, known: Known, action: str, name: str, **more: object) -> Version:
        """A version of what is to be done, as if it left the active scripts as they are."""
        before, _ = known.scripts.get(name, ("", ""))
        return Version(
            number=known.number + 1,
            instant=int(time.time()),
            status="begun",
            action=action,  # type: ignore[arg-type]
            script=name,
            before=before,
            active=known.active,
            active_before=known.active,
            owner=self.userid,
            actor=self._actor.user,
            address=self._actor.address,
            via=self._actor.via,
            **more,  # type: ignore[arg-type]
        )

    def _activated(self, known: Known, action: str, name: str, active: tuple[str, ...], undoes: int = 0) -> Version:
        digest, _ = known.scripts.get(name, ("", "")) if action == "activate" else ("", "")
        change = replace(self._change(known, action, name, undoes=undoes, digest=digest), active=active, before="")
        return self._carry_out(known, change, None, lambda: self.store.set_active(active))

    def _carry_out(self, known: Known, change: Version, text: bytes | None, act: Callable[[], None]) -> Version:
        if self._versions is None:
            act()
            return change
        key = self._key()
        self._versions.begin(key, change, text)
        try:
            act()
        except BaseException:
            with suppress(SievemdaError):
                self._look()  # by what is on the disk now
            raise
        try:
            self._versions.settle(key, change.number, "done", known, after(known, change, self.store.state()))
        except SievemdaError as error:  # it is done; the next look will see it
            _log.warning("version not settled %s", words(user=change.owner, number=change.number, error=error))
        return change
