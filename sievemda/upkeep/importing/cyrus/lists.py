"""The list of all mailboxes: a dump of `ctl_mboxlist -d`, in JSON or in lines, or the file `mailboxes.db` itself.

A line of a dump is `NAME<TAB>TYPE PARTITION ACL`, in the oldest versions without the type, the ACL being
`id<TAB>rights` pairs.

Why the list is looked at though headers have names and rights: those of older versions have no names, and a header may
be lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sievemda.errors import DataError
from sievemda.given import open_given, read_given
from sievemda.upkeep.importing.cyrus import database, dlist
from sievemda.upkeep.importing.cyrus.names import Name, internal

_MAX_LIST = 1 << 30  # octets
_TYPED = re.compile(r"(?:[0-9]+|[a-z]{1,3}) [^ ]+ [^ ]")


@dataclass(frozen=True, slots=True)
class Listed:
    name: Name
    acl: tuple[tuple[str, str], ...]
    partition: str = ""
    unique_id: str = ""


class Lists:
    """Finds a mailbox by its unique id or its name."""

    def __init__(self, entries: Iterator[Listed] | tuple[Listed, ...] = ()) -> None:
        self._by_id: dict[str, Listed] = {}
        self._by_name: dict[Name, Listed] = {}
        for entry in entries:
            self._by_name[entry.name] = entry
            if entry.unique_id:
                self._by_id[entry.unique_id] = entry

    def find(self, unique_id: str, name: Name | None) -> Listed | None:
        found = self._by_id.get(unique_id) if unique_id else None
        return found or (self._by_name.get(name) if name else None)

    def __len__(self) -> int:
        return len(self._by_name)


def read(file: Path) -> Lists:
    """DataError when it is no list; OSError."""
    with open_given(file) as stream:
        beginning = stream.read(16)
    if beginning.startswith(b"\xa1\x02\x8b\x0d"):
        return Lists(_of_database(database.read(file)))
    content = read_given(file, _MAX_LIST)
    if beginning.lstrip().startswith(b"{"):
        try:
            found = json.loads(content)
            return Lists(_of_json(found))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{file} is no dump of ctl_mboxlist: {error}") from error
    return Lists(_of_lines(content.decode("utf-8", "surrogateescape"), file))


def _of_json(found: Any) -> Iterator[Listed]:
    for key, entry in found.items():
        name = internal(str(entry.get("name") or key))
        acl = entry.get("acl") or {}
        if name and not _is_gone(str(entry.get("mbtype", ""))):
            rights = tuple((str(who), str(letters)) for who, letters in acl.items())
            yield Listed(name, rights, str(entry.get("partition", "")), str(entry.get("uniqueid", "")))


def _is_gone(kind: str) -> bool:
    """`d` is a mailbox that has been deleted and whose name is remembered; `r` is on another server, `$` moves."""
    return bool(set(kind) & set("d$r"))


def _of_lines(text: str, file: Path) -> Iterator[Listed]:
    for number, line in enumerate(text.splitlines(), 1):
        name, tab, rest = line.partition("\t")
        found, entry = internal(name), _entry(rest)
        if tab and found and entry:
            yield Listed(found, entry[1], entry[0])
        elif line.strip():
            raise DataError(f"{file}, line {number}: this is no line of a dump of ctl_mboxlist")


def _entry(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Partition and ACL of what stands behind a name.

    That is `TYPE PARTITION<TAB>id<TAB>rights`, `TYPE PARTITION id<TAB>rights`, or `PARTITION id<TAB>rights`; the number
    of fields tells the first from the last.
    """
    head, _, rest = text.rstrip("\t").partition("\t")
    fields = rest.split("\t") if rest else []
    words = head.split(" ", 2) if len(fields) % 2 == 0 or _TYPED.match(head) else ["", *head.split(" ", 1)]
    if len(words) < 2 or not words[1]:
        return None
    acl = [*words[2:], *fields]
    return words[1], tuple(zip(acl[::2], acl[1::2], strict=False))


def _of_database(found: dict[bytes, bytes]) -> Iterator[Listed]:
    """Version 3 has each mailbox twice: `N` and its name, `I` and its id; before a key is the name alone."""
    modern = any(value.startswith(b"%(") for value in found.values())
    for key, value in found.items():
        text = key.decode("utf-8", "surrogateescape")
        if not modern:
            yield from _of_lines(f"{text}\t{value.decode('utf-8', 'surrogateescape')}", Path("mailboxes.db"))
            continue
        if text[:1] == "I" or not value.startswith(b"%("):
            continue
        name = internal(text[1:] if text[:1] == "N" else text)
        try:
            entry = dlist.parse(value)
        except ValueError:
            continue
        if name and isinstance(entry, dict) and not _is_gone(dlist.text_of(entry.get("T"))):
            acl = dlist.rights_of(entry.get("A"))
            yield Listed(name, acl, dlist.text_of(entry.get("P")), dlist.text_of(entry.get("I")))
