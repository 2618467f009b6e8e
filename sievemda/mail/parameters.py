"""Structured fields of MIME: a value and parameters, as in Content-Type and Content-Disposition. RFC 2045 §5.1.

Fields come from strangers: reading one takes time linear in its length, of which no more than `_LONGEST` octets count,
and of all its parameters no more than `_MOST`. What follows neither RFC is read as it was meant: values with blanks or
special characters that should be in quotes, encoded words (RFC 2047 §5 forbids them here), quotes never closed.

Parameters in pieces and in charsets (RFC 2231) come as one value under their plain name. Where a field has both forms,
the plain one is for old readers and comes last. Why it is not left out: readers differ in which of the two they take,
and a rule against `*.exe` is to see what any of them would.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from sievemda.mail.header import characters, charset, decode_words, unfold

_LONGEST = 65_536  # octets of a field that are looked at
_MOST = 250  # parameters, pieces included, of one field

_CHARACTER = r"[^\x00-\x20\x7f()<>@,;:\\\"/\[\]?=]"
_TYPE = re.compile(rf"({_CHARACTER}++)[ \t]*+/[ \t]*+({_CHARACTER}++)")
_WORD = re.compile(rf"{_CHARACTER}++")
_COMMENT = re.compile(r"[()]|\\.", re.DOTALL)
_GAP = re.compile(r"[\s;]*+")
_NAME = re.compile(r"([^\x00-\x20\x7f;=\"]++)[ \t]*+=[ \t]*+")
# A quoted string that is never closed takes the rest, so that it is looked at once.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?\Z)', re.DOTALL)
_STRETCH = re.compile(rf'{_QUOTED.pattern}|[^"]++', re.DOTALL)
_PAIR = re.compile(r"\\(.)", re.DOTALL)
_PIECE = re.compile(r"([^*]++)\*(?:(0|[1-9][0-9]{0,3})(\*?))?")  # RFC 2231 §7: name*, name*1, name*1*


class Structured(NamedTuple):
    """The text before the first semicolon, without comments, and the parameters in order, their names in lower case."""

    value: str
    parameters: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first parameter of that name, which is in lower case."""
        return next((value for known, value in self.parameters if known == name), None)


class ContentType(NamedTuple):
    """RFC 2045 §5.1; both names are in lower case."""

    type: str
    subtype: str
    field: Structured

    @property
    def name(self) -> str:
        return f"{self.type}/{self.subtype}"


NO_FIELD = Structured("", ())
TEXT_PLAIN = ContentType("text", "plain", NO_FIELD)
MESSAGE_PART = ContentType("message", "rfc822", NO_FIELD)


def content_type(raw: bytes) -> ContentType | None:
    """The media type of a Content-Type field; `None` when it has none that can be read."""
    field = structured(raw)
    found = _TYPE.fullmatch(field.value)
    return ContentType(found[1].lower(), found[2].lower(), field) if found else None


def media_type(raw: bytes) -> tuple[str, str] | None:
    """Type and subtype of a Content-Type field as they are written there; `None` when they cannot be read."""
    found = _TYPE.fullmatch(structured(raw).value)
    return (found[1], found[2]) if found else None


def disposition(raw: bytes) -> str | None:
    """The type of a Content-Disposition field as it is written there, RFC 2183 §2; `None` when it cannot be read."""
    value = structured(raw).value
    return value if _WORD.fullmatch(value) else None


def structured(raw: bytes) -> Structured:
    """Any field of that form."""
    text = _without_comments(unfold(raw[:_LONGEST]))
    value, _, rest = text.partition(";")
    return Structured(value.strip(), _joined(_parameters(rest)))


def _without_comments(text: str) -> str:
    """RFC 822 comments become a blank; an opening bracket inside quotes is none, and one never closed is text."""
    if "(" not in text:
        return text
    return "".join(
        found[0] if found[0][0] == '"' or "(" not in found[0] else _uncommented(found[0])
        for found in _STRETCH.finditer(text)
    )


def _uncommented(text: str) -> str:
    kept: list[str] = []
    depth, position = 0, 0
    for mark in _COMMENT.finditer(text):
        if mark[0] == "(":
            if not depth:
                kept.append(text[position : mark.start()])
                position = mark.start()
            depth += 1
        elif mark[0] == ")" and depth:
            depth -= 1
            if not depth:
                kept.append(" ")
                position = mark.end()
    return "".join([*kept, text[position:]])


def _parameters(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text) and len(found) < _MOST:
        gap = _GAP.match(text, position)
        position = gap.end() if gap else position
        name = _NAME.match(text, position)
        if name is None:
            position = text.find(";", position) + 1 or len(text)
            continue
        quoted = _QUOTED.match(text, name.end())
        end = text.find(";", quoted.end() if quoted else name.end())
        end = len(text) if end < 0 else end
        value = _PAIR.sub(r"\1", quoted[1]) if quoted else text[name.end() : end].strip()
        found.append((name[1].lower(), value))
        position = end
    return found


def _joined(found: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Pieces put together and decoded, at the place of the first one. RFC 2231 §3, §4."""
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    order: list[tuple[str, str | None]] = []
    for name, value in found:
        piece = _PIECE.fullmatch(name)
        if piece is None:
            order.append((name, value))
            continue
        plain, number, star = piece.groups()
        if plain not in pieces:
            order.append((plain, None))
        pieces.setdefault(plain, {}).setdefault(int(number or 0), (value, bool(star) or number is None))
    doubled = [(name, _words(value)) for name, value in order if value is not None and name in pieces]
    return (
        *(
            (name, _assembled(pieces[name]) if value is None else _words(value))
            for name, value in order
            if value is None or name not in pieces
        ),
        *doubled,
    )


def _assembled(pieces: dict[int, tuple[str, bool]]) -> str:
    """The pieces from 0 on up to the first that is missing; the first one says what charset the encoded ones are in."""
    octets, codec = bytearray(), "utf-8"
    first, encoded = pieces.get(0, ("", False))
    if encoded:
        named, mark, rest = first.partition("'")
        _language, second, text = rest.partition("'")
        if mark and second:
            codec = charset(named) or "utf-8"
            pieces = {**pieces, 0: (text, True)}
    number = 0
    while number in pieces:
        value, encoded = pieces[number]
        data = value.encode("utf-8", "surrogateescape")
        octets += unquote_to_bytes(data) if encoded else data
        number += 1
    return octets.decode(codec, "surrogateescape") if codec == "utf-8" else characters(bytes(octets), codec)


def _words(value: str) -> str:
    return decode_words(value) if "=?" in value else value
