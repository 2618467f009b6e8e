"""Fields put into a header and taken out of it; the body is not touched, and not copied. RFC 5293.

A line of the header that belongs to no field (rubbish) stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sievemda.mail.compose import encoded_words
from sievemda.mail.message import Message

_FOLD = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t\r\n]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f\u2028\u2029]")
_BLANKS = re.compile(rb"(?:[ \t][^\n]*+\n?+)++")
_LF = 10
_NAME = re.compile(r"[!-9;-~]{1,500}")  # RFC 5322 §3.6.8; so long that the value has room in a line
_WIDTH = 78  # RFC 5322 §2.1.1
_LONGEST = 998


class Span(NamedTuple):
    """One field: where it begins, where the next line does, and its raw value."""

    start: int
    end: int
    raw: bytes


def is_field_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def has_controls(value: str) -> bool:
    """Whether a value holds controls other than tabs and line ends."""
    return _CONTROL.search(value) is not None


def find(message: Message, name: str) -> Sequence[Span]:
    """The fields of that name, in order of appearance."""
    head = message.head
    field = re.compile(
        rb"^%b[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)" % re.escape(name.encode()), re.MULTILINE | re.IGNORECASE
    )
    return [Span(found.start(), min(found.end() + 1, len(head)), found[1]) for found in field.finditer(head)]


def without(message: Message, fields: Sequence[Span]) -> Message:
    """The message without these fields, which are in order of appearance."""
    head, kept, position = message.head, [], 0
    for field in fields:
        kept.append(head[position : field.start])
        position = field.end
    return message.with_head(b"".join([*kept, head[position:]]))


def with_field(message: Message, name: str, value: str, *, last: bool) -> Message:
    """The message with one more field, before all others or behind them."""
    head, field = message.head, text_field(name, value)
    if not last:
        at = _first_line(head)
        return message.with_head(head[:at] + (b"\n" if at and head[at - 1] != _LF else b"") + field + head[at:])
    if head == b"\n" or head.endswith(b"\n\n"):
        return message.with_head(head[:-1] + field + b"\n")
    return message.with_head(head + (b"" if not head or head.endswith(b"\n") else b"\n") + field)


def _first_line(head: bytes) -> int:
    """Where a field can stand before all others: not before lines that would then be the continuation of it."""
    found = _BLANKS.match(head)
    return found.end() if found else 0


def text_field(name: str, value: str) -> bytes:
    """A field as it travels, with LF line ends, that is read as this value again.

    A line end in the value becomes a fold. Lines are folded near 78 columns, at single blanks only, because a reader
    takes every fold for one. What a header cannot hold as it is becomes encoded words (RFC 2047 §5): characters that
    are not ASCII, controls, what would itself be taken for an encoded word, words of absurd length.
    """
    clean = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    text = _FOLD.sub(" ", clean).strip(" \t")
    folded = _folded(name, text.split(" "))
    if not text.isascii() or "=?" in text or has_controls(text) or max(map(len, folded.split("\n"))) > _LONGEST:
        folded = _folded(name, encoded_words(text))
    return folded.encode("ascii") + b"\n"


def _folded(name: str, words: Sequence[str]) -> str:
    """A line is broken only between two words that are not empty: elsewhere more than one blank stands there."""
    lines, line, before = [], f"{name}:", ""
    for word in words:
        if before and word and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = ""
        line += f" {word}"
        before = word
    return "\n".join([*lines, line])
