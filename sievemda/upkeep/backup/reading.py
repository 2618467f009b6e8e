"""Reading an archive: `read_archive(stream)` gives what is in it, in order, from a file or a pipe.

    Head                 what the archive is, once, first
    TreeEntry            a user or a shared tree, with all its folders; then
    History, Text        versions of a user's scripts, in one or more pieces, and each text; then for each folder
    Listing              the messages that it had, those too whose content is in an earlier archive, and
    Message              each whose content is here
    Totals               the end: without it the archive is cut off
    Damage               what cannot be read, anywhere

A `Message` is to be looked at before the next one is asked for: `load` gives its content, as often as one likes, after
it has been compared with its digest. What is not asked for is passed over. DataError: it is no archive of ours.

    for event in read_archive(stream):
        match event:
            case Message() as message:
                filling.add(message.carried())      # DataError: the content is damaged

Why the number of octets in memory has a bound: what an archive claims of itself may be a lie. A message of more than
4 MiB goes through a file without a name; so do those that stand in several folders and in the archive once.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol

from sievemda.errors import DataError
from sievemda.mail.carried import Carried, of_octets
from sievemda.scripts import passage
from sievemda.state.past import Past
from sievemda.store.messages import unique_part
from sievemda.upkeep.backup import entries
from sievemda.upkeep.backup.container import END, LINK, Damage, Member, Reader
from sievemda.upkeep.backup.entries import FolderEntry, Head, Line, Totals, TreeEntry
from sievemda.upkeep.backup.source import Gap, Source

_SMALL = 4 << 20  # octets that may be in memory
_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 16
_MOST_LINES = 4_000_000  # of a folder; the list of a larger one is no help, and its messages come back without
Content = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Listing:
    tree: TreeEntry
    folder: FolderEntry
    lines: Callable[[], Iterator[Line]]  # once, before the next event; DataError behind the last one that is whole


@dataclass(frozen=True, slots=True)
class History:
    tree: TreeEntry
    past: Past


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a history. `load` and `check` as those of a message."""

    tree: TreeEntry
    digest: str  # as it is called; who needs it compares
    size: int
    where: str
    load: Callable[[], Content] = field(repr=False)
    check: Callable[[], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    tree: TreeEntry
    folder: FolderEntry
    unique: str  # the part of its name that never changes
    flags: tuple[str, ...]
    new: bool
    size: int
    arrived: float  # seconds since 1970
    where: str
    load: Callable[[], Content] = field(repr=False)
    check: Callable[[], None] = field(repr=False)  # compare the content with its digest and keep nothing; DataError

    def carried(self, since: Line | None = None) -> Carried:
        """As it goes into a folder, with the flags of a later list perhaps. DataError when it is damaged; OSError."""
        seen = (self.flags, self.new) if since is None else (since.flags, since.new)
        return Carried(self.load(), seen[0], self.arrived, seen[1], self.where)


Event = Head | TreeEntry | History | Text | Listing | Message | Totals | Damage


def read_archive(
    stream: BinaryIO, *, name: str = "the archive", spool: Path | None = None, contents: bool = True
) -> Iterator[Event]:
    """`spool` is a directory for large contents. Without `contents` messages cannot be loaded, only checked."""
    return _Archive(stream, name, spool, contents=contents).events()


class _Archive:
    def __init__(self, stream: BinaryIO, name: str, spool: Path | None, *, contents: bool) -> None:
        self._name = name
        self._reader = Reader(Source(stream))
        self._held = _Held(spool) if contents else None
        self._spool = spool
        self._tree: TreeEntry | None = None
        self._folders: dict[str, FolderEntry] = {}
        self._last: _Readable | None = None

    def events(self) -> Iterator[Event]:
        begun, last = False, None
        try:
            for member in self._reader.members():
                ours = isinstance(member, Damage) or member.facts or member.path == entries.HEAD_FILE
                if not (begun or ours):
                    raise DataError(f"{self._name} is no backup of ours")
                begun = begun or isinstance(member, Member)
                last = self._understood(member) if isinstance(member, Member) else member
                if last is not None:
                    yield last
                if isinstance(last, Message) and self._last is not None:
                    with suppress(DataError):  # whoever needs it is told
                        self._last.hold()
        finally:
            if self._held is not None:
                self._held.close()
        if not begun:
            raise DataError(f"{self._name} is no backup of ours, or nothing of it can be read")
        if not isinstance(last, Totals | Damage):
            yield Damage(self._reader.offset, "the archive is cut off")

    def _understood(self, member: Member) -> Event | None:
        kind = member.facts.get("type")
        try:
            if kind == entries.HEAD:
                return entries.read_head(self._whole(member))
            if kind == entries.TREE:
                self._tree = entries.read_tree(self._whole(member))
                self._folders = {folder.key: folder for folder in self._tree.folders}
                return self._tree
            if kind in {entries.HISTORY, entries.TEXT}:
                return self._of_history(member, text=kind == entries.TEXT)
            if kind == END:
                return entries.read_totals(self._whole(member))
            if kind in {entries.LISTING, entries.MESSAGE}:
                return self._of_folder(member, listing=kind == entries.LISTING)
        except DataError as error:
            if kind == entries.HEAD:
                raise DataError(f"{self._name}: {error}") from error
            return Damage(self._reader.offset, f"{member.path[:400]}: {error}")
        return None if member.facts else Damage(self._reader.offset, f"{member.path[:400]} is not ours")

    def _whole(self, member: Member) -> bytes:
        if member.size > entries.LARGEST:
            raise DataError("it is too long")
        return b"".join(_Content(self._reader, member).blocks())

    def _of_history(self, member: Member, *, text: bool) -> History | Text:
        if self._tree is None or not member.path.startswith(f"{self._tree.place}/"):
            raise DataError("it belongs to nobody")
        if not text:
            return History(self._tree, passage.decode(self._whole(member)))
        content, digest = _Content(self._reader, member, self._spool), member.path.rpartition("/")[2]
        where = f"{self._name}: {member.path[:400]}"
        return Text(self._tree, digest.removesuffix(".sieve"), member.size, where, content.load, content.check)

    def _of_folder(self, member: Member, *, listing: bool) -> Listing | Message:
        found = self._place(member)
        if found is None:
            raise DataError("it belongs to no folder")
        if listing:
            return Listing(*found, _Content(self._reader, member).lines)
        path, facts = member.path, member.facts
        flags = facts.get("flags")
        self._last = content = self._content(member)
        return Message(
            *found,
            unique_part(path.rpartition("/")[2]),
            tuple(str(flag) for flag in flags) if isinstance(flags, list) else (),
            path.rpartition("/")[0].endswith("/new"),
            content.size,
            member.mtime,
            f"{self._name}: {path}",
            content.load,
            content.check,
        )

    def _place(self, member: Member) -> tuple[TreeEntry, FolderEntry] | None:
        if self._tree is not None and member.path.startswith(f"{self._tree.root}/"):
            folder = self._folders.get(str(member.facts.get("folder")))
            if folder is not None:
                return self._tree, folder
        found = entries.from_place(member.path)
        return found and (found[0], FolderEntry(str(member.facts.get("folder", "")), found[1].path))

    def _content(self, member: Member) -> _Readable:
        content = _Content(self._reader, member, self._spool)
        if self._held is None:
            return content
        if member.kind == LINK:
            return _Shared(member, self._held, member.link)
        return _Shared(member, self._held, member.path, content) if member.facts.get("shared") else content


class _Readable(Protocol):
    """The content of a message."""

    size: int

    def load(self) -> Content: ...
    def check(self) -> None: ...
    def hold(self) -> None:
        """Keep it, though nobody has asked for it, if another message may."""


class _Content:
    """What a member contains, which can be read once."""

    def __init__(self, reader: Reader, member: Member, spool: Path | None = None) -> None:
        self._reader = reader
        self._member = member
        self._spool = spool
        self.size = member.size

    def blocks(self) -> Iterator[bytes]:
        """DataError at the end when it is not what it was when it was written."""
        digest, left = hashlib.sha256(), self._member.size
        try:
            while left and (block := self._reader.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
                yield block
        except Gap:
            left = left or 1
        if self._member.kind == LINK:
            return
        if left or digest.hexdigest() != self._member.facts.get("sha256"):
            raise DataError("it is cut off" if left else "its content is damaged")

    def lines(self) -> Iterator[Line]:
        rest, number = b"", 0
        for block in self.blocks():
            *whole, rest = (rest + block).split(b"\n")
            yield from map(entries.read_line, whole)
            number += len(whole)
            if len(rest) > _LONGEST_LINE or number > _MOST_LINES:
                raise DataError("a list of messages is too long")

    def check(self) -> None:
        for _ in self.blocks():
            pass

    def hold(self) -> None:
        """Nobody else has it."""

    def load(self) -> Content:
        if self.size <= _SMALL:
            return of_octets(b"".join(self.blocks()))
        file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 - it goes with the last who can read it
        for block in self.blocks():
            file.write(block)
        return _part_of(file, 0, self.size)


def _part_of(file: IO[bytes], start: int, size: int) -> Content:
    def blocks() -> Iterator[bytes]:
        left = size
        while left:
            file.seek(start + size - left)
            block = file.read(min(left, _BLOCK))
            left -= len(block)
            yield block

    return blocks


class _Held:
    """Contents that other messages of the archive share, by the paths of their members."""

    def __init__(self, spool: Path | None) -> None:
        self._spool = spool
        self._file: IO[bytes] | None = None
        self._known: dict[str, tuple[int, int, str]] = {}

    def put(self, path: str, content: _Content, digest: str) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 - closed at the end of the archive
        start = self._file.seek(0, 2)
        for block in content.blocks():
            self._file.write(block)
        self._known[path] = start, content.size, digest

    def get(self, path: str, digest: Any) -> tuple[Content, int]:
        start, size, known = self._known.get(path, (0, 0, ""))
        if self._file is None or not known or known != digest:
            raise DataError("its content, which another message has, could not be read")
        return _part_of(self._file, start, size), size

    def has(self, path: str) -> bool:
        return path in self._known

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Shared:
    """The content of a message that several folders have: held until the archive ends."""

    def __init__(self, member: Member, held: _Held, path: str, content: _Content | None = None) -> None:
        self._digest = member.facts.get("sha256")
        self._held = held
        self._path = path
        self._content = content
        size = member.facts.get("size")
        self.size = content.size if content else size if isinstance(size, int) else 0

    def hold(self) -> None:
        if self._content is not None and not self._held.has(self._path):
            self._held.put(self._path, self._content, str(self._digest))

    def load(self) -> Content:
        self.hold()
        return self._held.get(self._path, self._digest)[0]

    def check(self) -> None:
        self.load()
