"""Transfer encodings and charsets: from the octets of a part to what they mean. RFC 2045 §6, RFC 2046 §4.1.2.

Two ways, for two purposes. To search in mail that others broke, as much as possible is read (`body_octets`, `to_text`).
To take a text out of a message for use elsewhere, a part that is not what it says it is has none (`exact_text`).
"""

from __future__ import annotations

import binascii
import re
import string

from sievemda.mail.header import characters, charset

_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_BASE64 = (string.ascii_letters + string.digits + "+/=").encode()
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\n)")  # RFC 2045 §6.7 (3); from the first blank of a run, or it is slow
_UTF8 = frozenset({"utf-8", "ascii"})  # ASCII with the high bit set is, nowadays, UTF-8


def body_octets(data: bytes, encoding: str) -> bytes | None:
    """Undo a transfer encoding, as far as it goes; `None` when it is none that is known."""
    if encoding in _IDENTITY:
        return data
    if encoding == "base64":
        return _from_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_TRAILING.sub(b"", data))
    return None


def _from_base64(data: bytes) -> bytes:
    """RFC 2045 §6.8: what is not of the alphabet is passed over; missing padding and a lone character are forgiven."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        clean = data.translate(None, _NOT_BASE64).partition(b"=")[0]
        whole = clean[:-1] if len(clean) % 4 == 1 else clean
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def to_text(octets: bytes, named: str | None) -> str:
    """The text in a charset; where it is unknown or the octets are none of it, what there is. Lines end with CRLF."""
    codec = charset(named) if named else "utf-8"
    if codec is None or codec in _UTF8:
        return crlf(octets.decode("utf-8", "surrogateescape"))
    return crlf(characters(octets, codec))


def exact_text(octets: bytes, named: str | None) -> str | None:
    """The text in a charset; `None` when it is unknown or the octets are none of it."""
    codec = charset(named) if named else "utf-8"
    if codec is None:
        return None
    try:
        text = octets.decode("utf-8" if codec in _UTF8 else codec)
        text.encode()  # UTF-7 can name halves of surrogate pairs
    except UnicodeError:
        return None
    return crlf(text)


def crlf(text: str) -> str:
    """Lines as they travel; strings of a script have them so too."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if "\n" in text else text
