"""Any text as a pattern, with what stands behind its first line to match: regexes, and the wildcards of `:matches`."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.ere import Case
from sievemda.sieve.glob import glob
from sievemda.sieve.patterns import check as check_pattern
from sievemda.sieve.patterns import pattern
from sievemda.sieve.text import octets
from tests.fuzz.oracles import explained
from tests.fuzz.targets import Target

_SHORT = 40  # characters of a pattern and a value that the slow way may be tried with
_WORDS = (
    "[[:alpha:]]", "[^[:digit:]]", "[a-z]", "[]a]", "[^]-]", "[[.a.]]", "[[=a=]]", "{1,3}", "{,3}", "{2}", "{1000}", "*",
    "+", "?", "|", "(", ")", "(?:", "(?i)", "^", "$", ".", "\\.", "\\w", "\\b", "\\<", "\\1", "\\\\", "ä", "ß", "[à-ÿ]",
    "\U0001f600", "(a|b)*", "((x+)+)+y", "\n", "\\`", "\\'", "\\n",
)  # fmt: skip


def check(data: bytes) -> None:
    source, _, value = data.decode("utf-8", "surrogateescape").partition("\n")
    for case in Case:
        _regex(source, octets(value), case)
    _wildcards(source, value)


def _regex(source: str, value: bytes, case: Case) -> None:
    try:
        translated = check_pattern(source, case)
    except ValueError as e:
        explained(e)
        return
    assert translated.steps >= 0
    assert translated.loose >= 0
    try:
        found = pattern(source, case)
    except ValueError as e:
        if str(e) != "it is too large":
            raise AssertionError(f"what was translated is not understood: {translated.expression!r}") from e
        return
    matched = found.search(value)
    assert matched == found.search(value), "one search comes to two results"
    if matched is not None:
        assert matched[0] in value, "the match is no part of the text"
        assert all(group in matched[0] for group in matched), "a group is no part of the match"


def _wildcards(source: str, value: str) -> None:
    spans = glob(source).match(value)
    if len(source) <= _SHORT and len(value) <= _SHORT:
        assert (spans is not None) == _slowly(source, value), f"{source!r} and {value!r}"
    position = 0
    for start, end in spans or ():
        assert position <= start <= end <= len(value), "what a wildcard took has no place"
        position = end


def _slowly(source: str, value: str) -> bool:
    """Whether `:matches` holds, by the places in the value that each piece of the pattern can lead to."""
    places, at = {0}, 0
    while at < len(source):
        character = source[at]
        if character == "\\" and at + 1 < len(source):
            at += 1
            places = {place + 1 for place in places if value[place : place + 1] == source[at]}
        elif character == "*":
            places = set(range(min(places), len(value) + 1)) if places else places
        else:
            places = {place + 1 for place in places if place < len(value) and character in {"?", value[place]}}
        at += 1
    return len(value) in places


def _words() -> Iterator[bytes]:
    yield from (word.encode() for word in _WORDS)


TARGET = Target(check, _words, longest=512)
