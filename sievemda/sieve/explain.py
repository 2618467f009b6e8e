"""Why a test came out as it did, in words that a user of mail understands.

A test that compares says with `Test.about` what its values are called and how it is said that there are none; what the
match types mean is worded here. Any other test words its own reason.

Why words and not codes: what helps is the sentence `Subject is "Re: lunch"; "invoice" is not contained in it`, and each
of its parts is in the JSON form too (`compared`, `matched`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sievemda.sieve.glob import glob
from sievemda.sieve.near import near_miss
from sievemda.sieve.wording import SHOWN, listed, quoted

if TYPE_CHECKING:
    from sievemda.sieve.matching import Matching
    from sievemda.sieve.node import About, Test
    from sievemda.sieve.run import Compared, Run

_ORDER = frozenset({"gt", "ge", "lt", "le"})
_ASCII_NUMERIC = "i;ascii-numeric"
_PAIRS = 4_000  # values and keys that are gone through to find the two that match


class _Words(NamedTuple):
    """How it is said that a key matches; that one value, or none of several, matches one key, or none of several."""

    yes: str
    one: str
    none: str
    several_one: str
    several_none: str


_WORDS = {
    "is": _Words(
        "that is {}", "that is not {}", "that is none of {}", "none of them is {}", "none of them is one of {}"
    ),
    "contains": _Words(
        "{} is contained in it",
        "{} is not contained in it",
        "none of {} is contained in it",
        "{} is contained in none of them",
        "none of {} is contained in any of them",
    ),
    "matches": _Words(
        "the pattern {} matches it",
        "the pattern {} does not match it",
        "none of the patterns {} matches it",
        "the pattern {} matches none of them",
        "none of the patterns {} matches any of them",
    ),
    "regex": _Words(
        "the regular expression {} matches it",
        "the regular expression {} does not match it",
        "none of the regular expressions {} matches it",
        "the regular expression {} matches none of them",
        "none of the regular expressions {} matches any of them",
    ),
    "list": _Words(
        "it is in the list {}",
        "it is not in the list {}",
        "it is in none of the lists {}",
        "none of them is in the list {}",
        "none of them is in one of the lists {}",
    ),
}
_OTHER = _Words("{} matches", "{} does not match", "none of {} matches", "{} does not match", "none of {} matches")
_RELATIONS = {
    "gt": "greater than",
    "ge": "greater than or equal to",
    "lt": "less than",
    "le": "less than or equal to",
    "eq": "equal to",
    "ne": "different from",
}
_USUAL = "i;ascii-casemap"


class Seen(NamedTuple):
    """What is known of a test that was tried: what it compared, how the tests inside it came out, what it counted."""

    result: bool
    compared: Sequence[Compared]
    inner: Sequence[tuple[bool | None, str]] = ()
    counted: int | None = None


def reason(test: Test, run: Run, seen: Seen, pair: tuple[str, str] | None) -> str:
    """Why it is true or false; `pair` is what `matched` has found. Empty for a test that has nothing to say."""
    own = test.reason(run, seen.result, seen.compared)
    if own:
        return own
    if seen.inner:
        return _combined(seen)
    how: Matching | None = getattr(test, "matching", None)
    if how is None or not seen.compared:
        return test.about(run).none if how else "" if test.settled() is None else "it is so for every message"
    return _comparison(test.about(run), how, seen, pair, near_miss(test.keyword, how, seen.compared[-1]))


def matched(test: Test, run: Run, seen: Seen) -> tuple[str, str] | None:
    """The value and the key that made it true: found by asking its match type again, for one after the other."""
    how: Matching | None = getattr(test, "matching", None)
    if how is None or not seen.result or not seen.compared or seen.counted is not None:
        return None
    values, keys = seen.compared[-1]
    if len(values) + len(keys) > _PAIRS:
        return None
    value = next((value for value in values if how.type.any(run, how, (value,), keys, 1)), None)
    if value is None:
        return None
    key = next((key for key in keys if how.type.any(run, how, (value,), (key,), 1)), None)
    return None if key is None else (value, key)


def _combined(seen: Seen) -> str:
    """Of a test with others in it: the last of them has decided, or all came out alike."""
    results = [result for result, _ in seen.inner]
    last, why = seen.inner[-1]
    word = "true" if last else "false"
    if len(results) == 1:
        return why or f"the test in it is {word}"
    if all(result is last for result in results):
        return f"all {len(results)} tests in it are {word}"
    return f"test {len(results)} in it is {word}{': ' if why else ''}{why}"


def _comparison(about: About, how: Matching, seen: Seen, pair: tuple[str, str] | None, hint: str) -> str:
    values, keys = seen.compared[-1]
    by = _compared_by(how, values if seen.counted is None else (str(seen.counted),), keys)
    if seen.counted is not None:
        return f"there are {seen.counted} values of {about.values}; {_said(how, False, seen.result, keys)}{by}"
    if not values:
        return about.none or f"there is no {about.values}"
    if pair is not None:
        value, key = pair
        one_of = f" (one of {len(values)})" if len(values) > 1 else ""
        said = _equality(how, value, key) if how.type.name == "is" else _said(how, False, True, (key,))
        return f"{about.values} is {_around(how, value, key)}{one_of}{'; ' if said else ''}{said}{by}"
    if seen.result:
        return f"{about.values} is {listed(values)}; it matches{by}"
    said = _said(how, len(values) > 1, False, keys)
    is_what = f": {listed(values)}" if len(values) > 1 else f" is {quoted(values[0]) if values[0] else 'empty'}"
    return f"{about.values}{is_what}; {said}{by}{'; ' if hint else ''}{hint}"


def _compared_by(how: Matching, values: Sequence[str], keys: Sequence[str]) -> str:
    name = how.comparator.name
    if how.operand in _ORDER and name != _ASCII_NUMERIC and _uneven(values, keys):
        return f' (compared as text; :comparator "{_ASCII_NUMERIC}" compares numbers)'
    if name == _ASCII_NUMERIC and how.operand and any(not text[:1].isdigit() for text in values):
        return f" (compared by {name}, for which what begins with no digit is more than every number)"
    return "" if name == _USUAL else f" (compared by {name})"


def _uneven(values: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether numbers of several lengths are compared, so that their order as texts is another one than is meant."""
    found = {len(text) for text in values if text[:1].isdigit()}
    wanted = {len(text) for text in keys if text.isdigit()}
    return bool(found and wanted and found != wanted)


def _equality(how: Matching, value: str, key: str) -> str:
    return "" if value == key else f"by {how.comparator.name} that is the same as {quoted(key)}"


def _said(how: Matching, several: bool, result: bool, keys: Sequence[str]) -> str:
    """What the match type says of the values, after they were named."""
    if not keys:
        return "there is nothing to compare it with"
    if how.operand in _RELATIONS:
        relation = _RELATIONS[how.operand]
        subject = "none of them is" if several else "that is" if result else "that is not"
        return f"{subject} {relation} {'any of ' if len(keys) > 1 else ''}{listed(keys)}"
    words = _WORDS.get(how.type.name, _OTHER)
    if result:
        return words.yes.format(listed(keys))
    if several:
        return (words.several_one if len(keys) == 1 else words.several_none).format(listed(keys))
    return (words.one if len(keys) == 1 else words.none).format(listed(keys))


def _around(how: Matching, value: str, key: str) -> str:
    """The value; of a long one what is around the place where the key is."""
    if len(value) <= SHOWN or how.type.name not in {"contains", "matches"}:
        return quoted(value)
    at = _place(how, value, key)
    if at + len(key) < SHOWN:
        return quoted(value)
    start = max(0, at - (SHOWN - min(len(key), SHOWN)) // 2)
    return quoted("…" + value[start : start + SHOWN - 2] + "…", SHOWN + 2)


def _place(how: Matching, value: str, key: str) -> int:
    """Where the key, or the longest part of it without wildcards, is in the value; 0 when that cannot be said."""
    part = key if how.type.name == "contains" else glob(key).needle
    folded = how.comparator.fold(value)
    return max(folded.find(how.comparator.fold(part)), 0) if len(folded) == len(value) else 0
