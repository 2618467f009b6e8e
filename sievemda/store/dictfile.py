"""The file of a `dict` of Dovecot (`file:PATH`): lines in pairs, key and value.

In a value the octet 1 escapes the letter behind it: `n` is a line feed, `r` a carriage return, `t` a tab, `0` a NUL,
`1` the octet itself. Octets that are not UTF-8 are held as lone surrogates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_UNESCAPE = {"0": "\0", "1": "\1", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = re.compile("\1(.)", re.DOTALL)
_TO_ESCAPE = str.maketrans({character: f"\1{letter}" for letter, character in _UNESCAPE.items()})


def decode(content: bytes | None) -> dict[str, str]:
    """The entries of a file, none when there is no file."""
    lines = (content or b"").decode("utf-8", "surrogateescape").split("\n")
    return dict(zip(lines[::2], map(_unescaped, lines[1::2]), strict=False))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPE.get(found[1], found[1]), text) if "\1" in text else text


def encode(entries: Mapping[str, str]) -> bytes:
    lines = "".join(f"{key}\n{value.translate(_TO_ESCAPE)}\n" for key, value in entries.items() if key)
    return lines.encode("utf-8", "surrogateescape")
