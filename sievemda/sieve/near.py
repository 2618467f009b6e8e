"""What a user may have meant by a test that did not match: the mistakes that are made most often with Sieve.

Each is tried only on a few short values and keys, and says what would have matched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from sievemda.sieve.glob import glob

if TYPE_CHECKING:
    from sievemda.sieve.matching import Matching
    from sievemda.sieve.run import Compared

_FEW = 30  # values, and keys, that are gone through
_SHORT = 500  # characters of one
_TELLING = 3  # characters of a key; shorter ones are in everything
_BLANKS = re.compile(r"\s+")

Guess = Callable[[str, str, "Matching", str], str]  # test, how, value, key: the hint, or nothing


def near_miss(test: str, how: Matching, compared: Compared) -> str:
    """A hint for a test that is false; empty when nothing suggests itself."""
    for value, key in _pairs(compared):
        for guess in _GUESSES:
            if key and (hint := guess(test, value, how, key)):
                return hint
    return ""


def _pairs(compared: Compared) -> Iterator[tuple[str, str]]:
    for value in islice(compared.values, _FEW):
        for key in islice(compared.keys, _FEW):
            if len(value) <= _SHORT and len(key) <= _SHORT:
                yield value, key


def _wildcards(_test: str, value: str, how: Matching, key: str) -> str:
    if how.type.name not in {"is", "contains"} or not set(key) & {"*", "?"}:
        return ""
    meant = key if how.type.name == "is" else f"*{key}*"
    return "* and ? are wildcards only with :matches" if glob(meant.casefold()).match(value.casefold()) else ""


def _whole_pattern(_test: str, value: str, how: Matching, key: str) -> str:
    if how.type.name != "matches" or glob(f"*{key}*".casefold()).match(value.casefold()) is None:
        return ""
    if _octets_differ(value, how, key):
        return ""
    return f"a pattern of :matches is for the whole value: {_quoted('*' + key.strip('*') + '*')} would match"


def _octets_differ(value: str, how: Matching, key: str) -> bool:
    return how.comparator.name == "i;octet" and glob(f"*{key}*").match(value) is None


def _case(_test: str, value: str, how: Matching, key: str) -> str:
    if how.comparator.name != "i;octet":
        return ""
    low, looked = value.casefold(), key.casefold()
    meant = {"is": low == looked, "contains": looked in low, "matches": glob(looked).match(low) is not None}
    return "only the case of letters differs, and i;octet minds it" if meant.get(how.type.name) else ""


def _address(test: str, value: str, how: Matching, key: str) -> str:
    if how.type.name != "is":
        return ""
    low, looked = value.casefold(), key.casefold()
    if test == "header" and "@" in key and low.endswith(f"<{looked}>"):
        return "an address test compares the address without the name"
    local, at, domain = low.rpartition("@")
    if test in {"address", "envelope"} and at and looked in {domain, local, f"@{domain}"}:
        return f":{'localpart' if looked == local else 'domain'} compares that part of the address alone"
    return ""


def _part(_test: str, value: str, how: Matching, key: str) -> str:
    part, whole = key.casefold(), value.casefold()
    if how.type.name == "is" and len(key) >= _TELLING and part in whole and part != whole:
        return f":is wants the whole value: {_quoted(key)} is a part of it, which :contains looks for"
    return ""


def _look_alike(_test: str, value: str, how: Matching, key: str) -> str:
    if how.type.name not in {"is", "contains"}:
        return ""
    same = {"is": _plain(value) == _plain(key), "contains": _plain(key) in _plain(value)}
    if not _plain(key) or not same[how.type.name] or value.casefold() == key.casefold():
        return ""
    return "they look alike and differ in blanks or in how characters are written"


def _plain(text: str) -> str:
    """What a reader takes it for: without blanks at the ends, forms of characters, and what cannot be seen."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return _BLANKS.sub(" ", "".join(c for c in text if unicodedata.category(c) != "Cf")).strip()


def _quoted(text: str) -> str:
    return f'"{text[:60]}"'


_GUESSES: tuple[Guess, ...] = (_case, _wildcards, _address, _whole_pattern, _part, _look_alike)
