"""Single-instance store after the fact: messages that are equal become one file.

Files are equal when size, owner, mode and content are; the content is compared by a digest and, right before two are
linked, octet by octet. Names, flags and quota stay: every link is counted in full, as before.

Why the date of arrival must be equal, too: it is the file's time, IMAP's INTERNALDATE, and a file has one. Seconds are
compared, which is all that IMAP shows. Who ignores dates gives all copies the oldest.

Why two names are exchanged in one step: what an IMAP client renames or removes at that moment is left alone. A link to
the kept file is made in `tmp` and swapped with the other one's name; when that has gone, nothing is swapped, and when
something else has come in its place, it is swapped back. Only where a file system cannot do that is the name looked at
and then replaced, in which a client that sets a flag in between would see the message twice, and never lose it. A crash
leaves a link in `tmp`, which readers and `reconstruct` clear away.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.store.exchange import UNKNOWN, exchange
from sievemda.store.files import unique_name
from sievemda.upkeep.relinking.scan import Place, Totals, alike, digested, equal, found, kind_of, open_message
from sievemda.upkeep.sorting import sorted_rows

_BLOCK = 1 << 20
Problem = Callable[[OSError, str], None]
Watch = Callable[[Iterable[bytes], str], Iterator[bytes]]  # and what they are


@dataclass(frozen=True, slots=True)
class How:
    dry_run: bool = False
    dates: bool = True  # whether dates of arrival must be equal
    since: float = 0.0  # seconds since 1970


@dataclass
class Report:
    """What was there, and what was done. Octets of the disk are those of blocks that nobody has any more."""

    before: Totals = field(default_factory=Totals)
    linked: int = 0
    freed: int = 0  # files
    octets: int = 0  # of the disk
    changed: int = 0  # that somebody moved, removed or changed meanwhile
    full: int = 0  # files that cannot have more links
    seconds: float = 0.0

    @property
    def after(self) -> Totals:
        before = self.before
        return Totals(before.messages, before.unique - self.freed, before.octets, before.disk - self.octets)


def relink(folders: Iterable[Path], how: How, problem: Problem, watch: Watch) -> Report:
    """`watch` sees what is looked at, read and linked go by. OSError when there is no room for temporary files."""
    report, began, problem = Report(), time.monotonic(), _full_once(problem)
    rows = sorted_rows(watch(found(folders, how.since, problem, dates=how.dates), "messages"))
    read = sorted_rows(watch(digested(alike(rows, report.before)), "messages of equal size"))
    for group in equal(watch(read, "messages compared")):
        _link_all(group, how, report, problem)
    report.seconds = time.monotonic() - began
    return report


def _full_once(problem: Problem) -> Problem:
    """That a disk is full is told once, and not of each message."""
    told = False

    def once(error: OSError, about: str) -> None:
        nonlocal told
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not (full and told):
            problem(error, about)
        told |= full

    return once


def _link_all(group: Iterator[tuple[int, Place]], how: How, report: Report, problem: Problem) -> None:
    kept: _Kept | None = None
    gone: dict[int, int] = {}  # how many names of a file have gone, in a dry run
    for inode, place in group:
        if kept is None:
            kept = _Kept(inode, place)
        elif inode != kept.inode:
            try:
                kept = _link(kept, inode, place, (how, report, gone))
            except OSError as error:
                problem(error, f"{place.folder}/{place.part}/{place.name}")
    if kept is not None:
        kept.close()


class _Kept:
    """The file that stays, opened when it is first needed."""

    def __init__(self, inode: int, place: Place) -> None:
        self.inode = inode
        self.place = place
        self._opened: tuple[int, int] | None = None

    def open(self) -> tuple[int, int]:
        """Its directory and itself. FileNotFoundError when it is not what it was."""
        if self._opened is None:
            directory = self.place.open_part(self.place.part)
            try:
                file = open_message(self.place, directory)
            except BaseException:
                os.close(directory)
                raise
            self._opened = directory, file
            if os.fstat(file).st_ino != self.inode:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.place.name)
        return self._opened

    def close(self) -> None:
        for fd in self._opened or ():
            os.close(fd)
        self._opened = None


def _link(kept: _Kept, inode: int, place: Place, how: tuple[How, Report, dict[int, int]]) -> _Kept:
    """Make a message a name of the kept file; what is to be kept from now on."""
    options, report, gone = how
    try:
        source, original = kept.open()
    except OSError:
        report.changed += 1
        return _instead(kept, inode, place)
    with ExitStack() as opened:
        try:
            directory = _closing(opened, place.open_part(place.part))
            file = _closing(opened, open_message(place, directory))
            same = os.fstat(file).st_ino == inode and _are_equal(original, file, dates=options.dates)
            temporary = _closing(opened, place.open_part("tmp")) if same and not options.dry_run else -1
        except FileNotFoundError:
            same = False
        if not same:
            report.changed += 1
            return kept
        if options.dry_run:
            gone[inode] = gone.get(inode, 0) + 1
            _count(report, os.fstat(file), left=os.fstat(file).st_nlink - gone[inode])
            return kept
        try:
            done = _swap(kept, source, place.name, inode, (temporary, directory))
        except _KeptIsGone:
            report.changed += 1
            return _instead(kept, inode, place)
        except OSError as error:
            if error.errno == errno.EMLINK:
                report.full += 1
                return _instead(kept, inode, place)
            raise
        if done:
            _count(report, os.fstat(file), left=os.fstat(file).st_nlink)
        else:
            report.changed += 1
    return kept


def _closing(opened: ExitStack, fd: int) -> int:
    opened.callback(os.close, fd)
    return fd


def _instead(kept: _Kept, inode: int, place: Place) -> _Kept:
    kept.close()
    return _Kept(inode, place)


def _count(report: Report, seen: os.stat_result, left: int) -> None:
    report.linked += 1
    if left <= 0:
        report.freed += 1
        report.octets += seen.st_blocks * 512


def _are_equal(one: int, other: int, *, dates: bool) -> bool:
    """Whether two open files may become one."""
    first, second = os.fstat(one), os.fstat(other)
    if kind_of(first) != kind_of(second) or (dates and int(first.st_mtime) != int(second.st_mtime)):
        return False
    at = 0
    while block := os.pread(one, _BLOCK, at):
        if block != os.pread(other, _BLOCK, at):
            return False
        at += len(block)
    return at == first.st_size == second.st_size


class _KeptIsGone(Exception):
    """The file to be kept has no longer the name that it had."""


def _swap(kept: _Kept, source: int, name: str, inode: int, places: tuple[int, int]) -> bool:
    """Whether the name is one of the kept file now; False when it was no longer that of the file, and stays."""
    temporary, _ = places
    link = unique_name()
    try:
        os.link(kept.place.name, link, src_dir_fd=source, dst_dir_fd=temporary, follow_symlinks=False)
    except FileNotFoundError as error:
        raise _KeptIsGone from error
    try:
        if _inode(link, temporary) != kept.inode:
            raise _KeptIsGone
        return _take_over(link, name, inode, places)
    finally:
        with suppress(FileNotFoundError):
            if _inode(link, temporary) in (kept.inode, inode):  # and never what is nobody's but its own
                os.unlink(link, dir_fd=temporary)


def _inode(name: str, directory: int) -> int:
    return os.stat(name, dir_fd=directory, follow_symlinks=False).st_ino


def _take_over(link: str, name: str, inode: int, places: tuple[int, int]) -> bool:
    temporary, directory = places
    try:
        exchange(link, name, one_fd=temporary, other_fd=directory)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        with suppress(FileNotFoundError):
            if _inode(name, directory) == inode:
                os.rename(link, name, src_dir_fd=temporary, dst_dir_fd=directory)
                return True
        return False
    if _inode(link, temporary) == inode:
        return True
    try:
        exchange(link, name, one_fd=temporary, other_fd=directory)
    except FileNotFoundError:  # renamed once more: what came in between gets its name back
        os.rename(link, name, src_dir_fd=temporary, dst_dir_fd=directory)
    return False
