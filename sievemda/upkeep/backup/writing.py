"""Writing an archive: `write_archive(store, trees, stream, head)` from what `chosen_trees` gives.

    head = new_head()
    with open(...) as stream:
        totals = write_archive(store, chosen_trees(store, Chosen(store.namespace, ("user/alice",))), stream, head)

For each user, or shared tree, an entry with all its folders comes first; then, folder by folder in the order of their
keys, a list of the messages that it has now, and each message. An incremental archive lists all, and has those that its
base lacks; what somebody has removed is what the list lacks. OSError when the stream fails; what cannot be read is told
to a `Watcher` and left out.

Why messages are known by folder and unique name: both stay the same whatever a reader does, so that names alone tell
what is new, and no content is read for that. A message that its owner moves to another folder is a new one there.

Why the list comes before the messages: who reads an archive that was cut off can say what is missing.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from sievemda.errors import SievemdaError
from sievemda.scripts import passage
from sievemda.state.past import Past
from sievemda.store import keywords
from sievemda.store.files import Damaged, read_control_file
from sievemda.store.uidlist import uids
from sievemda.upkeep.backup import entries
from sievemda.upkeep.backup.container import DIRECTORY, END, LINK, Member, Writer
from sievemda.upkeep.backup.describing import described
from sievemda.upkeep.backup.entries import FolderEntry, Head, Line, Totals, TreeEntry
from sievemda.upkeep.backup.following import Following
from sievemda.upkeep.backup.histories import DIRECTORY as HISTORIES
from sievemda.upkeep.backup.histories import Histories, lacking
from sievemda.upkeep.backup.scan import Found, Scan, is_message

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.base import Base
    from sievemda.upkeep.backup.choosing import ChosenTree
    from sievemda.upkeep.backup.source import Sink

_SMALL = 4 << 20  # octets of a message that is read once, into memory
_BLOCK = 1 << 20


class Watcher(Protocol):
    """Who is told how it goes."""

    def tree(self, tree: TreeEntry) -> None: ...
    def message(self, octets: int) -> None: ...
    def gone(self, where: str) -> None:
        """Somebody has removed a message before it was read."""

    def failed(self, where: str, error: OSError | SievemdaError) -> None:
        """Something is not in the archive."""


class Unwatched:
    """Nobody is told; what cannot be read is raised."""

    def tree(self, tree: TreeEntry) -> None: ...
    def message(self, octets: int) -> None: ...
    def gone(self, where: str) -> None: ...
    def failed(self, where: str, error: OSError | SievemdaError) -> None:  # noqa: ARG002
        raise error


def new_head(
    base: str = "", scope: tuple[str, ...] = (), since: float | None = None, trees: tuple[str, ...] = ()
) -> Head:
    return Head(secrets.token_hex(12), base, round(time.time(), 3), scope, since, trees)


def write_archive(
    store: MailStore,
    trees: Iterable[ChosenTree],
    stream: Sink,
    head: Head,
    *,
    base: Base | None = None,
    index: Sink | None = None,
    watcher: Watcher | None = None,
    dry_run: bool = False,
) -> Totals:
    """What was written. `index` gets what an incremental archive needs to know of this one.

    `dry_run`: the store stays as it is to the last, and the archive is good for nothing but its totals.
    """
    try:
        return _Archive(store, stream, head, base, index, watcher or Unwatched(), dry_run=dry_run).write(trees)
    except _WritingError as error:
        raise error.cause from error


class _Archive:
    def __init__(
        self,
        store: MailStore,
        stream: Sink,
        head: Head,
        base: Base | None,
        index: Sink | None,
        watcher: Watcher,
        *,
        dry_run: bool,
    ) -> None:
        self._store = store
        self._dry_run = dry_run
        self._head = head
        self._base = base
        self._out = Writer(_Sure(stream), head.id)
        self._index = Writer(_Sure(index), head.id) if index else None
        self._watcher = watcher
        self._totals = Totals()
        self._following = Following(store)
        self._histories = Histories(store.settings)
        self._without_histories = False  # which has been told
        self._late = False  # archives are read side by side, in the order of names: what comes late stands alone
        self._linked: dict[tuple[int, ...], tuple[str, str, int]] = {}  # inode to path, digest and size

    def write(self, trees: Iterable[ChosenTree]) -> Totals:
        self._both(entries.HEAD_FILE, entries.HEAD, entries.encode(self._head))
        for chosen in trees:
            self._tree(chosen)
        self._both(entries.END_FILE, END, entries.encode(self._totals))
        for out in self._outs():
            out.finish()
        return self._totals

    def _both(self, path: str, kind: str, content: bytes) -> None:
        for out in self._outs():
            self._text(out, path, kind, content)

    def _outs(self) -> list[Writer]:
        return [self._out] if self._index is None else [self._out, self._index]

    def _text(self, out: Writer, path: str, kind: str, content: bytes, **facts: str) -> None:
        facts |= {"type": kind, "sha256": hashlib.sha256(content).hexdigest()}
        out.add(Member(path, len(content), self._head.created, facts=facts), [content])

    def _count(self, **more: int) -> None:
        self._totals = replace(self._totals, **{name: getattr(self._totals, name) + n for name, n in more.items()})

    def _tree(self, chosen: ChosenTree) -> None:
        tree, mailboxes = described(self._store, chosen, self._watcher.failed, dry_run=self._dry_run)
        self._late = chosen.late
        self._watcher.tree(tree)
        self._both(f"{tree.place}/{entries.TREE_FILE}", entries.TREE, entries.encode(tree))
        for name, text in tree.scripts.items():
            if "/" not in name and name.isprintable():
                content = text.encode("utf-8", "surrogateescape")
                self._text(self._out, f"{tree.place}/sieve/{name}.sieve", entries.OTHER, content)
        if tree.whole and not self._without_histories:
            self._history(tree)
        for folder, mailbox in zip(tree.folders, mailboxes, strict=True):
            shown = self._store.namespace.format_admin(mailbox.name)
            try:
                with self._following.scan(mailbox, folder.key) as scan:
                    self._folder(tree, folder, scan, shown)
            except (OSError, SievemdaError) as error:
                self._watcher.failed(shown, error)
        self._count(trees=1)

    def _history(self, tree: TreeEntry) -> None:
        """What has become of a user's scripts, as far as the base lacks it. Without a database that is told once."""
        keeper = next(folder.key for folder in tree.folders if not folder.path)
        try:
            past = self._histories.of(keeper)
            if past is not None and (past.versions or past.scripts):
                self._past(tree, past)
        except SievemdaError as error:
            self._without_histories = True
            self._watcher.failed("the history of scripts", error)

    def _past(self, tree: TreeEntry, past: Past) -> None:
        place = f"{tree.place}/{HISTORIES}"
        carried = self._base.carried(tree.place) if self._base and not self._late else frozenset()
        new, digests = lacking(past, carried)
        for number, piece in enumerate(passage.encode(new), 1):
            self._text(self._out, f"{place}/versions-{number}.json", entries.HISTORY, piece)
        for digest in digests:
            text = self._histories.text(digest)
            if text is not None:
                self._text(self._out, f"{place}/{digest}.sieve", entries.TEXT, text)
        for number, piece in enumerate(passage.encode(past) if self._index else (), 1):
            self._text(self._index or self._out, f"{place}/versions-{number}.json", entries.HISTORY, piece)

    def _folder(self, tree: TreeEntry, folder: FolderEntry, scan: Scan | None, shown: str) -> None:
        directory = tree.directory(folder)
        if scan is None:
            self._watcher.gone(shown)
            self._frame(directory, folder, [], None)
            return
        known = self._base.sizes(tree.place, folder.key) if self._base and not self._late else {}
        lines, wanted = [], []
        for found in _in_order(scan):
            if self._head.since is not None and not _is_since(scan, found, self._head.since):
                continue
            size = scan.size(found)
            if size is not None:
                here = known.get(found.unique) != size
                lines.append(Line(found.unique, size, scan.flags(found), here, found.part == "new"))
                if here:
                    wanted.append(found)
        self._frame(directory, folder, lines, _keywords(scan.mailbox))
        written = dict(self._messages(directory, folder, scan, wanted, shown))
        self._count(folders=1, messages=len(lines) - len(wanted) + len(written))
        if self._index:
            sizes = {
                line.unique: line.size for line in lines if not line.here
            } | written  # a size in a name may be wrong
            kept = [
                replace(line, size=size, here=False) for line in lines if (size := sizes.get(line.unique)) is not None
            ]
            self._listing(self._index, directory, folder, kept)

    def _frame(self, directory: str, folder: FolderEntry, lines: list[Line], words: bytes | None) -> None:
        """What a Maildir has beside messages, so that one comes of it when the archive is unpacked; and the list."""
        for part in ("cur", "new", "tmp"):
            member = Member(f"{directory}/{part}", 0, self._head.created, DIRECTORY, facts={"type": entries.OTHER})
            self._out.add(member)
        if words is not None:
            self._text(self._out, f"{directory}/{keywords.FILE_NAME}", entries.OTHER, words)
        self._listing(self._out, directory, folder, lines)

    def _listing(self, out: Writer, directory: str, folder: FolderEntry, lines: list[Line]) -> None:
        content = b"".join(map(entries.encode_line, lines))
        self._text(out, f"{directory}/{entries.LISTING_FILE}", entries.LISTING, content, folder=folder.key)

    def _messages(
        self, directory: str, folder: FolderEntry, scan: Scan, wanted: list[Found], shown: str
    ) -> Iterator[tuple[str, int]]:
        """Put messages into the archive; the unique names and octets of those that are in it."""
        gone = yield from self._opened(directory, folder, scan, wanted, shown)
        if gone and scan.has_left():  # it was moved to another partition, with them perhaps
            with self._following.scan(scan.mailbox, folder.key) as now:
                there = now.found if now else {}
                removed = [found for found in gone if found.unique not in there]
                if now:
                    left = [there[found.unique] for found in gone if found.unique in there]
                    removed += yield from self._opened(directory, folder, now, left, shown)
                gone = removed
        for found in gone:
            self._count(gone=1)
            self._watcher.gone(f"{shown}: {found.name}")

    def _opened(
        self, directory: str, folder: FolderEntry, scan: Scan, wanted: list[Found], shown: str
    ) -> Generator[tuple[str, int], None, list[Found]]:
        """As `_messages`; those that are not there are what it returns."""
        gone = []
        for found, opened in scan.opened(wanted):
            where = f"{shown}: {found.name}"
            if opened is None:
                gone.append(found)
            elif isinstance(opened, OSError):
                self._watcher.failed(where, opened)
            else:
                with open(opened, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
                    try:
                        size, octets = self._message(directory, folder, found, scan.flags(found), file.fileno())
                    except OSError as error:
                        self._watcher.failed(where, error)
                        continue
                self._count(contents=1, octets=octets)
                self._watcher.message(octets)
                yield found.unique, size
        return gone

    def _message(
        self, directory: str, folder: FolderEntry, found: Found, flags: tuple[str, ...], fd: int
    ) -> tuple[int, int]:
        """Octets of a message that is in the archive now, and of those the ones that it adds. OSError."""
        status = is_message(fd)
        if status is None:
            raise Damaged("it is not a regular file")
        path = f"{directory}/{found.part}/{found.name}"
        facts: dict[str, Any] = {"type": entries.MESSAGE, "folder": folder.key, "flags": flags}
        # Why more than the inode: its number may be that of another message by now, the first having been removed.
        known = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        inode = known if status.st_nlink > 1 else None
        if inode in self._linked:
            link, digest, size = self._linked[inode]
            facts |= {"sha256": digest, "size": size}
            self._out.add(Member(path, 0, status.st_mtime, LINK, link, facts), ())
            return size, 0
        small, digest, size = _read(fd)
        facts |= {"sha256": digest}
        if inode is not None:
            self._linked[inode] = path, digest, size
            facts["shared"] = True
        content = [small] if small is not None else _again(fd, size)
        self._out.add(Member(path, size, status.st_mtime, facts=facts), content)
        return size, size


class _WritingError(Exception):
    """The archive, and not what goes into it, cannot go on."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Sure:
    """Tells an error of the stream from one of what is read for it."""

    def __init__(self, stream: Sink) -> None:
        self._stream = stream

    def write(self, block: bytes) -> None:
        try:
            self._stream.write(block)
        except OSError as error:
            raise _WritingError(error) from error


def _in_order(scan: Scan) -> list[Found]:
    """As mail clients show them: by the numbers that an IMAP server has given, then by their names, as they came."""
    known = uids(scan.mailbox.path)
    return sorted(
        scan.found.values(), key=lambda found: (known.get(found.name.partition(":")[0], 1 << 32), found.unique)
    )


def _is_since(scan: Scan, found: Found, since: float) -> bool:
    when = scan.arrived(found)
    return when is not None and when >= since


def _keywords(mailbox: Mailbox) -> bytes | None:
    try:
        return read_control_file(mailbox.path / keywords.FILE_NAME)
    except OSError:
        return None  # messages have their keywords with them


def _read(fd: int) -> tuple[bytes | None, str, int]:
    """The content if it is small, its digest and size."""
    first = os.read(fd, _SMALL)
    digest, size, block = hashlib.sha256(first), len(first), first
    while block := os.read(fd, _BLOCK):
        digest.update(block)
        size += len(block)
    return (first if size == len(first) else None), digest.hexdigest(), size


def _again(fd: int, size: int) -> Iterator[bytes]:
    """The same octets once more; should a hostile hand have shortened the file, zeros, which the digest will tell."""
    os.lseek(fd, 0, os.SEEK_SET)
    left = size
    while left:
        try:
            block = os.read(fd, min(left, _BLOCK))
        except OSError:
            block = b""
        block = block or bytes(min(left, _BLOCK))
        left -= len(block)
        yield block
