"""Names of folders as names of files, and back.

What a file cannot be called, and what has a meaning in such names, is written as `%` and two hexadecimal digits. A name
that only looks like that was not written by us and is taken as it stands.
"""

from __future__ import annotations

import hashlib
import os
import re

_MARKED = re.compile(r"[\x00-\x1f\x7f/%]|^\.|\.(?=(?:sbd|mbox|mbx|gz|bz2|xz|eml|msf)$)", re.IGNORECASE)
_MARK = re.compile(r"%([0-9A-F]{2})")
_LONGEST = 240  # octets, with room for an ending


def encoded(component: str) -> str:
    name = _MARKED.sub(lambda match: f"%{ord(match[0]):02X}", component)
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    digest = hashlib.sha256(component.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return os.fsencode(name)[: _LONGEST - 9].decode("utf-8", "ignore") + f"_{digest}"


def decoded(name: str) -> str:
    component = _MARK.sub(lambda match: chr(int(match[1], 16)), name)
    return component if encoded(component) == name else name
