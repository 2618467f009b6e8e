"""The header of a message as it arrives: what is refused, what is changed, what is read from it.

Refused (for every recipient, cyrus-style): a line that is neither a field nor the continuation of one, an empty
Message-ID, and 8-bit octets when the site says so. Changed: mbox's `From ` line at the very top and every incoming
Return-Path go (RFC 5321 §4.4: final delivery writes its own), 8-bit octets may become `X`.

Why regular expressions and not a line loop: one possessive pattern checks a header of a mebibyte in milliseconds
and an ordinary one in microseconds, in linear time whatever is in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEADER = 1 << 20  # octets

# RFC 5322 §2.2 field names; blanks before the colon are §4.5. The groups are not possessive: Python before 3.11.5 goes
# wrong where such a group fails half-way, behind a repetition in it.
_FIELDS = re.compile(rb"(?:[!-9;-~]++[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*)*")
_MBOX_LINE = re.compile(rb"From (?![ \t]*:)[^\n]*\n")
_RETURN_PATH = re.compile(rb"^return-path[ \t]*+:[^\n]*+\n(?:[ \t][^\n]*+\n)*", re.IGNORECASE | re.MULTILINE)
_RECEIVED = re.compile(rb"^received[ \t]*+:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE | re.MULTILINE)
_DATE = re.compile(rb"^date[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.IGNORECASE | re.MULTILINE)
_EIGHT_BIT = re.compile(rb"[\x80-\xff]")


class Refused(Exception):
    """The message cannot be taken, for any recipient; the text may be shown to the peer."""


@dataclass(frozen=True, slots=True)
class Header:
    """An accepted header: its fields, each ending with LF, without the empty line."""

    text: bytes
    message_id: str | None  # unfolded and trimmed; None when there is no such field
    date: str | None
    hops: int  # Received fields


def accept(raw: bytes, *, munge8bit: bool, reject8bit: bool, utf8: bool) -> Header:
    """Check and clean a header; raises Refused. `utf8`: the transaction is SMTPUTF8, so UTF-8 may stand (RFC 6532)."""
    if raw and not raw.endswith(b"\n"):
        raw += b"\n"
    if mbox := _MBOX_LINE.match(raw):
        raw = raw[mbox.end() :]
    if not raw.isascii():  # first, so that an 8-bit octet in the name of a field is munged, too
        raw = _eight_bit(raw, munge8bit, reject8bit, utf8)
    if not _FIELDS.fullmatch(raw):
        raise Refused("a header line is malformed")
    raw = without_return_path(raw)
    message_id = _value(_MESSAGE_ID, raw)
    if message_id == "":
        raise Refused("the Message-ID is empty")
    return Header(raw, message_id, _value(_DATE, raw), sum(1 for _ in _RECEIVED.finditer(raw)))


def named(raw: bytes) -> str:
    """The Message-ID of a header that is refused, as far as it came: `why` must find that message too."""
    return _value(_MESSAGE_ID, raw[:MAX_HEADER].partition(b"\n\n")[0]) or ""


def without_return_path(header: bytes) -> bytes:
    """A header without any Return-Path: it belongs to final delivery alone. RFC 5321 §4.4."""
    return _RETURN_PATH.sub(b"", header)


def _eight_bit(raw: bytes, munge: bool, reject: bool, utf8: bool) -> bytes:
    """Line by line, so that one bad line under SMTPUTF8 does not spoil the others."""
    lines = []
    for line in raw.split(b"\n"):
        if line.isascii() or (utf8 and _is_utf8(line)):
            lines.append(line)
        elif reject:
            raise Refused("the header contains 8-bit characters")
        else:
            lines.append(_EIGHT_BIT.sub(b"X", line) if munge else line)
    return b"\n".join(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _value(field: re.Pattern[bytes], header: bytes) -> str | None:
    """The text of the first such field, unfolded and trimmed."""
    found = field.search(header)
    if found is None:
        return None
    return found[1].replace(b"\n", b"").strip(b" \t\v\f").decode("utf-8", "backslashreplace")
