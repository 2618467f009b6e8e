"""The folders of an account on an IMAP server: names, special uses, subscriptions.

A name becomes a path of components: cut at the server's separator, out of modified UTF-7, without the prefix that the
server puts before one's own folders (`INBOX.Sent` is `Sent` there). Folders of others and shared ones, as far as the
server says which those are (NAMESPACE, RFC 2342), are not the account's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sievemda.store.creation import known_use
from sievemda.store.spelling import decode_utf7
from sievemda.upkeep.importing.imap.answers import BadAnswer, Response, Stored, Value
from sievemda.upkeep.importing.imap.connection import Connection, Refused

MAX_FOLDERS = 100_000
_MAX_NAME = 4096  # octets
_NO_MAIL = {"\\noselect", "\\nonexistent"}


@dataclass(frozen=True, slots=True)
class Folder:
    """One that has messages."""

    name: bytes  # as the server calls it
    path: tuple[str, ...]  # () for the INBOX
    special_use: str = ""
    subscribed: bool = False

    @property
    def shown(self) -> str:
        return "/".join(self.path) or "INBOX"


@dataclass(frozen=True, slots=True)
class _Space:
    """A namespace: its prefix and its separator."""

    prefix: bytes
    separator: bytes


def folders(connection: Connection) -> list[Folder]:
    """The account's own folders, sorted, INBOX first. BadAnswer, Lost, Refused."""
    personal, foreign = _namespaces(connection)
    subscribed = _subscribed(connection)
    found: dict[bytes, Folder] = {}
    for flags, separator, name in _listed(connection, "LIST"):
        if len(found) > MAX_FOLDERS:
            raise BadAnswer(f"the server lists more than {MAX_FOLDERS} folders")
        if flags & _NO_MAIL or any(_is_in(name, space) for space in foreign):
            continue
        use = " ".join(filter(None, (known_use(flag) for flag in sorted(flags) if flag[:1] == "\\")))
        path = _path(name, separator, personal)
        found[name] = Folder(name, path, use if path else "", name in subscribed)
    return sorted(found.values(), key=lambda folder: folder.path)


def _listed(connection: Connection, command: str) -> Iterator[tuple[set[str], bytes, bytes]]:
    for answer in connection.command(command, b"", '"*"'):
        if answer.kind != command or len(answer.values) < 3:
            continue
        flags, separator, name = answer.values[:3]
        if isinstance(flags, list):
            words = {word.lower() for word in flags if isinstance(word, str)}
            yield words, _octets(separator), _octets(name)


def _subscribed(connection: Connection) -> set[bytes]:
    try:
        return {name for _, _, name in _listed(connection, "LSUB")}
    except Refused:
        return set()


def _octets(value: Value) -> bytes:
    """A string of an answer. BadAnswer for what is none, or too long for a name."""
    if value is None:
        return b""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes) or len(value) > _MAX_NAME:
        raise BadAnswer("the server's answer has something else where the name of a folder must be")
    return value


# -- namespaces --------------------------------------------------------------------------------------------------------


def _namespaces(connection: Connection) -> tuple[list[_Space], list[_Space]]:
    """The account's own, and those of others and of all."""
    if "NAMESPACE" not in connection.capabilities:
        return [], []
    for answer in connection.command("NAMESPACE"):
        if answer.kind == "NAMESPACE" and len(answer.values) >= 3:
            kinds = [[*_spaces(value)] for value in answer.values[:3]]
            own = {space.prefix for space in kinds[0]}
            return kinds[0], [space for space in kinds[1] + kinds[2] if space.prefix not in own]
    return [], []


def _spaces(value: Value) -> Iterator[_Space]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, list) and len(each) >= 2:
            yield _Space(_octets(each[0]), _octets(each[1]))


def _is_in(name: bytes, space: _Space) -> bool:
    return bool(space.prefix) and (name.startswith(space.prefix) or name == space.prefix.removesuffix(space.separator))


def _path(name: bytes, separator: bytes, personal: list[_Space]) -> tuple[str, ...]:
    """As components; such as no folder can have are dealt with where it is made."""
    if name.upper() == b"INBOX":
        return ()
    for space in sorted(personal, key=lambda space: -len(space.prefix)):
        if space.prefix and name.startswith(space.prefix):
            name = name.removeprefix(space.prefix)
            break
    parts = name.split(separator) if separator else [name]
    path = [_decoded(part) for part in parts]
    if path[0].upper() == "INBOX":
        path[0] = "INBOX"
    return tuple(part for part in path if part) or ("_",)


def _decoded(part: bytes) -> str:
    """Some servers have names in UTF-8 (RFC 9051 §5.1), or in what their clients wrote."""
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return part.decode("latin-1")
    decoded = decode_utf7(text)
    return text if decoded is None else decoded


# -- one folder --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as it was when it was selected."""

    validity: str
    exists: int


_VALIDITY = re.compile(r"\[UIDVALIDITY ([0-9]{1,10})\]", re.IGNORECASE)


def examine(connection: Connection, folder: Folder) -> Opened:
    """Select a folder without changing anything in it. Refused, BadAnswer, Lost."""
    validity, exists = "", 0
    for answer in connection.command("EXAMINE", folder.name):
        if answer.kind == "EXISTS":
            exists = answer.number
        elif match := _VALIDITY.search(answer.text):
            validity = match[1]
    if not validity:
        raise BadAnswer(f"the server does not say the UIDVALIDITY of {folder.shown}")
    return Opened(validity, exists)


def rights(connection: Connection, folder: Folder) -> list[tuple[str, str]]:
    """The ACL of a folder, where the server shows one (RFC 4314 §3.6)."""
    if "ACL" not in connection.capabilities:
        return []
    try:
        answers = connection.command("GETACL", folder.name)
    except Refused:
        return []
    words = [_text(value) for answer in answers if answer.kind == "ACL" for value in answer.values[1:]]
    return list(zip(words[::2], words[1::2], strict=False))


def limits(connection: Connection) -> dict[str, int]:
    """The limits that hold for the INBOX, by resource, where the server shows them (RFC 2087 §4.3)."""
    if "QUOTA" not in connection.capabilities:
        return {}
    try:
        answers = connection.command("GETQUOTAROOT", b"INBOX")
    except Refused:
        return {}
    return {name: limit for answer in answers if answer.kind == "QUOTA" for name, limit in _resources(answer)}


def _resources(answer: Response) -> Iterator[tuple[str, int]]:
    found = answer.values[1] if len(answer.values) > 1 else None
    triples = [_text(value) for value in found] if isinstance(found, list) else []
    for name, _, limit in zip(triples[::3], triples[1::3], triples[2::3], strict=False):
        if limit.isdigit() and len(limit) < 19:
            yield name.upper(), int(limit)


def _text(value: Value) -> str:
    if isinstance(value, Stored | list) or value is None:
        return ""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
