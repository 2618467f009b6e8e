"""Compiled regular expressions, remembered: linear in time and bounded in memory whatever a stranger writes.

The engine is RE2. Of all matches it finds the one that begins first, and of these the longest, as POSIX wants it; what
the groups of that match hold is decided from left to right, each as long as it can be.

Why RE2 and not `re`: a pattern such as `(x+x+)+y` takes `re` exponential time. Why the cache is by size: a list of
hundreds of short patterns must stay compiled from one message to the next, while large ones must not fill the memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from sievemda.sieve.ere import Case, Translated, translate

LONGEST = 65_536  # characters of a pattern
_ROOM = 64 << 20  # octets that all remembered patterns may come to use
_LEAST, _EACH, _MOST = 64 << 10, 1 << 10, 2 << 20  # octets one may use: at least, for each character, at most
# What things cost, in looks at a character elsewhere. What is known already is charged again: it may be forgotten.
COMPILING = 8  # to compile one step of a pattern
READING = 30  # to translate one character of it
GETTING = 2_000  # to get any pattern ready
SEARCHING = 70  # to search any value, were it empty
TELLING = 20  # to say what one group holds
_SLOW = 2  # so many instructions that may all be under way cost one look; a literal text of any length is but one
_TOLD_APART = 8  # so many groups that are told apart cost the same again


@dataclass(frozen=True, slots=True)
class Pattern:
    """`weight` is how often a character counts that is matched with it, `each` what a search counts beside that, and
    `cost` what having it counts.
    """

    expression: Any
    weight: int
    each: int
    cost: int

    def search(self, value: bytes) -> tuple[bytes, ...] | None:
        """The match and its groups; a group that had no part in it is empty."""
        found = self.expression.search(value)
        return None if found is None else tuple(part or b"" for part in (found[0], *found.groups()))


_known: OrderedDict[tuple[str, Case], tuple[Pattern, int]] = OrderedDict()
_lock = threading.Lock()
_used = 0


def pattern(source: str, case: Case) -> Pattern:
    """The compiled pattern. Raises `ValueError` that says what is wrong with it."""
    global _used  # noqa: PLW0603 - one cache for all threads of the process
    key = (source, case)
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
            return known[0]
    compiled, size = _compile(source, case)
    with _lock:
        if key not in _known:
            _known[key] = (compiled, size)
            _used += size
        while _used > _ROOM:
            _, (_, gone) = _known.popitem(last=False)
            _used -= gone
    return compiled


def _compile(source: str, case: Case) -> tuple[Pattern, int]:
    translated = check(source, case)
    size = min(_LEAST + _EACH * max(len(source), translated.steps), _MOST)
    try:
        found = _engine(translated.expression, size)
    except ValueError:
        size = _MOST
        found = _engine(translated.expression, size)
    under_way = min(found.programsize, translated.loose) // _SLOW
    weight = 1 + under_way * (_TOLD_APART + found.groups) // _TOLD_APART
    cost = GETTING + READING * len(source) + COMPILING * translated.steps
    return Pattern(found, weight, SEARCHING + TELLING * found.groups, cost), size


def check(source: str, case: Case) -> Translated:
    """Whether it is a pattern, and how large. Much cheaper than compiling it. Raises `ValueError`."""
    if len(source) > LONGEST:
        raise ValueError(f"it is too long: the limit is {LONGEST} characters")
    return translate(source, case)


def _engine(translated: bytes, size: int) -> Any:
    """What RE2 makes of it with that much memory. Raises `ValueError` when that is not enough."""
    import re2  # noqa: PLC0415 - only who uses patterns pays for it

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = options.dot_nl = True
    options.log_errors = False
    options.max_mem = size
    try:
        return re2.compile(translated, options)
    except re2.error as error:
        raise ValueError("it is too large") from error
    finally:
        re2.purge()  # its own cache would hold on to what this one lets go
