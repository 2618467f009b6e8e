"""`sievemda-mailbox`: what belongs to a folder and has no place in a file that others read.

One JSON object per folder: `id` (stable over a rename, new after delete and create), `special_use`, `rights` (the ACL
as it was set, by identifier) with `granted` (since when each has rights) and `acl_file` (which `dovecot-acl` was made
of it, see `aclfile`), `limits` (quota limits that `maildirsize` cannot say; its presence makes the folder a quota
root), `metadata` (what `annotations` keeps here). Keys that we do not know are kept.

Why the id is made late: a folder that an IMAP server created has no such file. It gets one when the id is first asked
for; whoever links the file first decides, so that two deliveries agree.

Why damage is not fatal: the file is written atomically, so damage comes from outside. A folder without its id and
limits still takes mail; refusing it would help nobody.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sievemda.store.files import Cached, Dotlock, read_control_file, unique_name, write_new
from sievemda.store.pinned import open_pinned

FILE_NAME = "sievemda-mailbox"
_KEYS = ("id", "special_use", "rights", "granted", "acl_file", "limits", "metadata")
_DAMAGE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    id: str = ""
    special_use: str = ""  # attributes of RFC 6154 §2, separated by spaces
    rights: dict[str, str] = field(default_factory=dict)
    granted: dict[str, int] = field(default_factory=dict)  # since when identifiers have rights, as far as we gave them
    acl_file: str = ""  # for which file and owner `rights` is the ACL
    limits: dict[str, int] | None = None  # by the field names of policy.quota.Limits
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)  # annotations by user ("": all) and entry
    others: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        content = {
            key: getattr(self, key) for key in ("id", "special_use", "rights", "granted", "acl_file", "metadata")
        }
        kept = {key: value for key, value in content.items() if value}
        limits = {} if self.limits is None else {"limits": self.limits}
        return json.dumps(self.others | kept | limits).encode() + b"\n"


_EMPTY = Record()


def new_id() -> str:
    return os.urandom(12).hex()


def _parse(path: str, content: bytes | None) -> Record:
    if content is None:
        return Record()
    try:
        return _decoded(content)
    except _DAMAGE:
        _log.warning("%s is damaged and counts as empty", path)
        return Record()


def is_damaged(content: bytes) -> bool:
    """Whether nothing can be told from a file."""
    try:
        _decoded(content)
    except _DAMAGE:
        return True
    return False


def salvaged(content: bytes) -> Record:
    """What can still be read of a damaged file, key by key; there may be nothing."""
    text = content.decode("utf-8", "surrogateescape")
    kept: dict[str, Any] = {}
    for key in _KEYS:
        start = text.find(f'"{key}"')
        if start < 0:
            continue
        rest = text[start + len(key) + 2 :].lstrip(" \t\r\n")
        try:
            value, _ = json.JSONDecoder().raw_decode(rest[1:].lstrip(" \t\r\n") if rest[:1] == ":" else "")
            _decoded(json.dumps({key: value}).encode())
        except _DAMAGE:
            continue
        kept[key] = value
    return _decoded(json.dumps(kept).encode())


def _decoded(content: bytes) -> Record:
    """One of `_DAMAGE` when it is not what it must be."""
    found = json.loads(content)
    if b"\\u" in content:
        json.dumps(found, ensure_ascii=False).encode(
            "utf-8", "surrogateescape"
        )  # half a character cannot be, though JSON can write it
    limits = found.get("limits")
    return Record(
        id=str(found.get("id", "")),
        special_use=str(found.get("special_use", "")),
        rights={str(key): str(value) for key, value in found.get("rights", {}).items()},
        granted={str(key): int(value) for key, value in found.get("granted", {}).items()},
        acl_file=str(found.get("acl_file", "")),
        limits=None if limits is None else {str(key): int(value) for key, value in limits.items()},
        metadata={
            str(user): {str(entry): str(value) for entry, value in entries.items()}
            for user, entries in found.get("metadata", {}).items()
        },
        others={key: value for key, value in found.items() if key not in _KEYS},
    )


def special_use_of(folder: Path) -> str:
    """The special uses of a folder that is asked for once, in a list of very many: most have none, at a glance."""
    path = f"{folder}/{FILE_NAME}"
    content = read_control_file(path)
    return _parse(path, content).special_use if content and b'"special_use"' in content else ""


class Records:
    """The records of folders, read through a cache that is never stale."""

    def __init__(self, mode: int) -> None:
        self._cache = Cached(_parse)
        self._mode = mode

    def get(self, folder: Path) -> Record:
        return self._cache.get(f"{folder}/{FILE_NAME}")

    def brief(self, folder: str) -> Record:
        """Limits and annotations alone, for a look at many folders: nothing is kept of it."""
        path = f"{folder}/{FILE_NAME}"
        content = read_control_file(path)
        if content is None or (b"limits" not in content and b"metadata" not in content):
            return _EMPTY
        return _parse(path, content)

    def change(self, folder: Path, **changes: Any) -> None:
        """Replace fields of the record, with nobody in between; it gets an id when it has none."""
        self.update(folder, lambda record: replace(record, **changes))

    def update(self, folder: Path, change: Callable[[Record], Record]) -> None:
        """Replace the record by `change` of it, as `change` does."""
        path = folder / FILE_NAME
        with Dotlock(path, self._mode) as lock:
            record = change(_parse(str(path), read_control_file(path)))
            lock.replace((record if record.id else replace(record, id=new_id())).encode())

    def id_of(self, folder: Path) -> str:
        """The folder's id, made now when it has none."""
        record = self.get(folder)
        if not record.id:
            self._first_id(folder)
            record = self.get(folder)
        if not record.id:  # there is a file, and it is damaged
            self.change(folder)
            record = self.get(folder)
        return record.id

    def _first_id(self, folder: Path) -> None:
        """Make the file, unless somebody else does so first."""
        temporary = f".{FILE_NAME}.{unique_name()}"
        directory = open_pinned(str(folder))
        try:
            write_new(temporary, Record(id=new_id()).encode(), self._mode, dir_fd=directory)
            with suppress(FileExistsError):
                os.link(temporary, FILE_NAME, src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=directory)
            os.close(directory)
