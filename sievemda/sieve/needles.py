"""Which of many strings occur in a text, without looking for each of them.

Each string is filed under one run of three characters that it has, the one that the fewest others have. A text is cut
into its runs of three; only strings of which the run is there are looked for. That takes as long as the text and as
what is found, however many strings there are.

Why no automaton (Aho and Corasick): in Python a step of one costs more than a look into a set, and this one is made by
a built-in. Why strings are looked for one by one in a long text: a search runs over it at the speed of memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_RUN = 3
_READ = 64  # characters of a string among which its run is chosen


class Needles:
    """Some strings, each once. Immutable."""

    __slots__ = ("_all", "_filed", "_short")

    def __init__(self, strings: Iterable[str]) -> None:
        self._all = tuple(dict.fromkeys(strings))
        self._short = tuple(string for string in self._all if len(string) < _RUN)
        self._filed: dict[str, list[str]] = {}
        runs = {string: _runs(string[:_READ]) for string in self._all if len(string) >= _RUN}
        popular = Counter(run for each in runs.values() for run in each)
        for string, each in runs.items():
            rarest = min(each, key=lambda run: (popular[run], run))
            self._filed.setdefault(rarest, []).append(string)

    def within(self, text: str) -> list[str]:
        """Those that occur in the text, in no promised order."""
        size = len(text)
        if len(self._all) * (size + 120) <= 230 * size:  # nanoseconds, about, of the one way and of the other
            return [string for string in self._all if string in text]
        found = [string for string in self._short if string in text]
        for run in self._filed.keys() & _runs(text):
            found += [string for string in self._filed[run] if string in text]
        return found


def _runs(text: str) -> set[str]:
    return {text[at : at + _RUN] for at in range(len(text) - _RUN + 1)}
