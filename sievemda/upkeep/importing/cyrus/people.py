"""What Cyrus keeps of its users beside their mail: what they have seen, subscriptions, quotas and scripts.

Seen states, `user/a/alice.seen`, are a database by the folder's unique id: `version read uid changed UIDS`. Only
versions of the index before 12 need them for a user's own folders. Subscriptions, `user/a/alice.sub`, are a database or
a file of names; since version 3 it begins with its version, and names begin with `N` and have U+001F for separators,
one's own below `INBOX`. Quotas, `quota/a/user.alice`, are `%(S (used limit) M (...))`, before that `USED LIMIT`.

Scripts are files `NAME.script`, of which the link `defaultbc` (`default` before version 2.2) names the active one.
Since version 3.6 they are messages in the folder `#sieve`, with the name for a subject, and the link stays. All of this
lies by the user's name, below a letter of a hash, or by the unique id of his INBOX.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

from sievemda.errors import DataError
from sievemda.given import read_given
from sievemda.policy.quota import Limits
from sievemda.upkeep.importing.cyrus import database, dlist
from sievemda.upkeep.importing.cyrus.folder import Spooled
from sievemda.upkeep.importing.cyrus.names import Name, internal
from sievemda.upkeep.importing.numbers import Numbers

_RESOURCES = {"S": "STORAGE", "M": "MESSAGE", "AS": "ANNOTATION-STORAGE", "NF": "MAILBOX"}
_MAX_SCRIPT = 16 << 20  # octets
_SCRIPT = ".script"


@dataclass(frozen=True, slots=True)
class Person:
    """A user and the unique id of his INBOX."""

    name: str
    domain: str = ""
    unique_id: str = ""

    def places(self, top: Path, kind: str) -> list[Path]:
        """Directories in which something of this user's may be."""
        below = top / "domain" / self.domain[:1] / self.domain / kind if self.domain else top / kind
        found = [below, *_directories(below)]
        if self.domain:
            found += [path / kind for path in _glob(top / "domain", f"*/{glob.escape(self.domain)}")]
        return found

    def by_id(self, top: Path) -> list[Path]:
        unique = self.unique_id
        return [top / "uuid" / unique[0] / unique[1] / unique] if unique.isalnum() and len(unique) > 1 else []


def _directories(path: Path) -> list[Path]:
    return [found for found in _glob(path, "*") if len(found.name) == 1]


def _glob(path: Path, pattern: str) -> list[Path]:
    return sorted(found for found in path.glob(pattern) if found.is_dir()) if path.is_dir() else []


def _spelled(name: str) -> str:
    return name.replace(".", "^")


class People:
    """`config` is the configdirectory of the server, `sieve` its sievedir; None: not given."""

    def __init__(self, config: Path | None, sieve: Path | None) -> None:
        self._config = config
        self._sieve = sieve

    def _file(self, person: Person, kind: str) -> Path | None:
        """The file `seen` or `sub` of a user."""
        if self._config is None:
            return None
        found = [path / f"{kind}.db" for path in person.by_id(self._config / "user")]
        found += [path / f"{_spelled(person.name)}.{kind}" for path in person.places(self._config, "user")]
        return next((path for path in found if path.is_file()), None)

    def seen(self, person: Person) -> dict[str, Numbers]:
        """The UIDs that a user has seen, by the unique ids of folders. DataError, OSError."""
        file = self._file(person, "seen")
        states = database.read(file) if file else {}
        return {key.decode("latin-1"): _seen(value) for key, value in states.items()}

    def subscriptions(self, person: Person) -> list[Name]:
        """DataError, OSError."""
        file = self._file(person, "sub")
        if file is None:
            return []
        if read_given(file).startswith(b"\xa1\x02\x8b\x0d"):
            keys = [*database.read(file)]
        else:
            keys = [line.partition(b"\t")[0] for line in read_given(file).split(b"\n")]
        modern = any(key.startswith(b"\x1fVER") for key in keys)
        names = (_subscribed(key.decode("utf-8", "surrogateescape"), person, modern=modern) for key in keys if key)
        return [name for name in names if name is not None]

    def limits(self) -> Iterator[tuple[Name, Limits]]:
        """All quota roots and their limits; what cannot be read is left out."""
        if self._config is None:
            return
        tops = [("", self._config / "quota")]
        tops += [(path.parent.name, path) for path in _glob(self._config / "domain", "*/*/quota")]
        for domain, top in tops:
            for file in sorted(path for path in top.rglob("*") if path.is_file()):
                name, limits = internal(file.name), _limits(read_given(file))
                if name and limits and limits != Limits():
                    yield Name(name.parts, name.domain or domain), limits

    def scripts(self, person: Person, folder: Spooled | None) -> tuple[dict[str, bytes], str]:
        """The scripts of a user by their names, and the active one's name. `folder` is his `#sieve`. OSError."""
        found: dict[str, bytes] = {}
        active = ""
        if folder is not None:
            folder.open()
            for uid in folder.uids():
                name, text = _script(read_given(folder.directory / f"{uid}.", _MAX_SCRIPT))
                found[name] = text
        for directory in self._script_places(person):
            for file in directory.glob(f"*{_SCRIPT}"):
                found.setdefault(file.name.removesuffix(_SCRIPT), read_given(file, _MAX_SCRIPT))
            active = active or _active(directory)
        return found, active

    def _script_places(self, person: Person) -> list[Path]:
        if self._sieve is None:
            return []
        name = _spelled(person.name)
        found = person.by_id(self._sieve)
        found += [path / name for path in (self._sieve, *_directories(self._sieve)) if not person.domain]
        if person.domain:
            domains = _glob(self._sieve / "domain", f"*/{glob.escape(person.domain)}")
            found += [path / name for domain in domains for path in (domain, *_directories(domain))]
        return [path for path in found if path.is_dir()]


def _seen(value: bytes) -> Numbers:
    words = value.decode("latin-1").split()
    try:
        return Numbers.parse(words[4]) if len(words) > 4 else Numbers()
    except ValueError:
        return Numbers()


def _subscribed(key: str, person: Person, *, modern: bool) -> Name | None:
    if not modern:
        name = internal(key)
    elif key[:1] != "N":
        return None
    else:
        name = internal(key[1:] if "\x1f" in key else key[1:].replace(".", "^"))
    if name is not None and name.parts[0] == "INBOX":
        return Name(("user", person.name, *name.parts[1:]), person.domain)
    return name


def _limits(content: bytes) -> Limits | None:
    try:
        if content.startswith(b"%("):
            found = dlist.parse(content)
            pairs = found.items() if isinstance(found, dict) else ()
            limited = {name: dlist.texts_of(value)[1:2] for name, value in pairs if name in _RESOURCES}
            words = [word for name, value in limited.items() for limit in value for word in (_RESOURCES[name], limit)]
        else:
            numbers = content.decode("ascii").split()
            words = ["STORAGE", numbers[1]] if len(numbers) > 1 else []
        return Limits.parse([word for pair in zip(words[::2], words[1::2], strict=True) for word in pair])
    except (ValueError, DataError):
        return None


def _script(content: bytes) -> tuple[str, bytes]:
    head, _, body = content.partition(b"\r\n\r\n")
    message = message_from_bytes(head + b"\r\n\r\n")
    return str(make_header(decode_header(str(message["Subject"] or "")))), body


def _active(directory: Path) -> str:
    for link, suffix in (("defaultbc", ".bc"), ("default", _SCRIPT)):
        path = directory / link
        if path.is_symlink():
            return re.sub(f"{re.escape(suffix)}$", "", path.readlink().name)
    return ""
