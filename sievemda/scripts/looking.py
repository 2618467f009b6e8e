"""What somebody's scripts are now, against what was known of them: changes by hand, and those that a crash cut short.

Two things are looked at before any text is read: the names, and what stat(2) says of each file. Only a file that is not
the one that was known is read.

Why there are bounds: who can write into the folder himself can put anything there. The rest is for the next look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sievemda.errors import StoreTrouble
from sievemda.state.versions import Actor, Known, Version, digest_of
from sievemda.store.scripts import ScriptStore, State

_MOST = 200  # scripts that one look reads
_OCTETS = 32 << 20

Found = tuple[Version, bytes | None]


@dataclass(slots=True)
class Seen:
    """What a look has found: versions with their texts, and what is known from now on."""

    known: Known
    found: list[Found] = field(default_factory=list)


class Look:
    """A look without the lock, at names and times alone."""

    def __init__(self, known: Known, store: ScriptStore) -> None:
        self._known = known
        self._store = store

    def differs(self) -> bool:
        """Whether there may be something to note."""
        state, known = self._store.state(), self._known
        signs = {name: sign for name, (_, sign) in known.scripts.items()}
        if not known.met and not state.signs and not state.plain:
            return bool(known.begun)
        told = bool(known.begun) or state.plain or signs != state.signs or known.active != state.active
        return told or not all(state.signs.values())

    def plainly(self) -> Known:
        """What is there, where no versions are kept: the digests are of what is there now."""
        state = self._store.state()
        texts = {name: self._store.read(name) for name in state.signs}
        scripts = {name: (digest_of(text or b""), "") for name, text in texts.items()}
        return Known(active=state.active, scripts=scripts)


def look(known: Known, store: ScriptStore, owner: str, actor: Actor | None = None) -> Seen:
    """With the lock held. Versions that were only begun are settled first, as the disk tells; a renaming is finished.

    What else is found is the doing of `actor`, or of nobody who is known.
    """
    for version in known.begun:
        if version.action == "rename":
            store.finish_rename(version.script, version.target)
    state = store.state()
    seen = Seen(known)
    for version in known.begun:
        done = _is_done(version, state, store)
        seen.found.append((replace(version, status="done" if done else "failed"), None))
        if done:
            seen.known = after(seen.known, version, state)
    seen.known = replace(seen.known, begun=())
    who, left = actor or Actor(via="outside" if known.met else "found"), set[str]()
    for version, text, changed in _changes(seen.known, state, store, left):
        number = seen.known.number + 1
        filled = replace(version, number=number, instant=int(time.time()), owner=owner)
        filled = replace(filled, actor=who.user, address=who.address, via=who.via)
        seen.known = replace(changed, number=number)
        seen.found.append((filled, text))
    seen.known = replace(seen.known, scripts=_signed(seen.known, state, left), met=True)
    return seen


def after(known: Known, version: Version, state: State) -> Known:
    """What is known once a version is done."""
    scripts = dict(known.scripts)
    if version.action in ("delete", "rename"):
        scripts.pop(version.script, None)
    if version.action in ("put", "rename"):
        name = version.target or version.script
        scripts[name] = (version.digest, state.signs.get(name, ""))
    return replace(known, number=max(known.number, version.number), active=version.active, scripts=scripts, met=True)


def _is_done(version: Version, state: State, store: ScriptStore) -> bool:
    match version.action:
        case "put":
            text = store.read(version.script) if version.script in state.signs else None
            return text is not None and digest_of(text) == version.digest
        case "delete":
            return version.script not in state.signs
        case "rename":
            return version.script not in state.signs and version.target in state.signs
        case _:
            return version.active == state.active


def _changes(
    known: Known, state: State, store: ScriptStore, left: set[str]
) -> Iterator[tuple[Version, bytes | None, Known]]:
    """Each difference as a version, with the text, and what is known after it; the scripts that are `left` unread."""
    octets = read = 0
    for name in sorted(known.scripts.keys() - state.signs.keys()):
        version = _version(known, "delete", name)
        known = after(known, version, state)
        yield version, None, known
    unknown_first = sorted(state.signs.items(), key=lambda pair: (pair[0] in known.scripts, pair[0]))
    for name, sign in unknown_first:
        digest, former = known.scripts.get(name, ("", ""))
        if sign and sign == former:
            continue
        if read >= _MOST or octets > _OCTETS:
            left.add(name)
            continue
        text = _text(store, name)
        read, octets = read + 1, octets + len(text or b"")
        new = digest_of(text) if text is not None else ""
        if name in known.scripts and new == digest:
            continue
        version = replace(_version(known, "put", name), digest=new, size=len(text or b""))
        known = after(known, version, state)
        yield version, text, known
    if known.active != state.active:
        action = "activate" if state.active else "deactivate"
        names = ", ".join(state.active or known.active)
        digest, _ = known.scripts.get(names, ("", ""))
        version = replace(_version(known, action, names), active=state.active, before="", digest=digest)
        yield version, None, after(known, version, state)


def _version(known: Known, action: str, name: str) -> Version:
    before, _ = known.scripts.get(name, ("", ""))
    return Version(
        number=0,
        instant=0,
        status="done",
        action=action,  # type: ignore[arg-type]
        script=name,
        before=before,
        active=known.active,
        active_before=known.active,
    )


def _text(store: ScriptStore, name: str) -> bytes | None:
    """None for what cannot be read, or is too large for a script."""
    try:
        return store.read(name)
    except StoreTrouble:
        return None


def _signed(known: Known, state: State, left: set[str]) -> dict[str, tuple[str, str]]:
    """What is known with the signs of now, but for what was not read."""
    return {
        name: (digest, sign if name in left else state.signs.get(name, ""))
        for name, (digest, sign) in known.scripts.items()
    }
