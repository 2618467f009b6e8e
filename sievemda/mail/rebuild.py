"""Messages made of another one: a part replaced, the whole enclosed. Every octet that is not meant stays as it is.

Line ends are LF. What is put in never ends the part that it stands in: a text is encoded so that no line of it begins
with two hyphens, and what cannot be encoded is looked through for the boundaries around it (`breaks_out`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sievemda.mail.message import Message, spans
from sievemda.mail.mime import Part

MIME_VERSION = b"MIME-Version: 1.0\n"
_LONGEST = 998  # octets of a line, RFC 5322 §2.1.1
_QP_LINE = 74  # octets, so that two more fit: RFC 2045 §6.7 (5)
_HYPHENS = re.compile(rb"(?:\A|\n)--")
_BLOCK = 1 << 20


class Entity(NamedTuple):
    """MIME fields, each with its line end, and a body: what becomes of a part."""

    fields: bytes
    body: bytes


class Replacement(NamedTuple):
    """A part, what it becomes, and which of its Content fields it keeps, in lower case."""

    part: Part
    entity: Entity
    keep: frozenset[str] = frozenset()


def text_entity(text: str, subtype: str = "plain", charset: str = "utf-8") -> Entity:
    """A text as it can travel anywhere. RFC 2045 §6; octets that are not UTF-8 are replaced.

    Raises `UnicodeError` when the charset, which Python must know, cannot hold it.
    """
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    clean = clean.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    octets = clean.encode(charset)
    fields = f"Content-Type: text/{subtype}; charset={charset}\nContent-Transfer-Encoding: "
    if "\0" in clean or "\n".encode(charset) != b"\n":
        return Entity(fields.encode() + b"base64\n", _base64(clean.replace("\n", "\r\n").encode(charset)))
    lines = octets.split(b"\n")
    if octets.isascii() and not _HYPHENS.search(octets) and all(len(line) <= _LONGEST for line in lines):
        return Entity(fields.encode() + b"7bit\n", octets)
    quoted = binascii.b2a_qp(octets, istext=True).split(b"\n")
    return Entity(fields.encode() + b"quoted-printable\n", b"\n".join(_guarded(line) for line in quoted))


def data_entity(media_type: str, octets: bytes) -> Entity:
    """Any data, in base64."""
    fields = f"Content-Type: {media_type}\nContent-Transfer-Encoding: base64\n"
    return Entity(fields.encode(), _base64(octets))


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets)


def _guarded(line: bytes) -> bytes:
    """A line of quoted-printable that does not begin with two hyphens, nor any that it is broken into."""
    begun: list[bytes] = []
    while line.startswith(b"--"):
        if len(line) <= _QP_LINE:
            line = b"=2D" + line[1:]
        else:
            begun.append(b"=2D=2D=\n")
            line = line[2:]
    return b"".join([*begun, line])


def replaced(message: Message, root: Part, replacements: Sequence[Replacement]) -> Message:
    """The message with other parts, which must not be inside each other, in the order of the message.

    Of a header all fields stay but those about its MIME structure. RFC 5703 §5.
    """
    if replacements[0].part is root:
        return Message(_written(replacements[0], message.head, of_message=True))
    data, position = root.data, root.body
    pieces: list[bytes] = [message.head]
    for replacement in replacements:
        part = replacement.part
        pieces.append(data[position : part.start])
        head = data[part.start : part.body]
        parent = root.at(part.path[:-1])
        pieces.append(_written(replacement, head, of_message=parent is not None and parent.is_message))
        if part.end < len(data) and data[part.end : part.end + 1] != b"\n":
            pieces.append(b"\n")  # its body was empty, and shared its line end with the header
        position = part.end
    return Message(b"".join([*pieces, data[position:]]))


def _written(replacement: Replacement, head: bytes, *, of_message: bool) -> bytes:
    fields, body = replacement.entity
    fields = (MIME_VERSION if of_message else b"") + fields
    end = b"" if not replacement.part.path and body.endswith(b"\n") else b"\n"
    return retyped(head, fields, replacement.keep) + body + (b"" if replacement.part.path else end)


def retyped(head: bytes, fields: bytes, keep: frozenset[str] = frozenset()) -> bytes:
    """A header with other MIME fields, and the empty line behind it."""
    kept, position = [], 0
    for name, start, end in spans(head):
        if name == "mime-version" or (name.startswith("content-") and name not in keep):
            kept.append(head[position:start])
            position = end
    rest = b"".join([*kept, head[position:]]).rstrip(b"\n")
    return (rest + b"\n" if rest else b"") + fields + b"\n"


def superseded(head: bytes, name: str, field: bytes) -> bytes:
    """A header with another field of that name; what was there is kept as Original-NAME. RFC 5703 §5."""
    out, position = [], 0
    for known, start, end in spans(head):
        if known == name.lower():
            old = head[start + len(name) : end]
            out += [head[position:start], b"" if position else field, b"Original-" + name.encode() + old]
            out[-1] += b"" if old.endswith(b"\n") else b"\n"
            position = end
    if not out:
        return field + head
    return b"".join([*out, head[position:]])


def enclosed(message: Message, fields: bytes, text: str) -> Message:
    """A new message with these fields, of a text and the message, octet for octet. RFC 5703 §6, RFC 2046 §5.1."""
    data = message.data
    wide = any(not data[start : start + _BLOCK].isascii() for start in range(0, len(data), _BLOCK))
    encoding = b"Content-Transfer-Encoding: 8bit\n" if wide else b""
    digest = hashlib.sha256(data)
    boundary = f"=_{digest.hexdigest()[:40]}".encode()  # nothing holds its own hash
    note = text_entity(text)
    return Message(
        b"".join([
            fields, MIME_VERSION, b'Content-Type: multipart/mixed; boundary="', boundary, b'"\n', encoding, b"\n",
            b"--", boundary, b"\n", note.fields, b"\n", note.body,
            b"\n--", boundary, b"\nContent-Type: message/rfc822\n", encoding, b"\n", data,
            b"\n--", boundary, b"--\n",
        ])
    )  # fmt: skip


def breaks_out(body: bytes, boundaries: Iterable[bytes]) -> bool:
    """Whether a line of it would be read as a delimiter of one of these. RFC 2046 §5.1.1."""
    begins = [b"--" + boundary for boundary in boundaries]
    return any(body.startswith(begin) or b"\n" + begin in body for begin in begins)
