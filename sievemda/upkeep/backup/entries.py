"""What stands in an archive beside messages: its head, users and shared trees with their folders, lists of messages.

Each is JSON, read as hostile input: what is missing has a default, what is no such value is DataError, and no name is
believed before the store has looked at it (see `placing`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sievemda.errors import DataError
from sievemda.store.names import MailboxName
from sievemda.store.spelling import from_disk, to_disk

FORMAT = 1
HEAD, TREE, LISTING, MESSAGE, OTHER = "archive", "tree", "listing", "message", "other"  # `type` of members
HISTORY, TEXT = "history", "script"  # versions of a user's scripts, and one of their texts
HEAD_FILE, TREE_FILE, LISTING_FILE, END_FILE = (
    "sievemda-backup.json",
    "sievemda-tree.json",
    "sievemda-messages",
    "sievemda-end.json",
)
LARGEST = 64 << 20  # octets of one such member, except lists of messages
_IN_CUR, _IN_NEW = "cur", "new"


@dataclass(frozen=True, slots=True)
class Head:
    """What an archive is. `base` is the archive on which an incremental one builds."""

    id: str
    base: str = ""
    created: float = 0.0  # seconds since 1970
    scope: tuple[str, ...] = ()  # what was asked for, so that the next one can be asked for the same
    since: float | None = None  # older messages are not in it
    trees: tuple[str, ...] = ()  # places of those that are to come, so that it can be told which are missing
    version: int = FORMAT

    @property
    def kind(self) -> str:
        return "incremental" if self.base else "full"


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder without its messages."""

    key: str  # its mailbox id: the same in every archive, whatever the folder is called
    path: tuple[str, ...] = ()
    partition: str = ""
    special_use: str = ""
    acl: tuple[tuple[str, str], ...] | None = None  # None: it cannot be read
    limits: Mapping[str, int] | None = None  # None: it is no quota root
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keywords: tuple[str, ...] = ()  # in the order of their letters


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A user, or the shared folders of a domain, with those folders that are in the archive."""

    owner: str | None = None
    domain: str = ""
    folders: tuple[FolderEntry, ...] = ()  # in the order in which their messages follow
    whole: bool = False  # with what is the user's and no folder's:
    subscriptions: tuple[str, ...] = ()  # lines as they stand in the file
    scripts: Mapping[str, str] = field(default_factory=dict)  # by name, octets as text with lone surrogates
    active: str = ""  # the name of the active script; of several, in their order, each on its line
    credentials: Mapping[str, str] = field(default_factory=dict)  # password hashes by kind

    @property
    def place(self) -> str:
        """Where in the archive its members lie, which is also the order of trees."""
        if self.owner is None:
            return f"shared/{self.domain}" if self.domain else "shared"
        return f"user/{self.owner}"

    @property
    def root(self) -> str:
        """Where its Maildir++ tree lies."""
        return self.place if self.owner is None else f"{self.place}/Maildir"

    def name(self, folder: FolderEntry) -> MailboxName:
        return MailboxName(self.owner, folder.path, self.domain)

    def directory(self, folder: FolderEntry) -> str:
        return f"{self.root}/{to_disk(folder.path)}" if folder.path else self.root

    def folder(self, key: str) -> FolderEntry | None:
        return next((folder for folder in self.folders if folder.key == key), None)


@dataclass(frozen=True, slots=True)
class Line:
    """One message in the list of a folder."""

    unique: str
    size: int
    flags: tuple[str, ...]
    here: bool  # its content is in this archive, else in an earlier one
    new: bool = False  # no reader has seen it


@dataclass(frozen=True, slots=True)
class Totals:
    """What an archive has, as its last member says."""

    trees: int = 0
    folders: int = 0
    messages: int = 0  # in the lists
    contents: int = 0  # of these, those that are in this archive
    octets: int = 0  # of these
    gone: int = 0  # messages that somebody removed before they were read


def encode(value: Head | TreeEntry | Totals) -> bytes:
    return json.dumps(asdict(value)).encode() + b"\n"


def encode_line(line: Line) -> bytes:
    found = ["+" if line.here else "=", line.unique, line.size, " ".join(line.flags), line.new]
    return json.dumps(found).encode() + b"\n"


def read_head(text: bytes) -> Head:
    """DataError also for a format that is newer than this program."""
    found = _object(text)
    head = Head(
        _text(found, "id"),
        _text(found, "base"),
        _number(found, "created"),
        _texts(found.get("scope")),
        None if found.get("since") is None else _number(found, "since"),
        _texts(found.get("trees")),
        int(_number(found, "version")),
    )
    if head.version > FORMAT:
        raise DataError(f"the archive is in format {head.version}, which is newer than this program")
    return head


def read_tree(text: bytes) -> TreeEntry:
    found = _object(text)
    owner = found.get("owner")
    folders = found.get("folders")
    if not isinstance(folders, list):
        raise DataError("a tree without folders")
    return TreeEntry(
        None if owner is None else _text(found, "owner"),
        _text(found, "domain"),
        tuple(_folder(folder) for folder in folders),
        bool(found.get("whole")),
        _texts(found.get("subscriptions")),
        _map(found.get("scripts")),
        _text(found, "active"),
        _map(found.get("credentials")),
    )


def _folder(found: Any) -> FolderEntry:
    if not isinstance(found, dict):
        raise DataError("a folder that is none")
    path = _texts(found.get("path"))
    if path and from_disk(to_disk(path)) != path:
        raise DataError(f"{'/'.join(path)[:200]!r} is not the name of a folder")
    acl, limits, metadata = found.get("acl"), found.get("limits"), found.get("metadata") or {}
    try:
        return FolderEntry(
            _text(found, "key"),
            path,
            _text(found, "partition"),
            _text(found, "special_use"),
            None if acl is None else tuple((str(identifier), str(rights)) for identifier, rights in acl),
            None if limits is None else {str(field): int(limit) for field, limit in limits.items()},
            {str(section): _map(entries) for section, entries in metadata.items()},
            _texts(found.get("keywords")),
        )
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"what is said of the folder {'/'.join(path)[:200]!r} is damaged") from error


def read_line(text: bytes) -> Line:
    try:
        mark, unique, size, flags, new = json.loads(text)
        return Line(str(unique), int(size), tuple(str(flags).split()), mark == "+", bool(new))
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise DataError("a line in a list of messages is damaged") from error


def read_totals(text: bytes) -> Totals:
    found = _object(text)
    return Totals(**{name: int(_number(found, name)) for name in Totals.__slots__})


def from_place(path: str) -> tuple[TreeEntry, FolderEntry] | None:
    """The folder to which a message belongs whose tree is damaged, as far as its place tells."""
    kind, _, rest = path.partition("/")
    parts = rest.split("/")
    if kind == "user" and len(parts) > 2 and parts[1] == "Maildir":
        tree, inside = TreeEntry(parts[0]), parts[2:]
    elif kind == "shared":
        tree, inside = TreeEntry(None, "" if parts[0][:1] == "." else parts[0]), [p for p in parts if p[:1] == "."]
        inside += parts[-2:]
    else:
        return None
    if len(inside) not in {2, 3} or inside[-2] not in {_IN_CUR, _IN_NEW}:
        return None
    path_of = from_disk(inside[0]) if len(inside) == 3 else ()
    return None if path_of is None else (tree, FolderEntry("", path_of))


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError("what should be JSON is none") from error
    if not isinstance(found, dict):
        raise DataError("what should be an object of JSON is none")
    return found


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not isinstance(value, str):
        raise DataError(f"{key} is no text")
    return value


def _number(found: Mapping[str, Any], key: str) -> float:
    value = found.get(key, 0)
    if not isinstance(value, int | float) or not abs(value) < 1 << 62:
        raise DataError(f"{key} is no number")
    return value


def _texts(found: Any) -> tuple[str, ...]:
    if not isinstance(found or [], list):
        raise DataError("what should be a list is none")
    return tuple(str(each) for each in found or [])


def _map(found: Any) -> dict[str, str]:
    if not isinstance(found or {}, dict):
        raise DataError("what should be an object is none")
    return {str(key): str(value) for key, value in (found or {}).items()}
