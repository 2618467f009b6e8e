"""Header values: unfolding, encoded words (RFC 2047), and their way back.

Everything here takes what arrives from strangers: each function is total, runs in linear time, and turns what it
cannot understand into text as it stands. Octets that are not UTF-8 survive as lone surrogates (`surrogateescape`),
so that a value can be turned back into exactly its octets.

Why the line end of a fold and the blanks behind it become one space: RFC 5322 §2.2.3 would keep those blanks, but
senders fold with a tab or eight spaces where they mean one space, and rules are written for what people see. Blanks
before the line end belong to the text.
"""

from __future__ import annotations

import binascii
import codecs
import encodings.aliases
import pkgutil
import re
from functools import lru_cache

_FOLD = re.compile(rb"\n[ \t]++")
_WORD = re.compile(r"=\?([^\s?*]{1,64}+)(?:\*[A-Za-z0-9-]{1,64}+)?\?([BbQq])\?([^\s?]*+)\?=")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")

# What mail calls charsets that Python knows under other names alone.
_ALIASES = {
    "windows-31j": "cp932", "x-sjis": "cp932", "x-euc-jp": "euc_jp", "windows-949": "cp949", "x-gbk": "gbk",
    "windows-874": "cp874", "iso-8859-8-i": "iso8859-8", "iso-8859-8-e": "iso8859-8", "iso-8859-6-i": "iso8859-6",
    "iso-8859-6-e": "iso8859-6", "iso-10646-ucs-2": "utf-16-be", "ucs-2": "utf-16-be", "x-mac-roman": "mac-roman",
    "unicode-1-1-utf-8": "utf-8",
}  # fmt: skip

# Codecs that turn bytes into text but are no charsets of mail (or are slow on purpose-made input).
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


def unfold(raw: bytes) -> str:
    """One line of text: folds are undone, both ends are trimmed, octets that are not UTF-8 are kept."""
    if b"\n" in raw:
        raw = _FOLD.sub(b" ", raw)
    return raw.decode("utf-8", "surrogateescape").strip(" \t\r\n")


def decode(raw: bytes) -> str:
    """The value of an unstructured field as people read it. RFC 5322 §2.2.3, RFC 2047 §6.2."""
    text = unfold(raw)
    return decode_words(text).strip(" \t\r\n") if "=?" in text else text


def decode_words(text: str) -> str:
    """Replace the encoded words of a text; what is not well-formed, or in an unknown charset, stays as it is.

    Blanks between two encoded words are no part of the text (RFC 2047 §6.2). Neighbours in one charset are joined
    before they are converted, because senders cut multi-octet characters in two although RFC 2047 §5 forbids it.
    """
    out: list[str] = []
    pending, codec, position = bytearray(), "", 0

    def flush() -> None:
        if pending:
            out.append(characters(bytes(pending), codec))
            pending.clear()

    for word in _WORD.finditer(text):
        found = charset(word[1])
        octets = _word_octets(word[2], word[3]) if found else None
        if found is None or octets is None:
            continue
        between = text[position : word.start()]
        if not (position and not between.strip(" \t")) or not codec:
            flush()
            out.append(between)
        elif found != codec:
            flush()
        pending += octets
        codec, position = found, word.end()
    flush()
    out.append(text[position:])
    return "".join(out)


def characters(octets: bytes, codec: str) -> str:
    """Octets as the text of a codec of Python, with U+FFFD for what is none.

    A text never holds halves of surrogate pairs, which UTF-7 can name: here they would stand for octets.
    """
    text = octets.decode(codec, "replace")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


@lru_cache(maxsize=256)
def charset(name: str) -> str | None:
    """Python's name of a MIME charset, `None` when it is not known."""
    known = _ALIASES.get(name.lower(), name)
    if not _known_to_python(known):
        return None
    try:
        info = codecs.lookup(known)
    except (LookupError, ValueError):
        return None
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _NOT_CHARSETS else None


def _known_to_python(name: str) -> bool:
    """Whether there is a codec of that name. Why not ask for it: Python looks for a file, and remembers each name."""
    plain = encodings.normalize_encoding(name).lower()
    return plain in _codecs() or plain.replace(".", "_") in _codecs()


@lru_cache(maxsize=1)
def _codecs() -> frozenset[str]:
    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset({*encodings.aliases.aliases, *modules})


def _word_octets(encoding: str, text: str) -> bytes | None:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "Qq":  # RFC 2047 §4.2
        return _QUOTED.sub(lambda pair: bytes([int(pair[1], 16)]), data.replace(b"_", b" "))
    try:  # RFC 2047 §4.1; missing padding is forgiven
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return None
