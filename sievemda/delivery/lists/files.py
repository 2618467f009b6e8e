"""Lists in files: a member a line, Pigeonhole's lines of key and value, vCards. RFC 6134 §2.5.

A file is read when it is asked for and remembered with its inode, size and times, so a change counts at once and an
unchanged list costs one look at it (a folder of a thousand cards: one look at each, some milliseconds).

Why a reader of vCards of our own: a list wants nothing of a card but its addresses. Unfolding and one expression take
8 us a card, vobject 480 us, and a card that breaks the rules elsewhere still has an address.
"""

from __future__ import annotations

import os
import re
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.sieve.text import from_octets

MAX_FILE = 8 << 20  # octets of a list, or of all cards of a folder
MAX_CARDS = 10_000  # files of a folder
_KEPT = 256  # lists remembered at once

_FOLD = re.compile(rb"\r?\n[ \t]")  # RFC 6350 §3.2
_QUOTED = rb'"[^"\r\n]*+"'
_EMAIL = re.compile(
    rb"^(?:[A-Za-z0-9-]++\.)?EMAIL(?:;(?:[^:\r\n\"]|" + _QUOTED + rb")*)?:([^\r\n]++)", re.MULTILINE | re.IGNORECASE
)  # RFC 6350 §6.4.2, in a group of properties or in none
_ESCAPED = re.compile(r"\\([\\,;])")
_PRIVATE = "priv/sieve/extlists/"  # before the members in a file of keys and values

Stamp = tuple[tuple[int, ...], ...]
Parser = Callable[[bytes], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a list, in order, and for each folded form the first member that has it."""

    texts: tuple[str, ...]
    exact: bool = False
    folded: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", {self._fold(text): text for text in reversed(self.texts)})

    def _fold(self, text: str) -> str:
        return text if self.exact else text.casefold()

    def find(self, values: Sequence[str]) -> str | None:
        """The member that the first value in the list is."""
        return next((found for value in values if (found := self.folded.get(self._fold(value))) is not None), None)


def plain(content: bytes) -> Iterable[str]:
    """A member a line; blanks around it, empty lines and lines that begin with `#` are none."""
    lines = (from_octets(line).strip() for line in content.removeprefix(b"\xef\xbb\xbf").splitlines())
    return (line for line in lines if line and not line.startswith("#"))


def keys(content: bytes) -> Iterable[str]:
    """Lines of key and value in turns: the keys are the members, whatever their values."""
    names = (from_octets(line).strip() for line in content.splitlines()[::2])
    return (name.removeprefix(_PRIVATE) for name in names if name.startswith(_PRIVATE))


def cards(content: bytes) -> Iterable[str]:
    """The addresses of vCards, one card or many."""
    for value in _EMAIL.findall(_FOLD.sub(b"", content)):
        text = _ESCAPED.sub(r"\1", from_octets(value)).strip()
        if text:
            yield text.removeprefix("mailto:")


class Files:
    """Lists by path, for many threads: what one puts in is what any would."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, bool], tuple[Stamp, Members]] = OrderedDict()

    def get(self, path: Path, parse: Parser, *, exact: bool) -> Members | None:
        """The list in a file, or in the files `*.vcf` of a folder; `None` when there is no such. Raises OSError."""
        files = _files(path)
        if files is None:
            return None
        stamp = tuple(mark for _, mark in files)
        known = self._known.get((path, exact))
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            members = Members(tuple(dict.fromkeys(_read(path, files, parse))), exact)
        except FileNotFoundError:
            return None
        while len(self._known) >= _KEPT:
            self._known.popitem(last=False)
        self._known[path, exact] = stamp, members
        return members


def _files(path: Path) -> list[tuple[Path, tuple[int, ...]]] | None:
    """The regular files of a list with what tells whether they changed; links are not followed."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(found.st_mode):
        return [(path, _mark(found))]
    entries = sorted((e for e in os.scandir(path) if e.name.lower().endswith(".vcf")), key=lambda entry: entry.name)
    if len(entries) > MAX_CARDS:
        raise OSError(f"{path} has more than {MAX_CARDS} cards")
    files = [(path / entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    return [(file, _mark(status)) for file, status in files if stat.S_ISREG(status.st_mode)]


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(root: Path, files: list[tuple[Path, tuple[int, ...]]], parse: Parser) -> Iterable[str]:
    room = MAX_FILE
    for path, _ in files:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:  # removed just now: a card is one less, but a list is not there
            if path == root:
                raise
            continue
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(f"{path} is not a regular file")
            content = file.read(room + 1)
        room -= len(content)
        if room < 0:
            raise OSError(f"{path} is too large for a list: the limit is {MAX_FILE} octets")
        yield from parse(content)
