"""The container: a tar in the form of POSIX (pax), which every `tar` lists and unpacks.

What a member is to us stands in the `comment` of its extended header, as a JSON object: a field that POSIX has for such
and that other programs pass over without a word. In each stand `archive`, a random number that is the same in the whole
archive, and `check`, which ties name, size, date and comment together.

Why not the module tarfile: it reads an extended header whole, whatever length it claims, remembers every member, and
gives up at the first octet that is wrong. Here memory has a bound, and behind damage reading goes on with the next
member that bears the number of the archive. That number is a secret until somebody reads the archive, so what a message
contains, a tar for instance, can never be taken for a member.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sievemda.upkeep.backup.source import Gap, Sink, Source

FILE, LINK, DIRECTORY = "0", "1", "5"
END = "end"  # the `type` of the last member, behind which nothing is looked for
_BLOCK = 512
_RECORD = 20 * _BLOCK  # what an archive is filled up to
_EXTENDED = b"x"
_LARGEST_HEADER = 1 << 18  # octets of an extended header
_MAGIC = b"ustar\x0000"
_MAGIC_AT = 257
_WINDOW = 1 << 18
_OCTAL = 8**11  # what the field for the size cannot say
_MODE = {FILE: 0o600, LINK: 0o600, DIRECTORY: 0o700}


@dataclass(frozen=True, slots=True)
class Member:
    path: str  # what is not UTF-8 in it as lone surrogates
    size: int = 0  # octets
    mtime: float = 0.0  # seconds since 1970
    kind: str = FILE
    link: str = ""  # the path of an earlier member with the same content
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the comment says; none: not ours


@dataclass(frozen=True, slots=True)
class Damage:
    """Something of an archive that cannot be read."""

    offset: int  # in octets, of the archive as it is without compression
    text: str


class Writer:
    """Writes members to a stream, which stays open. OSError."""

    def __init__(self, stream: Sink, archive: str) -> None:
        self._stream = stream
        self._archive = archive
        self.offset = 0

    def add(self, member: Member, content: Iterable[bytes] = ()) -> None:
        """The content must have as many octets as the member says."""
        self._write(_headers(member, self._archive))
        done = 0
        for block in content:
            self._write(block)
            done += len(block)
        if done != member.size:
            raise ValueError(f"{member.path} has {done} octets instead of {member.size}")
        self._write(b"\0" * (-done % _BLOCK))

    def finish(self) -> None:
        end = self.offset + 2 * _BLOCK
        self._write(b"\0" * (2 * _BLOCK + -end % _RECORD))

    def _write(self, block: bytes) -> None:
        self._stream.write(block)
        self.offset += len(block)


def _headers(member: Member, archive: str) -> bytes:
    facts = {"archive": archive} | dict(member.facts)
    facts["check"] = _check(member, facts)
    path = os.fsencode(member.path)
    records = [(b"path", path), (b"mtime", f"{member.mtime:.9f}".encode())]
    if member.link:
        records.append((b"linkpath", os.fsencode(member.link)))
    if member.size >= _OCTAL:
        records.append((b"size", str(member.size).encode()))
    if not _is_utf8(path):
        records.insert(0, (b"hdrcharset", b"BINARY"))
    records.append((b"comment", json.dumps(facts).encode()))
    extended = b"".join(_record(key, value) for key, value in records)
    return (
        _header(b"pax/" + path.rpartition(b"/")[2][:80], len(extended), 0, _EXTENDED, 0o600)
        + extended
        + b"\0" * (-len(extended) % _BLOCK)
        + _header(path, member.size, int(member.mtime), member.kind.encode(), _MODE[member.kind], member.link)
    )


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def _record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3  # blank, equals sign, line end
    length = rest + len(str(rest))
    if len(str(length)) != len(str(rest)):
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def _header(path: bytes, size: int, mtime: int, kind: bytes, mode: int, link: str = "") -> bytes:
    block = b"".join(
        (
            path[:100].ljust(100, b"\0"),
            b"%07o\0" % mode,
            b"%07o\0" * 2 % (0, 0),
            b"%011o\0" % (size if size < _OCTAL else 0),
            b"%011o\0" % min(max(mtime, 0), _OCTAL - 1),
            b" " * 8,
            kind,
            os.fsencode(link)[:100].ljust(100, b"\0"),
            _MAGIC,
            bytes(_BLOCK - _MAGIC_AT - len(_MAGIC)),
        )
    )
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _check(member: Member, facts: Mapping[str, Any]) -> str:
    said = json.dumps({key: facts[key] for key in sorted(facts) if key != "check"})
    parts = (member.path, member.kind, str(member.size), f"{member.mtime:.6f}", member.link, said)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


class _NotThatError(Exception):
    """What stands here is no header."""


class Reader:
    """The members of an archive in order; behind each, `read` gives its content."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._archive = ""
        self._left = 0  # octets of the content that have not been read
        self._padding = 0
        self._ended = False

    @property
    def offset(self) -> int:
        """How far the archive has been read, in octets as they are without compression."""
        return self._source.offset

    def members(self) -> Iterator[Member | Damage]:
        """Members, and what could not be read between them. What of a content is not read is passed over."""
        while True:
            start = self._source.offset
            try:
                self._pass_over()
                start = self._source.offset
                member = self._next()
            except _NotThatError as error:
                yield Damage(start, str(error))
                if not self._find():
                    return
            except Gap:
                yield Damage(start, "octets cannot be read")
                if not self._find():
                    return
            else:
                if member is None:
                    return
                yield member

    def read(self, most: int) -> bytes:
        """Octets of the content of the last member; none at its end, or where the archive ends. Gap."""
        try:
            block = self._source.read(min(most, self._left))
        except Gap:
            self._left = self._padding = 0
            raise
        self._left -= len(block)
        return block

    def _pass_over(self) -> None:
        length, self._left, self._padding = self._left + self._padding, 0, 0
        if self._source.skip(length) < length:
            raise _NotThatError("the archive is cut off")

    def _next(self) -> Member | None:
        """The next member; None at the end."""
        block = self._block()
        if block == bytes(_BLOCK):
            if not self._ended:
                raise _NotThatError("zeros in the place of a member")
            self._source.skip(-self._source.offset % _RECORD)  # a pipe is read to its end
            return None
        records: dict[str, str] = {}
        if block[156:157] == _EXTENDED:
            records = self._records(_size(block))
            block = self._block()
        kind = block[156:157].decode("ascii", "replace").replace("\0", FILE)
        member = Member(
            records.get("path", _text(block[:100])),
            int(records["size"]) if _is_number(records.get("size", "")) else _size(block),
            _seconds(records.get("mtime", "")) or 0.0,
            kind,
            records.get("linkpath", ""),
            _facts(records),
        )
        if member.facts:
            self._believe(member)
            self._ended = member.facts.get("type") == END
        self._left = member.size if kind not in {LINK, DIRECTORY} else 0
        self._padding = -self._left % _BLOCK
        return member

    def _believe(self, member: Member) -> None:
        archive = str(member.facts.get("archive", ""))
        if member.facts.get("check") != _check(member, member.facts):
            raise _NotThatError(f"the header of {member.path[:200]} is damaged")
        if self._archive and archive != self._archive:
            raise _NotThatError(f"{member.path[:200]} is of another archive")
        self._archive = archive

    def _block(self) -> bytes:
        block = self._source.exactly(_BLOCK)
        if len(block) < _BLOCK:
            raise _NotThatError("the archive is cut off")
        if block != bytes(_BLOCK) and not _is_header(block):
            raise _NotThatError("no member begins here")
        return block

    def _records(self, size: int) -> dict[str, str]:
        if size > _LARGEST_HEADER:
            raise _NotThatError(f"an extended header of {size} octets")
        padded = self._source.exactly(size + -size % _BLOCK)
        return _parsed(padded[:size])

    def _find(self) -> bool:
        """Go on with the next member that has the number of this archive; False when there is none."""
        self._left = self._padding = 0
        window = b""
        while True:
            try:
                more = self._source.exactly(_WINDOW)
            except Gap:
                window = b""
                continue
            window += more
            at = self._place(window)
            if at >= 0:
                self._source.unread(window[at:])
                return True
            if not more:
                return False
            window = window[-(_MAGIC_AT + _LARGEST_HEADER) :] if len(window) > 2 * _LARGEST_HEADER else window

    def _place(self, window: bytes) -> int:
        """Where in it an extended header of this archive begins."""
        number = f'"archive": "{self._archive}'.encode()
        found = window.find(_MAGIC)
        while found >= 0:
            at = found - _MAGIC_AT
            block = window[at : at + _BLOCK] if at >= 0 else b""
            if len(block) == _BLOCK and block[156:157] == _EXTENDED and _is_header(block):
                size = min(_size(block), _LARGEST_HEADER)
                if number in window[at + _BLOCK : at + _BLOCK + size]:
                    return at
            found = window.find(_MAGIC, found + 1)
        return -1


def _is_header(block: bytes) -> bool:
    said = _number(block[148:156])
    return said is not None and said == sum(block[:148]) + 8 * 0x20 + sum(block[156:])


def _number(field: bytes) -> int | None:
    digits = field.strip(b" \0")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else None


def _size(block: bytes) -> int:
    size = _number(block[124:136])
    if size is None:
        raise _NotThatError("a member without a size")
    return size


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < 1 << 37 else None


def _text(octets: bytes) -> str:
    return os.fsdecode(octets.partition(b"\0")[0])


def _parsed(extended: bytes) -> dict[str, str]:
    """The records of an extended header."""
    found, at = {}, 0
    while at < len(extended):
        digits = extended[at : at + 8].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = extended[at + len(digits) + 1 : at + length]
        key, equals, value = record.partition(b"=")
        if length <= len(digits) + 1 or not equals or value[-1:] != b"\n":
            raise _NotThatError("an extended header is damaged")
        found[key.decode("ascii", "replace")] = os.fsdecode(value[:-1])
        at += length
    return found


def _facts(records: Mapping[str, str]) -> dict[str, Any]:
    try:
        found = json.loads(records.get("comment", "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
