"""`maildirsize`: the file in which Maildir++ keeps limits and usage (README.maildirquota).

The first line holds the limits (`10240000S,50C`), each further line octets and messages that came or went. Programs
append a line per delivery; who finds the file missing, damaged or 5120 octets long counts the messages and writes it
anew.

Why a limit of 0 says nothing here: other programs take it for `no limit`. Where we mean it, 1 is written, which is as
near as they come to it; the folder's record says that it is 0.

Why a number without measure counts for damage: no disk holds so much, and others stop at 2^63. A limit that is not
below 2^62 would limit nothing; such a usage would refuse all mail until a folder changes.

Why `0 0` stands below a count at a root that has others below it: IMAP servers know of the user's root alone, and count
all of his messages there. Such a line is none of theirs.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from sievemda.policy.quota import Limits, Usage
from sievemda.store.files import write_atomically
from sievemda.store.pinned import open_pinned

FILE_NAME = "maildirsize"
MAX_SIZE = 5120  # octets of the file at which it is counted anew; README.maildirquota
ALMOST_NONE = 1
_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NOTHING = b"0 0"
_NO_LIMIT = "0S"
UNKNOWN = f"{-(2**62)} 0\n"  # has every reader count; a file with nothing in it would say that nothing is there
_LIMIT = re.compile(rb"\d{1,19}[A-Z]")
_MOST = 1 << 62  # what is not below it cannot be meant


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the file says; None where it says nothing, or nothing that can be trusted."""

    limits: Limits | None = None
    usage: Usage | None = None
    written: int = 0  # when; nanoseconds since 1970
    counted: int = 0  # the same, if the messages were counted then and nothing has come or gone since
    apart: bool = False  # whether it says that those were left out for which other roots count

    def settled(self, stamps: list[int], *, apart: bool = False) -> bool:
        """Whether it has been counted since the folders changed; `apart` from those that have other roots."""
        return self.counted > 0 and self.apart >= apart and all(stamp < self.counted for stamp in stamps)

    def kept_up(self, stamps: list[int]) -> bool:
        """Whether it has been written to since the folders changed: nobody has forgotten to."""
        return all(stamp <= self.written for stamp in stamps)


def exists(folder: Path | str) -> bool:
    return os.path.lexists(f"{folder}/{FILE_NAME}")


def read(folder: Path | str, longest: int = MAX_SIZE) -> Sizes:
    """A file of `longest` octets or more tells no usage, and neither does what is none."""
    try:
        fd = os.open(f"{folder}/{FILE_NAME}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        # A symbolic link is replaced by a file of ours.
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return Sizes()
    try:
        content = os.read(fd, longest)
        written = os.fstat(fd).st_mtime_ns
    except IsADirectoryError:
        return Sizes()
    finally:
        os.close(fd)
    first, *lines = content.split(b"\n")
    limits = _parse_limits(first)
    whole = lines and len(content) < longest and not lines[-1]
    apart = lines[1:] == [_NOTHING, b""]
    usage = _parse_usage(lines[:-1]) if whole else None
    counted = written if usage is not None and (apart or len(lines) == 2) else 0
    return Sizes(limits, usage, written, counted, apart)


def counted(usage: Usage, *, apart: bool) -> str:
    """The line, or lines, for a usage that was counted."""
    return f"{usage.storage} {usage.messages}\n" + (f"{_NOTHING.decode()}\n" if apart else "")


def _parse_limits(line: bytes) -> Limits | None:
    """None when no limit can be read from it."""
    found = {part[-1:]: int(part[:-1]) for part in line.split(b",") if _LIMIT.fullmatch(part)}
    if any(number >= _MOST for number in found.values()):
        return None
    if not any(found.get(letter) for letter in (b"S", b"C")):
        return None
    return Limits(storage=found.get(b"S") or None, messages=found.get(b"C") or None)


def _parse_usage(lines: list[bytes]) -> Usage | None:
    try:
        pairs = [(int(size), int(count)) for size, count in map(bytes.split, lines)]
    except ValueError:
        return None
    storage, messages = sum(size for size, _ in pairs), sum(count for _, count in pairs)
    return Usage(storage, messages) if pairs and 0 <= storage < _MOST and 0 <= messages < _MOST else None


def limits_nothing(content: bytes) -> bool:
    """Whether it is sound where nothing is limited: a first line with zeros, with none, or with letters of others."""
    first, end, _ = content.partition(b"\n")
    parts = first.removesuffix(b"\r").split(b",") if first.strip() else []
    return bool(end) and all(_LIMIT.fullmatch(part) and int(part[:-1]) < _MOST for part in parts)


def write(folder: Path, limits: Limits, lines: str, mode: int) -> None:
    """Write the file anew, where it limits something; what another program keeps without a limit is left to it."""
    if limits.storage is None and limits.messages is None:
        return
    parts = ((limits.storage, "S"), (limits.messages, "C"))
    first = ",".join(f"{limit or ALMOST_NONE}{letter}" for limit, letter in parts if limit is not None)
    write_atomically(folder / FILE_NAME, f"{first}\n{lines}".encode(), mode)


def write_free(folder: Path, usage: Usage, mode: int) -> None:
    """Write the file anew as Dovecot does where nothing is limited."""
    write_atomically(folder / FILE_NAME, f"{_NO_LIMIT}\n{counted(usage, apart=False)}".encode(), mode)


def add(folder: Path, size: int, messages: int = 1) -> None:
    """So many messages of together `size` octets have come; nothing to do when there is no such file."""
    directory = open_pinned(str(folder))
    try:
        fd = os.open(FILE_NAME, _APPENDING, dir_fd=directory)
    except FileNotFoundError:
        return
    finally:
        os.close(directory)
    try:
        os.write(fd, b"%d %d\n" % (size, messages))
    finally:
        os.close(fd)
