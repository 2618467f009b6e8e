"""A message: its bytes as they came, with line ends LF, and a lazy view of its header.

The bytes are never changed; an edit makes a new `Message`. A header is everything up to the first empty line, or the
whole message when there is none. A line in it that is neither a field nor the continuation of one (mbox's `From `
line, rubbish) is skipped, not an error: RFC 5228 §2.4.2.2 wants tests to go on whatever the message looks like.

Why not the stdlib parser: it takes 50 to 500 us for an ordinary header and copies the body. One regular expression
over the header takes 10 us, never looks at the body, and works on a memory-mapped file.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sievemda.mail.address import Address
from sievemda.mail.addresslist import address_list
from sievemda.mail.header import decode, unfold

# Possessive quantifiers: a line of a megabyte is read once, whatever is in it. RFC 5322 §2.2, §4.5 (blanks before ':').
_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Field:
    """One header field; `raw` is all that follows the colon, folded as it came, without the final LF."""

    name: str
    raw: bytes

    @property
    def value(self) -> str:
        return decode(self.raw)


class Message:
    """An immutable message. `data` may be a memory-mapped file, which must stay open as long as the message is used.

    `size` is given by who knows it; counting it reads every page of a large file.
    """

    __slots__ = ("_addresses", "_body_of", "_data", "_decoded", "_fields", "_head", "_index", "_size", "derived")

    def __init__(self, data: bytes | mmap.mmap, size: int = -1) -> None:
        self._data: bytes | mmap.mmap | None = data
        self._head: bytes | None = None
        self._body_of: Message = self  # whose body it has: an edited header does not copy a large body
        self._addresses: dict[str, tuple[tuple[Address, ...] | str, ...]] = {}
        self._decoded: dict[str, tuple[str, ...]] = {}
        self._fields: tuple[Field, ...] | None = None
        self._index: Mapping[str, tuple[bytes, ...]] | None = None
        self._size = size
        self.derived: dict[object, Any] = {}  # what readers work out about this message, to do it once

    @property
    def data(self) -> bytes | mmap.mmap:
        """The whole message."""
        if self._data is None:
            source = self._body_of
            self._data = self.head + source.data[source.header_end :]
        return self._data

    @property
    def head(self) -> bytes:
        """The header as it stands, with the empty line behind it when there is one."""
        if self._head is None:
            data = self.data
            self._head = data[: _end_of_header(data)]
        return self._head

    @property
    def body_of(self) -> Message:
        """The message whose body this one has: itself, or what it was before its header was edited."""
        return self._body_of

    @property
    def has_body(self) -> bool:
        """Whether there is an empty line behind the header: only then there is a body, which may be empty."""
        return self.head.endswith(b"\n\n") or self.head == b"\n"

    @property
    def header_end(self) -> int:
        """Offset of the body, after the empty line."""
        return len(self.head)

    def with_head(self, head: bytes) -> Message:
        """This message under another header; the body is not copied before somebody asks for `data`."""
        edited = Message(b"")
        edited._data, edited._head, edited._body_of = None, head, self._body_of
        edited._size = self.size + len(head) + head.count(b"\n") - len(self.head) - self.head.count(b"\n")
        return edited

    @property
    def stored_size(self) -> int:
        """Octets as stored, with LF line ends."""
        source = self._body_of
        return len(self.data) if source is self else len(self.head) + source.stored_size - source.header_end

    @property
    def size(self) -> int:
        """Octets as they travel, with CRLF line ends: what RFC 5228 §5.9 and RFC 1870 count."""
        if self._size < 0:
            data = self.data
            blocks = range(0, len(data), _BLOCK)
            self._size = len(data) + sum(data[start : start + _BLOCK].count(b"\n") for start in blocks)
        return self._size

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields in order of appearance."""
        if self._fields is None:
            found = _FIELD.finditer(self.head)
            self._fields = tuple(Field(name.decode("ascii"), raw) for name, raw in (m.groups() for m in found))
        return self._fields

    def raw_values(self, name: str) -> tuple[bytes, ...]:
        """The raw values of every field of that name, case-insensitive; RFC 5228 §2.4.2.2."""
        if self._index is None:
            self._index = _index(self.head)
        return self._index.get(name.lower(), ())

    def values(self, name: str) -> tuple[str, ...]:
        """The values of every field of that name: unfolded, trimmed, encoded words decoded. RFC 5228 §2.4.2.2, §5.7."""
        known = self._decoded.get(name)  # by the spelling that is asked for: a script asks the same one many times
        if known is None:
            known = self._decoded[name] = tuple(decode(raw) for raw in self.raw_values(name))
        return known

    def addresses(self, name: str) -> tuple[tuple[Address, ...] | str, ...]:
        """For each field of that name its addresses, or its text when there is no address in it. RFC 5228 §5.1."""
        known = self._addresses.get(name)
        if known is None:
            texts = map(unfold, self.raw_values(name))
            known = self._addresses[name] = tuple(address_list(text) or text for text in texts)
        return known


def _end_of_header(data: bytes | mmap.mmap) -> int:
    if data[:1] == b"\n":
        return 1
    end = data.find(b"\n\n")
    return len(data) if end < 0 else end + 2


def spans(head: bytes) -> Iterator[tuple[str, int, int]]:
    """Each field of a header: its name in lower case, where it begins, and where the next line does."""
    for found in _FIELD.finditer(head):
        yield found[1].decode("ascii").lower(), found.start(), min(found.end() + 1, len(head))


def _index(header: bytes) -> Mapping[str, tuple[bytes, ...]]:
    index: dict[str, tuple[bytes, ...]] = {}
    many: dict[str, list[bytes]] = {}
    for found in _FIELD.finditer(header):
        name, raw = found.groups()
        key = name.decode("ascii").lower()
        if key not in index:
            index[key] = (raw,)
        elif key in many:
            many[key].append(raw)
        else:
            many[key] = [index[key][0], raw]
    index.update((key, tuple(values)) for key, values in many.items())
    return MappingProxyType(index)
