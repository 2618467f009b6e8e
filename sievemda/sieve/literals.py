"""What the literals of a script stand for. RFC 5228 §2.4."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\([\s\S])")
_STUFFED = re.compile(r"^\.\.", re.MULTILINE)
_LINE_END = re.compile(r"\r?\n")
_SCALE = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def string_value(token: str) -> str:
    """What a quoted or multi-line string stands for. RFC 5228 §2.4.2, §8.1."""
    if token[0] == '"':
        value = token[1:-1]
        if "\\" in value:
            value = _ESCAPE.sub(r"\1", value)
    else:
        value = token[token.index("\n") + 1 : token.rindex(".")]
        value = _STUFFED.sub(".", value)
    return _LINE_END.sub("\r\n", value) if "\n" in value else value


def number_value(token: str) -> int:
    """RFC 5228 §2.4.1. A number of absurd length is only bounded from below: it is refused by any limit."""
    scale = _SCALE.get(token[-1].lower(), 1)
    digits = (token[:-1] if scale > 1 else token).lstrip("0")[:30]
    return int(digits or "0") * scale


def number_text(value: int) -> str:
    """A number as people write it in a script: a round one with its unit, 100K and not 102400."""
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if value and value % factor == 0:
            return f"{value // factor}{unit}"
    return str(value)
