"""IMAP flags and keywords as words: what is a flag, what may be set, and sets of them in order. RFC 9051 §2.3.2.

Flags compare without case. System flags are spelled as RFC 9051 does; keywords as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SYSTEM = {flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}

# An atom of RFC 9051 §9: no blanks, controls, 8-bit, or any of ( ) { % * " \ ]
_KEYWORD = re.compile(r"[!#$&'+-\[^-z|}~]+")


def words(lists: Iterable[str]) -> list[str]:
    """The words of lists that are separated by blanks. RFC 5232 §2."""
    return [word for text in lists for word in text.split(" ") if word]


def is_settable(flag: str) -> bool:
    """Whether a message can be given this flag: no system flag that nobody knows or may set, no rubbish."""
    return flag.lower() in SYSTEM or _KEYWORD.fullmatch(flag) is not None


def distinct(flags: Iterable[str]) -> tuple[str, ...]:
    """Each flag once, where and as it came first."""
    seen: dict[str, str] = {}
    for flag in flags:
        seen.setdefault(flag.lower(), flag)
    return tuple(seen.values())


def canonical(flags: Iterable[str]) -> tuple[str, ...]:
    """The settable ones of these flags, each once, system flags in their proper spelling."""
    return tuple(SYSTEM.get(flag.lower(), flag) for flag in distinct(filter(is_settable, flags)))
