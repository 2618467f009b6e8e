r"""How a folder name is spelled on disk: modified UTF-7 (RFC 3501 §5.1.3) over Dovecot's listescape.

`to_disk(("Lists", "a.b"))` is `.Lists.a\2eb`. The order is Dovecot's (checked with 2.3.19): first the characters that
mean something to the file system or to Maildir++ become a backslash and two lower-case hex digits, then the rest is
encoded. What is escaped: dot, slash and backslash anywhere, a tilde at the start of a component.

Why a name must survive the round trip: two spellings on disk for one name would make a folder that can be listed and
not found. `from_disk` therefore returns None for a spelling that `to_disk` would not write, but for one: Courier has
names in UTF-8 as they are since its version 5. Such folders are taken as they come (`in_utf8`); none is made.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

_ESCAPED = re.compile(r"^~|[./\\]")
_UNESCAPE = re.compile(r"\\([0-9a-f]{2})")
_PLAIN = re.compile(r"[A-Za-z0-9 _.+-]*")  # most names: nothing to be spelled differently
_PLAIN_NAME = re.compile(r"(?:\.[A-Za-z0-9 _+-]+)+")
_DIRECT = re.compile(r"[\x20-\x7e]*")
_OTHERS = re.compile(r"&|[^\x20-\x7e]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SHIFT = re.compile(r"&([^-]*)-|&")
_NO_UTF7 = re.compile(r"[^\x00-\x7f]|&(?![A-Za-z0-9+,]*-)")  # no shift begins with this ampersand
_NO_UTF8 = re.compile(r"^~|[\\/.\x00-\x1f\x7f\ud800-\udfff]")


def encode_utf7(text: str) -> str:
    """`Entwürfe & more` as `Entw&APw-rfe &- more`."""
    if text.isascii() and "&" not in text and text.isprintable():
        return text
    return _OTHERS.sub(lambda match: _shift(match[0]), text)


def _shift(text: str) -> str:
    if text == "&":
        return "&-"
    octets = binascii.b2a_base64(text.encode("utf-16-be"), newline=False)
    return "&" + octets.rstrip(b"=").replace(b"/", b",").decode() + "-"


def decode_utf7(text: str) -> str | None:
    """The inverse; None for what `encode_utf7` would not write: a name has one encoding only (RFC 3501 §5.1.3)."""
    if "&" not in text:
        return text if _DIRECT.fullmatch(text) else None
    try:
        decoded = _SHIFT.sub(_unshift, text)
        return decoded if encode_utf7(decoded) == text else None
    except ValueError:  # bad base64, half a surrogate pair
        return None


def _unshift(match: re.Match[str]) -> str:
    octets = match[1]
    if octets is None:
        raise ValueError("a shift without an end")
    if not octets:
        return "&"
    padded = octets.replace(",", "/") + "=" * (-len(octets) % 4)
    return binascii.a2b_base64(padded.encode("ascii"), strict_mode=True).decode("utf-16-be")


def escape(component: str) -> str:
    """One component as Dovecot's listescape writes it."""
    return _ESCAPED.sub(lambda match: f"\\{ord(match[0]):02x}", component)


def to_disk(path: Sequence[str]) -> str:
    """The directory of a folder below the root of its Maildir++ tree; `path` has one component at least."""
    plain = ".".join(path)
    if plain.count(".") == len(path) - 1 and _PLAIN.fullmatch(plain):
        return f".{plain}"
    return "." + encode_utf7(".".join(map(escape, path)))


def is_plain(name: str) -> bool:
    """Whether a directory name can stand for one folder only, and no other name for that."""
    return _PLAIN_NAME.fullmatch(name) is not None


def in_utf8(path: Sequence[str]) -> str:
    """The directory as Courier would call it; nothing when a component cannot be written without an escape."""
    return "" if any(map(_NO_UTF8.search, path)) else "." + ".".join(path)


def from_disk(name: str) -> tuple[str, ...] | None:
    """The components that a directory name stands for; None when it cannot be the name of a folder."""
    if _PLAIN_NAME.fullmatch(name):
        return tuple(name[1:].split("."))
    if len(name) < 2 or name[0] != "." or "" in (spelled := name[1:].split(".")):
        return None
    decoded = [decode_utf7(part) for part in spelled]
    if None in decoded:
        return tuple(spelled) if _NO_UTF7.search(name) and in_utf8(spelled) == name else None
    path = tuple(_UNESCAPE.sub(lambda match: chr(int(match[1], 16)), part or "") for part in decoded)
    return path if to_disk(path) == name and not any(_CONTROLS.search(part) for part in path) else None
