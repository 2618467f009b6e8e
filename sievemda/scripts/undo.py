"""Taking changes of scripts back: what to do for it, refused in time, and done as changes that are versions themselves.

Without a script and without a version the last change is taken back, whatever it was; so undoing twice does it again.
Of a script it is the last change of it. With a version a script becomes what it was after that version; without a
script all become what they were then.

Why that is not done change by change: mail that came in between would be treated as nobody ever wanted it.

Why refused and not done by halves: a text that is not kept any more, a name that is taken or a script that is active
would leave something that nobody ever had.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sievemda.errors import DataError, NotFound, NotPermitted
from sievemda.scripts.keeper import Keeper
from sievemda.state.versions import Version


@dataclass(frozen=True, slots=True)
class Step:
    """One change; `told` says what it does, as in `main becomes what it was before 7`."""

    told: str
    act: Callable[[], Version]


class Undo:
    """For one user. Everything raises NotFound for what there is not, NotPermitted for what cannot be undone."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._versions = [version for version in keeper.history() if version.status == "done"]

    def last(self, script: str = "") -> list[Step]:
        """Take the last change back: of a script, or any. What was stored as it was before is none."""
        found = [version for version in self._versions if not script or concerns(version, script)]
        if not found:
            raise NotFound(f"nothing is known of changes to {script or 'any script'}")
        changed = [version for version in found if version.action != "put" or version.digest != version.before]
        return [self._taken_back((changed or found)[-1], self._there())]

    def since(self, number: int) -> list[Step]:
        """Let everything be what it was after a version: with as few changes as that takes."""
        self._existing(number)
        there, then = self._there(), self._there()
        for version in reversed(self._versions):
            if version.number > number:
                _refuse_found(version)
                _change_back(then, version)
        steps = [*self._respelled(there, then)]
        for name, digest in sorted(then.scripts.items()):
            if there.scripts.get(name) != digest:
                steps.append(self._put(name, digest, 0, f"{name} becomes what it was after {number}"))
        if then.active != there.active:
            steps.append(Step(_told_active(then.active), lambda: self._keeper.set_active(then.active)))
        steps += [
            self._deleted(name, _There(there.scripts, then.active), 0, f"{name} is deleted, as it was after {number}")
            for name in sorted(there.scripts.keys() - then.scripts.keys())
        ]
        return steps

    def _respelled(self, there: _There, then: _There) -> Iterator[Step]:
        """Names that are the same to people are one, and only spelled as they were."""
        gone, come = there.scripts.keys() - then.scripts.keys(), then.scripts.keys() - there.scripts.keys()
        spelled = {unicodedata.normalize("NFC", name): name for name in come}
        for name in sorted(gone):
            if before := spelled.get(unicodedata.normalize("NFC", name)):
                there.scripts[before] = there.scripts.pop(name)
                there.active = tuple(before if active == name else active for active in there.active)
                yield Step(f"{name} is spelled {before} again", partial(self._keeper.rename, name, before))

    def script_to(self, script: str, number: int) -> list[Step]:
        """Let a script be what it was after a version."""
        self._existing(number)
        there = self._there()
        digest = text_after(self._versions, script, number, there.scripts.get(script))
        if digest is None:
            raise NotFound(f"it is not kept what {script} was after version {number}")
        if digest == there.scripts.get(script, ""):
            return []
        if digest:
            return [self._put(script, digest, 0, f"{script} becomes what it was after {number}")]
        return [self._deleted(script, there, 0, f"{script} is deleted, as it was after {number}")]

    # -- one change ----------------------------------------------------------------------------------------------------

    def _taken_back(self, version: Version, there: _There) -> Step:
        _refuse_found(version)
        name, number, keeper = version.script, version.number, self._keeper
        match version.action:
            case "put" if version.before:
                return self._put(name, version.before, number, f"{name} becomes what it was before {number}")
            case "put":
                return self._deleted(name, there, number, f"{name} is deleted, as it was not there before {number}")
            case "delete":
                if name in there.scripts:
                    raise NotPermitted(f"version {number} cannot be undone: there is another script {name} now")
                return self._put(name, version.before, number, f"{name} is there again")
            case "rename":
                if version.target not in there.scripts or name in there.scripts:
                    what = (
                        f"there is another script {name} now" if name in there.scripts else f"{version.target} is gone"
                    )
                    raise NotPermitted(f"version {number} cannot be undone: {what}")
                told = f"{version.target} is called {name} again"
                return Step(told, lambda: keeper.rename(version.target, name, undoes=number))
            case _:
                return self._activated(version, there)

    def _activated(self, version: Version, there: _There) -> Step:
        """What has become active in another slot since then stays active."""
        came = set(version.active) - set(version.active_before)
        back = [name for name in version.active_before if name not in version.active]
        gone = [name for name in back if name not in there.scripts]
        if gone:
            raise NotPermitted(f"version {version.number} cannot be undone: {', '.join(gone)} is not there any more")
        active = tuple(name for name in there.active if name not in came)
        for name in back:
            active = self._keeper.slots.activated(active, name)
        if there.active == version.active:  # exactly, also where the site has other slots now
            active = version.active_before
        told = _told_active(back) if back or not active else f"{', '.join(sorted(came))} is not active any more"
        return Step(told, lambda: self._keeper.set_active(active, undoes=version.number))

    def _put(self, name: str, digest: str, undoes: int, told: str) -> Step:
        text = self._keeper.text(digest)
        if text is None:
            raise NotPermitted(f"{name} cannot be had as it was: that text is not kept any more")
        return Step(told, lambda: self._keeper.put(name, text, undoes=undoes))

    def _deleted(self, name: str, there: _There, undoes: int, told: str) -> Step:
        if name not in there.scripts:
            raise NotPermitted(f"there is no script {name} any more")
        if name in there.active:
            raise NotPermitted(f"{name} would have to be deleted, and it is active: activate another one first")
        return Step(told, lambda: self._keeper.delete(name, undoes=undoes))

    def _existing(self, number: int) -> None:
        if not any(version.number == number for version in self._versions):
            raise NotFound(f"there is no version {number}")

    def _there(self) -> _There:
        known = self._keeper.known()
        return _There({name: digest for name, (digest, _) in known.scripts.items()}, known.active)


@dataclass(slots=True)
class _There:
    """What is there, or will be after some steps."""

    scripts: dict[str, str]
    active: tuple[str, ...]


def _refuse_found(version: Version) -> None:
    if version.via == "found":
        raise NotPermitted(f"version {version.number} cannot be undone: nothing is known of the time before it")


def _told_active(names: Sequence[str]) -> str:
    return f"{', '.join(names)} is active again" if names else "no script is active"


def _change_back(there: _There, version: Version) -> None:
    """As it is once the version is taken back."""
    if version.action == "rename":
        there.scripts[version.script] = there.scripts.pop(version.target, "")
    elif version.action in ("put", "delete"):
        there.scripts.pop(version.script, None)
        if version.before:
            there.scripts[version.script] = version.before
    there.active = version.active_before


def concerns(version: Version, script: str) -> bool:
    """Whether a change is one of this script, also by activating it or another one in its place."""
    switched = (script in version.active) != (script in version.active_before)
    return version.concerns(script) or (version.action in ("activate", "deactivate") and switched)


def text_after(versions: Sequence[Version], script: str, number: int, now: str | None = None) -> str | None:
    """The digest of a script's text after a version; empty when there was none, None when it is not known.

    `now`: that of the text that it has. What was there already at the first look may have been there long before.
    """
    for version in reversed([version for version in versions if version.number <= number]):
        if version.action == "rename" and version.target == script:
            return version.digest
        if version.script == script and version.action in ("delete", "rename"):
            return ""
        if version.script == script and version.action == "put":
            return version.digest
    later = (version for version in versions if version.number > number and version.concerns(script))
    first = next((version for version in later if version.action in ("put", "delete", "rename")), None)
    if first is None:
        return now or None
    if first.via == "found":
        return None
    return "" if first.target == script else first.before


def parse_version(text: str) -> int:
    """DataError for what is no number of a version."""
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 16:
        raise DataError(f"{text!r} is no version: they are numbers, as `sievemda script history` shows them")
    return int(text)
