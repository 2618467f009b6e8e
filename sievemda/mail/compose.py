"""Writing header fields and text bodies of mail of our own. LF line ends, safe against whatever is in a value.

A value can never begin a new field: line ends and other controls in it become blanks before anything else. Text that
is not ASCII becomes encoded words (RFC 2047 §5) of UTF-8; encoded words that are there already are kept.
"""

from __future__ import annotations

import base64
import binascii
import re

from sievemda.mail.address import Address

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029]+")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_CHUNK = 39  # octets of one encoded word: 64 characters, so that the first one stands on the line of `Subject:`
_WIDTH = 78  # RFC 5322 §2.1.1
_LONGEST = 998


def one_line(text: str) -> str:
    """The text with every run of controls turned into one blank, octets that are no UTF-8 replaced."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _CONTROL.sub(" ", clean).strip()


def field(name: str, value: str) -> bytes:
    """One unstructured field, encoded and folded."""
    text = one_line(value)
    words = text.split(" ") if text.isascii() else encoded_words(text)
    return _folded(name, words)


def encoded_words(text: str) -> list[str]:
    """RFC 2047 §2, §5: words of whole characters, none longer than 75."""
    words, chunk = [], b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > _CHUNK:
            words.append(_word(chunk))
            chunk = b""
        chunk += octets
    return [*words, _word(chunk)] if chunk else words


def mailbox(phrase: str, address: Address) -> str:
    """`phrase <address>` or the address alone, for a field of addresses. RFC 5322 §3.4."""
    name = one_line(phrase)
    if not name:
        return str(address)
    if not name.isascii():
        name = " ".join(encoded_words(name))
    elif not _PHRASE.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def structured(name: str, items: list[str], separator: str = "") -> bytes:
    """A field of items that must not be encoded: addresses, message identifiers. One item a line where it is long."""
    last = len(items) - 1
    return _folded(name, [one_line(item) + (separator if at < last else "") for at, item in enumerate(items)])


def text_part(text: str) -> bytes:
    """A text/plain entity, its header and body. RFC 2045 §6: 7bit when it is, else quoted-printable."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    body = clean.encode("utf-8", "surrogateescape").decode("utf-8", "replace").encode()
    body += b"" if body.endswith(b"\n") else b"\n"
    plain = body.isascii() and all(len(line) <= _LONGEST for line in body.split(b"\n"))
    kind, encoding = ("us-ascii", "7bit") if plain else ("utf-8", "quoted-printable")
    head = f"Content-Type: text/plain; charset={kind}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + (body if plain else binascii.b2a_qp(body, istext=True))


def _word(octets: bytes) -> str:
    return f"=?utf-8?B?{base64.b64encode(octets).decode()}?="


def _folded(name: str, words: list[str]) -> bytes:
    """Lines of at most 78 characters, folded between words; a word of absurd length is cut rather than sent."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += " " + (word if len(word) <= _WIDTH else _cut(word, _LONGEST - 1 - len(line.encode("utf-8", "replace"))))
    return ("\n".join([*lines, line]) + "\n").encode("utf-8", "replace")


def _cut(word: str, octets: int) -> str:
    """As much of a word as goes into a line of which that is left."""
    return word.encode("utf-8", "replace")[:octets].decode("utf-8", "ignore")
