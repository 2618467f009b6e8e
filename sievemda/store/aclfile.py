"""`dovecot-acl`: the ACL of a folder in the file that Dovecot's acl plugin reads.

One entry a line, `IDENTIFIER RIGHTS`: `user=alice lr`, `-user=fred p`, `group=staff lrs`, `anyone p`, `owner lrw`,
`authenticated`; an identifier with a space stands in double quotes, with its hyphen; `:name name` spells rights out.
What Dovecot cannot read (a line that begins with a space, for instance) is damage here, too. `anonymous` is kept as
`user=anonymous`. The owner of a folder without the file, or without a line for him, has all rights, as in Dovecot.

The file says what Dovecot is to enforce (`policy.dovecot`), which is not how an ACL is written here. So the entries as
they were set, with the rights that Dovecot has no letter for (`n`, digits), stand in the folder's record, together with
a digest of the file that was made of them for this owner. While the file is that one, the record counts. When Dovecot
or a person has changed it, its lines count: rights are then those that Dovecot gives.

Why the record is not simply trusted: the file is what IMAP users change, and the two must never enforce different
things. The record is written first; a crash between the two leaves an old file, which counts by itself.

Comments are kept. So are `group-override=` lines: who is in such a group has what Dovecot gives him, whatever the
record says. A file that cannot be read or understood fails closed: nobody but the owner has any right, and it is
logged. Nothing replaces such a file before somebody has looked at it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sievemda.errors import DataError, StoreTrouble
from sievemda.policy import dovecot
from sievemda.policy.acl import ALL_RIGHTS, ANONYMOUS, ANYONE, AUTHENTICATED, NO_RIGHTS, Acl, Rights, with_implied
from sievemda.policy.dovecot import Entry, GroupsOf
from sievemda.store.files import Cached, Dotlock, read_control_file
from sievemda.store.record import Record, Records

FILE_NAME = "dovecot-acl"
LIST_CACHE = "dovecot-acl-list"  # Dovecot's cache in the root of the tree; it is built anew when missing
_NAMES = {
    "lookup": "l", "read": "r", "write": "w", "write-seen": "s", "write-deleted": "t", "insert": "i",
    "post": "p", "expunge": "e", "create": "k", "delete": "x", "admin": "a",
}  # fmt: skip
_LINE = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]\S*))(?: +(?P<rights>.*))?', re.DOTALL)
MAX_ENTRIES = 1000  # the files that hold them must stay small enough to be read
_KINDS = {dovecot.USER, dovecot.GROUP, dovecot.OVERRIDE}
_BARE = {dovecot.OWNER, ANYONE, AUTHENTICATED}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Content:
    entries: tuple[Entry, ...] = ()
    kept: tuple[str, ...] = ()  # lines that are not made of an ACL
    overriding: frozenset[str] = frozenset()  # the groups of `group-override=` lines
    mentions_groups: bool = False
    digest: str = ""  # empty when there is no file
    damage: str = ""

    def written_for(self, owner: str | None) -> str:
        return _written_for(self.digest, owner)


def _written_for(digest: str, owner: str | None) -> str:
    return f"{digest} {owner or ''}"


def _digest(content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - not needed to list mailboxes

    return hashlib.sha256(content).hexdigest()[:32]


def _parse(_path: str, content: bytes | None) -> _Content:
    if content is None:
        return _Content()
    digest = _digest(content)
    lines: list[Entry] = []
    kept: list[str] = []
    try:
        for number, line in enumerate(content.decode().removesuffix("\n").split("\n"), 1):
            text = line.removesuffix("\r")
            if not text or text[0] == "#":
                kept.append(line)
                continue
            try:
                lines.append(_parse_line(text.rstrip(" \t")))
            except ValueError as error:
                return _Content(digest=digest, damage=f"line {number}: {error}")
            if lines[-1].kind == dovecot.OVERRIDE:
                kept.append(line)
    except UnicodeDecodeError:
        return _Content(digest=digest, damage="it is not UTF-8")
    entries = dovecot.merged(lines)
    overriding = frozenset(entry.name for entry in entries if entry.kind == dovecot.OVERRIDE)
    groups = any(entry.kind in (dovecot.GROUP, dovecot.OVERRIDE) for entry in entries)
    return _Content(entries, tuple(kept), overriding, groups, digest)


def damage_of(content: bytes) -> str:
    """What is wrong with a file; empty when it can be understood."""
    return _parse("", content).damage


def salvaged(content: bytes) -> tuple[bytes, list[bytes]]:
    """What of a damaged file can be understood, and the lines that cannot."""
    lines = content.removesuffix(b"\n").split(b"\n")
    bad = [line for line in lines if b"\0" in line or damage_of(line)]
    good = [line for line in lines if line and line not in bad]
    return b"".join(line + b"\n" for line in good), bad


def recorded_as(content: bytes, owner: str | None) -> str:
    """What a folder's record says when its entries are those of a file of this content."""
    return _written_for(_digest(content), owner)


def _parse_line(text: str) -> Entry:
    match = _LINE.fullmatch(text)
    if match is None:
        raise ValueError("not an identifier and rights")
    identifier = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"])
    takes = identifier.startswith("-")
    identifier = identifier.removeprefix("-")
    kind, _, name = identifier.partition("=")
    if identifier == ANONYMOUS:  # Dovecot takes the bare word for everybody
        kind = ANYONE
    if (kind not in _KINDS or not name) if name or kind in _KINDS else kind not in _BARE:
        raise ValueError("unknown kind of identifier")
    rights = _parse_rights(match["rights"] or "")
    return Entry(kind, name, None, rights) if takes else Entry(kind, name, rights)


def _parse_rights(text: str) -> Rights:
    letters, _, names = text.partition(":")
    rights = set(letters.strip(" \t")) | {_NAMES[name] for name in names.split() if name in _NAMES}
    if not rights <= dovecot.KNOWN:
        raise ValueError("unknown right")
    return Rights(rights)


def _lines(entry: Entry) -> list[str]:
    identifier = f"{entry.kind}={entry.name}" if entry.name else entry.kind
    lines = []
    for sign, rights in (("", entry.granted), ("-", entry.taken)):
        if rights is None:
            continue
        letters = "".join(letter for letter in dovecot.LETTERS if letter in rights)
        written = sign + identifier
        if re.search(r"[\s\"\\]", written):
            written = '"' + re.sub(r'(["\\])', r"\\\1", written) + '"'
        if letters or not sign:
            lines.append(f"{written} {letters}".rstrip())
    return lines


class AclFiles:
    """Reads and replaces the ACL of folders. `generous` says that acl_admin_implies_write is on."""

    def __init__(self, records: Records, mode: int, groups_of: GroupsOf, *, generous: bool = False) -> None:
        self._cache = Cached(_parse)
        self._records = records
        self._mode = mode
        self._groups_of = groups_of
        self._generous = generous

    def get(self, folder: Path, owner: str | None) -> Acl:
        """The ACL as Cyrus would show it; only its owner's rights when the file is damaged."""
        content = self._content(folder)
        if content.damage:
            return Acl() if owner is None else Acl(((owner, ALL_RIGHTS),))
        return self._understood(content, self._records.get(folder), owner)

    def whole(self, folder: Path, owner: str | None) -> Acl:
        """The same; StoreTrouble when the file is damaged."""
        content = self._content(folder)
        if content.damage:
            raise StoreTrouble(f"{folder / FILE_NAME} is damaged: {content.damage}")
        return self._understood(content, self._records.get(folder), owner)

    def damage(self, folder: Path) -> str:
        """What is wrong with the file of a folder, in words; empty when nothing is."""
        return self._content(folder).damage

    def rights(self, folder: Path, owner: str | None, identity: str | None) -> Rights:
        """What somebody may do there; None is anonymous. TemporaryTrouble when his groups matter and are not known."""
        content, record = self._content(folder), self._records.get(folder)
        owned = owner is not None and identity == owner
        if content.damage or not content.digest:
            return ALL_RIGHTS if owned else NO_RIGHTS
        ours = record.acl_file == content.written_for(owner)
        entries = _recorded(record) if ours else _beyond(content, record, owner)
        asked = content.mentions_groups or entries.mentions_groups()
        groups = self._groups_of(identity) if identity is not None and asked else ()
        rights = entries.rights_of(identity, groups)
        if not ours or not content.overriding.isdisjoint(groups):
            there = dovecot.rights_of(content.entries, identity, groups, owned=owned)
            rights = there | (rights - dovecot.KNOWN)
        return with_implied(rights) if self._generous else rights

    def _content(self, folder: Path) -> _Content:
        try:
            content = self._cache.get(f"{folder}/{FILE_NAME}")
        except OSError as error:
            content = _Content(damage=str(error))
        if content.damage:
            _log.error("%s is damaged, nobody but the owner has rights: %s", folder / FILE_NAME, content.damage)
        return content

    def _understood(self, content: _Content, record: Record, owner: str | None, successor: str | None = None) -> Acl:
        if not content.digest:
            return Acl() if owner is None else Acl(((owner, ALL_RIGHTS),))
        if record.acl_file == content.written_for(owner):
            return _recorded(record)
        acl = dovecot.equivalent(content.entries, owner, self._groups_of)
        for name, rights in _beyond(content, record, owner, successor).entries:
            acl = acl.having(name, acl.get(name) | rights)
        return acl

    def written(self, acl: Acl, owner: str | None, kept: tuple[str, ...] = ()) -> tuple[bytes, dict[str, Any]]:
        """The content of the file for an ACL, and what the folder's record has to say of it. DataError: too long."""
        if len(acl.entries) > MAX_ENTRIES:
            raise DataError(f"an ACL of {len(acl.entries)} entries is too long: there may be {MAX_ENTRIES}; use groups")
        entries = dovecot.enforcing(acl, owner, self._groups_of)
        if self._generous:
            entries = [replace(entry, granted=entry.granted and with_implied(entry.granted)) for entry in entries]
        content = ("\n".join([*kept, *(line for entry in entries for line in _lines(entry))]) + "\n").encode()
        rights = {name: "".join(sorted(rights)) for name, rights in acl.entries}
        return content, {"rights": rights, "acl_file": _written_for(_digest(content), owner)}

    def change(
        self, folder: Path, owner: str | None, change: Callable[[Acl], Acl], *, owner_after: str | None = None
    ) -> Acl:
        """Replace the ACL by `change` of it, alone with the file; StoreTrouble when the file is damaged.

        `owner_after` is given when the folder has been given to somebody else. A crash may have come after the record
        was written and before the file was; then the record speaks of him already.
        """
        path = folder / FILE_NAME
        with Dotlock(path, self._mode) as lock:
            try:
                content = _parse(str(path), read_control_file(path))
            except OSError as error:
                raise StoreTrouble(f"{path} cannot be read: {error}") from error
            if content.damage:
                raise StoreTrouble(f"{path} is damaged ({content.damage}); repair or remove it first")
            record = self._records.get(folder)
            begun = owner_after if owner_after and record.acl_file.endswith(f" {owner_after}") else None
            before = self._understood(content, record, owner, begun)
            acl = change(before)
            new, recorded = self.written(acl, owner_after or owner, content.kept)
            self._records.change(folder, **recorded, granted=_since(record.granted, before, acl))
            lock.replace(new)
        return acl


def recorded_acl(record: Record) -> Acl:
    """The ACL as it was last set here; empty when it never was."""
    return _recorded(record)


def _since(known: dict[str, int], before: Acl, after: Acl) -> dict[str, int]:
    """Since when each has rights: those who get their first ones now, and those of whom it is known."""
    had = {name for name, _ in before.entries}
    dates = {name: known.get(name) if name in had else int(time.time()) for name, _ in after.entries}
    return {name: when for name, when in dates.items() if when is not None}


def forget_list(root: Path) -> None:
    """Have Dovecot look anew at which folders of a tree others may look up; it would not notice that one is new."""
    with suppress(OSError):
        (root / LIST_CACHE).unlink()


def _recorded(record: Record) -> Acl:
    """The entries as they were set; what is no right in a record of other hands is left out."""
    return Acl(tuple((name, Rights(letters)) for name, letters in record.rights.items() if letters))


def _beyond(content: _Content, record: Record, owner: str | None, successor: str | None = None) -> Acl:
    """Rights that Dovecot has no letter for, of those whom the file of other hands still names, and a new owner's."""
    named = {entry.identifier for entry in content.entries} | {owner, successor}
    found = ((name, Rights(letters) - dovecot.KNOWN) for name, letters in record.rights.items())
    return Acl(tuple((name, rights) for name, rights in found if rights and name.removeprefix("-") in named))
