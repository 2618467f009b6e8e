"""How the values of settings are written in the test language: as in Dovecot.

Every reader raises `ValueError`, which says what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from sievemda.mail.addresslist import sieve_address
from sievemda.sieve.senders import is_source
from sievemda.sieve.verdicts import number as decimal_number
from sievemda.sieve.verdicts import source as status_source

Number = TypeVar("Number", int, float)

UNLIMITED = (1 << 64) - 1

_YES = frozenset({"yes", "y", "true", "on", "1"})
_NO = frozenset({"no", "n", "false", "off", "0", ""})
_SIZE = re.compile(r"([0-9]{1,20})[ \t]*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TIME = re.compile(r"([0-9]{1,18})[ \t]*([a-z]*)", re.IGNORECASE)
_LONGEST = 100 * 366 * 86_400  # seconds: the calendar ends sometime
_UNITS = {
    "millisecond": 0.001, "msec": 0.001, "ms": 0.001,
    "": 1, "second": 1, "sec": 1, "s": 1,
    "minute": 60, "min": 60, "m": 60,
    "hour": 3_600, "h": 3_600,
    "day": 86_400, "d": 86_400,
    "week": 604_800, "w": 604_800,
}  # fmt: skip


def boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise ValueError(f"it is yes or no, not {text!r}")
    return word in _YES


def unsigned(text: str) -> int:
    word = text.strip()
    if word.lower() == "unlimited":
        return UNLIMITED
    if not (word.isascii() and word.isdigit() and len(word) <= 20):
        raise ValueError(f"it is a number, not {text!r}")
    return int(word)


def size(text: str) -> int:
    """Octets."""
    word = text.strip()
    if word.lower() == "unlimited":
        return UNLIMITED
    found = _SIZE.fullmatch(word)
    if found is None:
        raise ValueError(f"it is a size, such as 4096, 4k, 1M or unlimited, not {text!r}")
    return int(found[1]) * int(1024 ** _POWERS[found[2].lower()])


def seconds(text: str) -> float:
    """A number and its unit; without a unit it is seconds."""
    found = _TIME.fullmatch(text.strip())
    unit = found[2].lower() if found else "none"
    factor = _UNITS.get(unit, _UNITS.get(unit.removesuffix("s")) if len(unit) > 2 else None)
    if found is None or factor is None:
        raise ValueError(f"it is a time, such as 30s, 5m, 12h, 7d or 4 weeks, not {text!r}")
    if int(found[1]) * factor > _LONGEST:
        raise ValueError(f"it is a time of not more than a hundred years, not {text!r}")
    return int(found[1]) * factor


def whole_seconds(text: str) -> int:
    return int(seconds(text))


def address_source(text: str) -> str:
    """See `options`; `default` is the empty one."""
    word = text.strip()
    if not is_source(word):
        raise ValueError(
            "it is default, sender, recipient, orig_recipient, user_email, postmaster or an address in angle brackets, "
            f"not {text!r}"
        )
    return "" if word.lower() == "default" else word


def address(text: str) -> str:
    """One address, with or without angle brackets; empty is none."""
    word = text.strip()
    if word in {"", "<>"}:
        return ""
    found = sieve_address(word)
    if found is None or not found.domain:
        raise ValueError(f"it is an address, such as kim@office.example, not {text!r}")
    return str(found)


def words(text: str) -> tuple[str, ...]:
    """Names with spaces between them; commas do too."""
    return tuple(text.replace(",", " ").split())


def plain(text: str) -> str:
    return text


def status(text: str) -> str:
    """`FIELD` or `FIELD:REGEX`; empty is none."""
    if text.strip():
        status_source(text)
    return text


def decimal(text: str) -> str:
    if text.strip() and decimal_number(text) is None:
        raise ValueError(f"it is a number, such as 10 or 7.5, not {text!r}")
    return text.strip()


def one_of(*choices: str) -> Callable[[str], str]:
    """One of these words; with the empty one among them it may be left empty."""

    def read(text: str) -> str:
        word = text.strip().lower()
        if word not in choices:
            raise ValueError(f"it is {' or '.join(choice for choice in choices if choice)}, not {text!r}")
        return word

    return read


def at_least(least: int, read: Callable[[str], Number]) -> Callable[[str], Number]:
    def checked(text: str) -> Number:
        value = read(text)
        if value < least:
            raise ValueError(f"it is at least {least}, not {text!r}")
        return value

    return checked


Reader = Callable[[str], Any]
