"""One look at a Maildir++ tree: its folders, and the quota root that each belongs to.

Everything that a report or a count asks of a folder besides its messages is seen in one pass, with as few system calls
as will do; a site has hundreds of thousands of folders.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sievemda.store import maildirsize
from sievemda.store.annotationsize import own_octets
from sievemda.store.layout import Tree
from sievemda.store.record import Records
from sievemda.store.spelling import from_disk

FolderPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Folder:
    path: FolderPath
    place: str  # its directory
    root: FolderPath | None  # the nearest quota root in the tree
    stamps: tuple[int, int]  # when `new` and `cur` last changed, nanoseconds since 1970
    annotations: int  # octets that our record of it has


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen of a tree."""

    tree: Path
    folders: list[Folder]
    roots: list[FolderPath]

    def below(self, path: FolderPath) -> list[Folder]:
        """The folders for which a root there counts, or would if it were one."""
        length = len(path)
        return [
            folder
            for folder in self.folders
            if folder.root == path
            or (folder.path[:length] == path and (folder.root is None or len(folder.root) < length))
        ]

    def without_root(self) -> list[Folder]:
        return [folder for folder in self.folders if folder.root is None]


def survey(tree: Tree, records: Records, is_real: Callable[[Tree, FolderPath], bool], below: FolderPath = ()) -> Survey:
    """Only of what lies at and `below` a path. OSError when something cannot be read.

    `is_real` tells whether a link leads to a folder of the tree.
    """
    roots = []
    seen = []
    for path, place in _entries(tree, is_real, below):
        limits, annotations = _kept(place, records)
        if limits:
            roots.append(path)
        stamps = stamps_of(place)
        if stamps is not None:
            seen.append((path, place, stamps, annotations))
    folders = [Folder(path, place, _root(path, roots), stamps, size) for path, place, stamps, size in seen]
    return Survey(tree.root, folders, roots)


def _kept(place: str, records: Records) -> tuple[bool, int]:
    """Whether a directory is a quota root, and the octets of the annotations in our record of it.

    One that cannot be read may be a root: whoever asks for its limits is told what is wrong with it.
    """
    try:
        record = records.brief(place)
        limited = record.limits is not None or (
            maildirsize.exists(place) and maildirsize.read(place).limits is not None
        )
    except OSError:
        return True, 0
    return limited, own_octets(record.metadata) if record.metadata else 0


def _entries(
    tree: Tree, is_real: Callable[[Tree, FolderPath], bool], below: FolderPath
) -> Iterator[tuple[FolderPath, str]]:
    root = str(tree.root)
    if tree.owner is not None and not below:
        yield (), root
    try:
        with os.scandir(root) as found:
            for entry in found:
                path = from_disk(entry.name) if entry.name[0] == "." else None
                if path and path[: len(below)] == below and (not entry.is_symlink() or is_real(tree, path)):
                    yield path, entry.path
    except (FileNotFoundError, NotADirectoryError):
        return


def _root(path: FolderPath, roots: list[FolderPath]) -> FolderPath | None:
    """The longest that begins the path."""
    return max((root for root in roots if path[: len(root)] == root), key=len, default=None)


def stamps_of(place: str) -> tuple[int, int] | None:
    """When a folder last changed; None when it is no folder."""
    try:
        cur = os.stat(f"{place}/cur")  # noqa: PTH116  of hundreds of thousands
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(cur.st_mode):
        return None
    try:
        return os.stat(f"{place}/new").st_mtime_ns, cur.st_mtime_ns  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        return 0, cur.st_mtime_ns
