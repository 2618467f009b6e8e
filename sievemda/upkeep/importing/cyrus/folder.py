"""One folder in the spool of a Cyrus server: `cyrus.header`, `cyrus.index`, `cyrus.expunge` and messages `1.`, `2.` ...

The header says the unique id, the keywords and the ACL: since version 3 as `%(N name I id A %(acl) U (keywords))`,
before in three lines, `QUOTAROOT<TAB>ID`, the keywords, and `identifier<TAB>rights<TAB>...`.

The index is a header (octets 8: version, 12: its length, 16: the length of a record, 20: how many) and records (0: UID,
4: time of arrival, 12: size, 32: system flags, 36: keywords, of which bit n is the n-th of the header), all in network
order. That is so in versions 6 to 17. A later one counts time in another unit; its flags are not believed.

Why a message without a record comes all the same: so does it after Cyrus' own `reconstruct`. One that `cyrus.expunge`
names, or whose record says so, was expunged and waits for its end.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.given import read_given
from sievemda.mail.carried import Carried
from sievemda.store.staging import read_blocks
from sievemda.upkeep.importing.cyrus import dlist
from sievemda.upkeep.importing.numbers import Numbers

HEADER = "cyrus.header"
VERSIONS = range(6, 18)
SEEN_IN_INDEX = 12  # from this version on; before it is in the user's own file
_MAGIC = b"\xa1\x02\x8b\x0dCyrus mailbox header\n"
_MOTTO_LINES = 3  # the first three are the same everywhere
_FLAGS = {1: "\\Answered", 2: "\\Flagged", 4: "\\Deleted", 8: "\\Draft", 16: "\\Seen"}
_EXPUNGED = 0xC0000000  # expunged, or its file is removed already
_MESSAGE = re.compile(r"([1-9][0-9]{0,9})\.")
_MAX_INDEX = 1 << 31  # octets
_LEAST_RECORD = 52


@dataclass(frozen=True, slots=True)
class Header:
    name: str = ""  # as Cyrus calls the mailbox, `user.alice.Lists`; before version 3 it is not there
    unique_id: str = ""
    acl: tuple[tuple[str, str], ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    arrived: int
    flags: tuple[str, ...]


@dataclass
class Index:
    version: int = 0  # 0: there is none that can be believed
    records: dict[int, Record] = field(default_factory=dict)
    expunged: Numbers = field(default_factory=Numbers)


@dataclass
class Spooled:
    """A folder as it lies there. `problems` say what could not be read.

    Its index is in memory only between `open` and `close`: there may be thousands of folders.
    """

    directory: Path
    header: Header = field(default_factory=Header)
    index: Index = field(default_factory=Index)
    problems: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.index = _index(self.directory, self.header.keywords, self.problems)

    def close(self) -> None:
        self.index = Index()

    def uids(self) -> list[int]:
        """Of the messages whose files are there and that were not expunged."""
        names = map(_MESSAGE.fullmatch, os.listdir(self.directory))  # noqa: PTH208 - there may be very many
        found = (int(match[1]) for match in names if match)
        return sorted(uid for uid in found if uid not in self.index.expunged)

    def missing(self, uids: list[int]) -> int:
        """How many messages of the index have no file."""
        return len(self.index.records.keys() - set(uids))

    def flags(self, uid: int, seen: Callable[[int], bool]) -> tuple[str, ...]:
        """Those of a message; `seen` tells that where the index does not."""
        record = self.index.records.get(uid)
        flags = record.flags if record else ()
        return (*flags, "\\Seen") if self.index.version < SEEN_IN_INDEX and seen(uid) else flags

    def message(self, uid: int, seen: Callable[[int], bool]) -> tuple[Carried, int]:
        """A message and its size; `seen` tells it where the index does not. OSError when its file cannot be read."""
        file = self.directory / f"{uid}."
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{file} is no file")
        record = self.index.records.get(uid)
        flags = self.flags(uid, seen)
        arrived = record.arrived if record and record.arrived else status.st_mtime
        return Carried(lambda: _octets(file), flags, float(arrived), where=str(file)), status.st_size


def _octets(file: Path) -> Iterator[bytes]:
    yield from read_blocks(file)


def look(directory: Path) -> Spooled:
    """The folder of a directory, not open yet."""
    found = Spooled(directory)
    found.header = _header(directory / HEADER, found.problems)
    return found


def _header(file: Path, problems: list[str]) -> Header:
    try:
        return parse_header(read_given(file))
    except FileNotFoundError:
        problems.append(f"{file} is missing: its messages come without rights and keywords")
    except (OSError, ValueError) as error:
        problems.append(f"{file} cannot be read ({error}): its messages come without rights and keywords")
    return Header()


def parse_header(content: bytes) -> Header:
    """ValueError when it is none."""
    if not content.startswith(_MAGIC):
        raise ValueError("it does not begin as a header of Cyrus does")
    lines = content.split(b"\n", _MOTTO_LINES)
    rest = lines[_MOTTO_LINES] if len(lines) > _MOTTO_LINES else b""
    if rest.startswith(b"%("):
        found = dlist.parse(rest)
        if not isinstance(found, dict):
            raise ValueError("it has no pairs")
        text, texts = dlist.text_of, dlist.texts_of
        return Header(
            text(found.get("N")), text(found.get("I")), dlist.rights_of(found.get("A")), texts(found.get("U"))
        )
    words = [line.decode("utf-8", "surrogateescape") for line in rest.split(b"\n")] + [""] * 3
    entries = words[2].split("\t")
    acl = tuple((name, rights) for name, rights in zip(entries[::2], entries[1::2], strict=False) if name)
    return Header("", words[0].partition("\t")[2].strip(), acl, tuple(words[1].split()))


# -- the index ---------------------------------------------------------------------------------------------------------


def _index(directory: Path, keywords: tuple[str, ...], problems: list[str]) -> Index:
    index = Index()
    file = directory / "cyrus.index"
    try:
        version, records = _records(read_given(file, _MAX_INDEX), problems, file)
    except FileNotFoundError:
        problems.append(f"{file} is missing: its messages come without flags, dated as their files are")
        return index
    except (OSError, ValueError, struct.error) as error:
        problems.append(f"{file} cannot be read ({error}): its messages come without flags, dated as their files are")
        return index
    index.version = version
    for uid, arrived, system, users in records:
        if system & _EXPUNGED:
            index.expunged.add(uid)
        elif uid:
            names = [keyword for number, keyword in enumerate(keywords) if users[number // 32] >> number % 32 & 1]
            index.records[uid] = Record(arrived, (*(flag for bit, flag in _FLAGS.items() if system & bit), *names))
    for uid in _expunged(directory / "cyrus.expunge", problems):
        if uid not in index.records:
            index.expunged.add(uid)
    return index


_Raw = tuple[int, int, int, tuple[int, ...]]  # UID, time of arrival, system flags, keywords


def _records(content: bytes, problems: list[str], file: Path) -> tuple[int, list[_Raw]]:
    """The version and the records as far as they are whole. ValueError, struct.error."""
    version, start, length, number = struct.unpack_from(">4I", content, 8)
    if version not in VERSIONS or length < _LEAST_RECORD or start < 24 or length > 4096:
        raise ValueError(f"it is of version {version}, known are {VERSIONS[0]} to {VERSIONS[-1]}")
    whole = max(len(content) - start, 0) // length
    if whole < number:
        problems.append(f"{file} is cut short: {number - whole} of {number} messages come without flags")
    found = []
    for at in range(start, start + min(number, whole) * length, length):
        uid, arrived = struct.unpack_from(">2I", content, at)
        system, *users = struct.unpack_from(">5I", content, at + 32)
        found.append((uid, arrived, system, tuple(users)))
    return version, found


def _expunged(file: Path, problems: list[str]) -> Iterator[int]:
    """The UIDs in the file of expunged messages that versions before 12 have."""
    try:
        _, records = _records(read_given(file, _MAX_INDEX), [], file)
    except FileNotFoundError:
        return
    except (OSError, ValueError, struct.error) as error:
        problems.append(f"{file} cannot be read ({error}): messages that were expunged may come back")
        return
    for uid, *_ in records:
        yield uid
