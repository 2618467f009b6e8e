"""`dovecot-acl`: the ACL of a folder in the file that Dovecot's acl plugin reads.

One entry a line, `IDENTIFIER RIGHTS`: `user=alice lr`, `-user=fred p`, `group=staff lrs`, `anyone p`, `owner lrw`,
`authenticated`; an identifier with a space stands in double quotes; `:name name` spells rights out. `anonymous` is kept
as `user=anonymous`. Rights that Dovecot has no letter for (`n`, digits) are kept in the folder's record.

An owner for whom the file has no line has all rights, as in Dovecot; so has the owner of a folder without the file.
Comments and `group-override=` lines are kept as they are and mean nothing here.

A file that cannot be read or understood fails closed: nobody but the owner has any right, and it is logged. Nothing
replaces such a file before somebody has looked at it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import StoreTrouble
from sievemda.policy.acl import ALL_RIGHTS, ANONYMOUS, ANYONE, AUTHENTICATED, Acl, Rights
from sievemda.store.files import Cached, Dotlock, read_control_file
from sievemda.store.record import Records

FILE_NAME = "dovecot-acl"
LIST_CACHE = "dovecot-acl-list"  # Dovecot's cache in the root of the tree; it is built anew when missing
_LETTERS = "lrwstipekxa"  # in Dovecot's order
_NAMES = {
    "lookup": "l", "read": "r", "write": "w", "write-seen": "s", "write-deleted": "t", "insert": "i",
    "post": "p", "expunge": "e", "create": "k", "delete": "x", "admin": "a",
}  # fmt: skip
_LINE = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]+))(?: +(?P<rights>.*))?')
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Content:
    entries: tuple[tuple[str, Rights], ...] = ()  # the owner as "owner"
    kept: tuple[str, ...] = ()
    present: bool = False
    damage: str = ""


def _parse(_path: str, content: bytes | None) -> _Content:
    if content is None:
        return _Content()
    entries: list[tuple[str, Rights]] = []
    kept: list[str] = []
    try:
        for number, line in enumerate(content.decode().splitlines(), 1):
            text = line.strip()
            if not text or text[0] == "#" or text.lstrip('"-').startswith("group-override="):
                kept.append(line)
                continue
            try:
                entries.append(_parse_line(text))
            except ValueError as error:
                return _Content(present=True, damage=f"line {number}: {error}")
    except UnicodeDecodeError:
        return _Content(present=True, damage="it is not UTF-8")
    return _Content(tuple(entries), tuple(kept), present=True)


def _parse_line(text: str) -> tuple[str, Rights]:
    sign = ""
    if text.startswith('-"'):  # as Dovecot writes a negative entry with a space in its name
        sign, text = "-", text[1:]
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError("not an identifier and rights")
    identifier = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"])
    if identifier.startswith("-"):
        sign, identifier = "-", identifier[1:]
    return sign + _from_dovecot(identifier), _parse_rights(match["rights"] or "")


def _from_dovecot(identifier: str) -> str:
    if identifier in ("owner", ANYONE, AUTHENTICATED):
        return identifier
    if identifier == ANONYMOUS:  # Dovecot takes the bare word for everybody
        return ANYONE
    kind, equals, name = identifier.partition("=")
    if not (equals and name):
        raise ValueError("unknown kind of identifier")
    if kind == "user":
        return f"user={name}" if name in ("owner", ANYONE, AUTHENTICATED) else name
    if kind == "group":
        return f"group:{name}"
    raise ValueError("unknown kind of identifier")


def _parse_rights(text: str) -> Rights:
    letters, _, names = text.partition(":")
    rights = set(letters.strip()) | {_NAMES[name] for name in names.split() if name in _NAMES}
    if not rights <= set(_LETTERS):
        raise ValueError("unknown right")
    return Rights(rights)


def _to_dovecot(identifier: str) -> str:
    sign, name = ("-", identifier[1:]) if identifier[0] == "-" else ("", identifier)
    if name not in (ANYONE, AUTHENTICATED, "owner"):
        name = f"group={name[6:]}" if name.startswith("group:") else f"user={name.removeprefix('user=')}"
    written = sign + name
    if re.search(r"[\s\"\\]", written):
        written = '"' + re.sub(r'(["\\])', r"\\\1", written) + '"'
    return written


def encode(acl: Acl, owner: str | None, kept: tuple[str, ...] = ()) -> bytes:
    """The file for `acl`; an owner without rights gets a line that says so, lest he had all."""
    lines = list(kept)
    named = {name for name, _ in acl.entries}
    if owner is not None and owner not in named:
        lines.append(_to_dovecot(owner))
    for name, rights in acl.entries:
        letters = "".join(letter for letter in _LETTERS if letter in rights)
        if letters or name == owner:
            lines.append(f"{_to_dovecot(name)} {letters}".rstrip())
    return ("\n".join(lines) + "\n").encode()


def extra_rights(acl: Acl) -> dict[str, str]:
    """What the file cannot say, for the folder's record."""
    known = set(_LETTERS)
    return {name: "".join(sorted(rights - known)) for name, rights in acl.entries if rights - known}


class AclFiles:
    """Reads and replaces the ACL of folders."""

    def __init__(self, records: Records, mode: int) -> None:
        self._cache = Cached(_parse)
        self._records = records
        self._mode = mode

    def get(self, folder: Path, owner: str | None) -> Acl:
        """The ACL as Cyrus would show it; only its owner's rights when the file is damaged."""
        try:
            content = self._cache.get(f"{folder}/{FILE_NAME}")
        except OSError as error:
            content = _Content(present=True, damage=str(error))
        if content.damage:
            _log.error("%s is damaged, nobody but the owner has rights: %s", folder / FILE_NAME, content.damage)
            return Acl() if owner is None else Acl(((owner, ALL_RIGHTS),))
        return self._understood(content, folder, owner)

    def _understood(self, content: _Content, folder: Path, owner: str | None) -> Acl:
        if not content.present:
            return Acl() if owner is None else Acl(((owner, ALL_RIGHTS),))
        acl = Acl()
        explicit = {name for name, _ in content.entries}
        for name, rights in content.entries:
            if name in ("owner", "-owner"):
                name = f"{name[:-5]}{owner}"  # noqa: PLW2901  the owner has a name here
                if owner is None or name in explicit:  # Dovecot: a line for the user goes before that for the owner
                    continue
            acl = acl.having(name, acl.get(name) | rights)
        if owner is not None and not explicit & {"owner", owner}:
            acl = acl.having(owner, ALL_RIGHTS)
        for name, letters in self._records.get(folder).rights.items():
            acl = acl.having(name, acl.get(name) | Rights(letters))
        return acl

    def change(
        self, folder: Path, owner: str | None, change: Callable[[Acl], Acl], *, owner_after: str | None = None
    ) -> Acl:
        """Replace the ACL by `change` of it, alone with the file; StoreTrouble when the file is damaged.

        `owner_after` is given when the folder has been given to somebody else.
        """
        path = folder / FILE_NAME
        with Dotlock(path, self._mode) as lock:
            try:
                content = _parse(str(path), read_control_file(path))
            except OSError as error:
                raise StoreTrouble(f"{path} cannot be read: {error}") from error
            if content.damage:
                raise StoreTrouble(f"{path} is damaged ({content.damage}); repair or remove it first")
            acl = change(self._understood(content, folder, owner))
            self._put_extra(folder, acl)
            lock.replace(encode(acl, owner_after or owner, content.kept))
        return acl

    def _put_extra(self, folder: Path, acl: Acl) -> None:
        extra = extra_rights(acl)
        if self._records.get(folder).rights != extra:
            self._records.change(folder, rights=extra)
