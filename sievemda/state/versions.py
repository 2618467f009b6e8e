"""The versions of everybody's scripts: who changed what, when, from where, and the texts before and after.

A *keeper* is somebody who has scripts, by a name that stays when he is renamed: the id of his INBOX. Each change is a
`Version` with a number of his own. It is written in two steps, around the change of the file itself: `begin` (with the
text, durable) before, `settle` after. What a crash leaves `begun` is told as it is on the disk at the next look.

Beside the versions stands what was last known of his scripts: names, digests, what stat(2) said of their files, and
which were active. So a change that somebody made by hand is noticed, and has the text from before it.

What is bounded: versions of a keeper by their number and the octets of their texts at each change, so that who uploads
for ever only drops his own oldest versions; and by age when it is cleared away. Texts of scripts that are there stay.
Why octets are counted for each keeper alone, though equal texts are kept once: nobody's history depends on others'.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, cast

from sievemda.state import statements
from sievemda.state.past import Past, Texts, joined
from sievemda.state.sqlite import Database, Run

Action = Literal["put", "activate", "deactivate", "delete", "rename"]
Status = Literal["begun", "done", "failed"]
Scripts = Literal["here", "carried", "none"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes scripts, from where, by what means."""

    user: str = ""  # who has logged in; empty when nobody is known
    address: str = ""  # IP address, or `command line`
    via: str = "outside"  # managesieve, command, import, restore, ...; outside: by other means than ours


@dataclass(frozen=True, slots=True)
class Version:
    """One change. `active` are the names of the active scripts after it, in order."""

    number: int
    instant: int  # seconds since 1970
    status: Status  # failed: it was never carried out
    action: Action
    script: str  # the name; of a deactivation the one that was active
    target: str = ""  # of a renaming the new name
    size: int = 0  # octets of the text
    digest: str = ""  # of the text that the script has since then (put, activate, rename)
    before: str = ""  # of the text that it had before
    active: tuple[str, ...] = ()
    active_before: tuple[str, ...] = ()
    owner: str = ""  # whose scripts, as he was called then
    actor: str = ""
    address: str = ""
    via: str = ""
    undoes: int = 0  # the number of the version that this takes back

    def concerns(self, name: str) -> bool:
        return name in (self.script, self.target)

    def changes(self, name: str) -> bool:
        """Whether that script has another text since then, or is called otherwise, or is gone."""
        return self.concerns(name) and self.action in ("put", "delete", "rename")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept of one keeper; 0 is no bound."""

    number: int = 0
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a keeper's scripts: by name the digest of the text, and a sign that its file is the same."""

    number: int = 0  # of his last version
    active: tuple[str, ...] = ()
    scripts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    begun: tuple[Version, ...] = ()
    met: bool = False  # whether he was ever looked at


def digest_of(text: bytes) -> str:
    return sha256(text).hexdigest()


class Versions:
    """Shared by threads and processes. Who changes a keeper's versions holds the lock on his scripts."""

    def __init__(self, path: Path, bounds: Bounds, mark: Path | None = None, *, only_read: bool = False) -> None:
        """`mark`: a file that is made once there are versions, and says so when theirs is gone: TemporaryTrouble."""
        self._database = Database(path, statements.VERSIONS_SCHEMA, only_read=only_read, durable=True, mark=mark)
        self._bounds = bounds
        self._mark = mark

    # -- reading -------------------------------------------------------------------------------------------------------

    def known(self, keeper: str) -> Known:
        """Put together of several reads: certain for who holds the lock on the scripts."""
        return _known(cast(Run, self._database.read), keeper)

    def of(self, keeper: str) -> list[Version]:
        """All versions that are kept of him, the oldest first."""
        return [_version(row) for row in self._database.read(statements.VERSIONS, {"keeper": keeper})]

    def text(self, digest: str) -> bytes | None:
        """None when it is not kept any more."""
        rows = self._database.read(statements.TEXT, {"digest": digest})
        return bytes(cast(bytes, rows[0][0])) if rows else None

    def number_of(self, keeper: str, script: str, digest: str, instant: float) -> int | None:
        """The last version that gave a script this text, up to that time; else the first one after it."""
        values = {"keeper": keeper, "script": script, "digest": digest, "instant": int(instant)}
        found = self._database.read(statements.VERSION_OF_TEXT, values)[0][0]
        return None if found is None else int(str(found))

    # -- changing ------------------------------------------------------------------------------------------------------

    def begin(self, keeper: str, version: Version, text: bytes | None) -> None:
        """Note what is about to be done. It is on the disk when this returns."""
        with self._database.transaction() as run:
            if text is not None:
                _keep(run, text)
            run(statements.ADD_VERSION, _row(keeper, replace(version, status="begun")))
            self._bound(run, keeper)

    def settle(self, keeper: str, number: int, status: Status, was: Known, now: Known) -> None:
        """It is done, or it failed; `now` is what is known from now on."""
        with self._database.transaction() as run:
            run(statements.SETTLE_VERSION, {"keeper": keeper, "number": number, "status": status})
            _know(run, keeper, was, now)

    def record(self, keeper: str, found: list[tuple[Version, bytes | None]], was: Known, now: Known) -> None:
        """Changes that were found, with their texts; what was begun is settled as it stands in `found`."""
        begun = {version.number for version in was.begun}
        with self._database.transaction() as run:
            for version, text in found:
                if version.number in begun:
                    values = {"keeper": keeper, "number": version.number, "status": version.status}
                    run(statements.SETTLE_VERSION, values)
                    continue
                if text is not None:
                    _keep(run, text)
                run(statements.ADD_VERSION, _row(keeper, version))
            _know(run, keeper, was, now)
            self._bound(run, keeper)

    def _bound(self, run: Run, keeper: str) -> None:
        """Drop the oldest versions beyond the bounds, but never the newest one. Whoever adds some ends with this."""
        if self._mark is not None:
            with suppress(OSError):
                self._mark.touch(mode=0o600)
            self._mark = None
        number, octets = run(statements.SUM_OF_VERSIONS, {"keeper": keeper})[0]
        if self._bounds.octets and octets > self._bounds.octets:
            last = self._beyond(run(statements.SIZES_OF_VERSIONS, {"keeper": keeper}))
        elif self._bounds.number and number > self._bounds.number:
            last = run(statements.NUMBER_AFTER, {"keeper": keeper, "offset": self._bounds.number})[0][0]
        else:
            return
        values = {"keeper": keeper, "number": last}
        texts = {text for row in run(statements.TEXTS_UP_TO, values) for text in row if text}
        run(statements.DROP_VERSIONS, values)
        for text in texts:
            run(statements.DROP_TEXT, {"digest": text})

    def _beyond(self, rows: list[tuple[Any, ...]]) -> int:
        """The number of the newest version that has no room any more; 0 when each has."""
        seen: set[str] = set()
        used = 0
        for position, (number, digest, before, size, size_before) in enumerate(rows):
            used += sum(octets for text, octets in {digest: size, before: size_before}.items() if text not in seen)
            seen |= {digest, before}
            most = self._bounds.number or len(rows)
            if position and (position >= most or used > self._bounds.octets):
                return int(number)
        return 0

    # -- travelling ----------------------------------------------------------------------------------------------------

    def past(self, keeper: str) -> Past:
        """All that is kept of him but what is under way, to be carried elsewhere."""
        while True:
            known, versions = self.known(keeper), self.of(keeper)
            if self.known(keeper) == known:
                break
        scripts = {name: digest for name, (digest, _) in known.scripts.items()}
        return Past(tuple(version for version in versions if version.status != "begun"), known.active, scripts)

    def join(self, keeper: str, past: Past, texts: Texts, scripts: Scripts = "here") -> None:
        """Add what was carried here, once, for who holds the lock; nothing of it may be under way.

        `scripts`: which are known from now on: those known here, if he was ever looked at; those that were carried; or
        none, so that those that are there will be found as new.
        """
        was, kept = self.known(keeper), self.of(keeper)
        found = joined(kept, past.versions)
        number = max([was.number, *(version.number for version in found or ())])
        if scripts == "none":
            now = Known(number, met=was.met or number > 0)
        elif (was.met and scripts == "here") or not (past.versions or past.scripts):
            now = replace(was, number=number)
        else:
            now = Known(number, past.active, {name: (digest, "") for name, digest in past.scripts.items()}, met=True)
        if found is None and now == was:
            return
        with self._database.transaction() as run:
            for digest in past.digests:
                text = texts(digest)
                if text is not None:
                    _keep(run, text)
            if found is not None:
                run(statements.DROP_VERSIONS, {"keeper": keeper, "number": number})
                for version in found:
                    run(statements.ADD_VERSION, _row(keeper, version))
            if now.met:
                _know(run, keeper, was, now)
            self._bound(run, keeper)

    # -- clearing away -------------------------------------------------------------------------------------------------

    def prune(self, before: float) -> int:
        """Drop versions up to that instant, and texts that nobody has any more; how many versions."""
        values = {"before": int(before)}
        number = self._database.write_until_done(statements.PRUNE_VERSIONS, values)
        with self._database.transaction() as run:
            run(statements.FORGET_KNOWN, values)
            run(statements.FORGET_KEEPERS, values)
        self._database.write_until_done(statements.DROP_TEXTS, {})
        return number

    def expired(self, before: float) -> int:
        """How many versions `prune` would drop."""
        return int(str(self._database.read(statements.COUNT_VERSIONS, {"before": int(before)})[0][0]))

    def close(self) -> None:
        self._database.close()


def _known(run: Run, keeper: str) -> Known:
    rows = run(statements.KEEPER, {"keeper": keeper})
    begun = tuple(_version(row) for row in run(statements.BEGUN, {"keeper": keeper}))
    if not rows:
        return Known(number=max((version.number for version in begun), default=0), begun=begun)
    scripts = {name: (digest, sign) for name, digest, sign in run(statements.KNOWN, {"keeper": keeper})}
    number = max([rows[0][0], *(version.number for version in begun)])
    return Known(number, _names(rows[0][1]), scripts, begun, met=True)


def _know(run: Run, keeper: str, was: Known, now: Known) -> None:
    for name in was.scripts.keys() - now.scripts.keys():
        run(statements.UNKNOW, {"keeper": keeper, "script": name})
    for name, (digest, sign) in now.scripts.items():
        if was.scripts.get(name) != (digest, sign):
            run(statements.KNOW, {"keeper": keeper, "script": name, "digest": digest, "sign": sign})
    values = {"keeper": keeper, "number": now.number, "active": "\n".join(now.active), "now": int(time.time())}
    run(statements.KEEP_KEEPER, values)


def _keep(run: Run, text: bytes) -> None:
    run(statements.KEEP_TEXT, {"digest": digest_of(text), "size": len(text), "content": text})


def _row(keeper: str, version: Version) -> dict[str, Any]:
    row = {each.name: getattr(version, each.name) for each in fields(version)}
    return row | {
        "keeper": keeper,
        "active": "\n".join(version.active),
        "active_before": "\n".join(version.active_before),
    }


def _version(row: tuple[Any, ...]) -> Version:
    found = dict(zip((each.name for each in fields(Version)), row, strict=True))
    return Version(**found | {key: _names(found[key]) for key in ("active", "active_before")})


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()
