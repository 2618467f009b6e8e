"""Everything that is wrong with a script that does not compile."""

from __future__ import annotations

from contextlib import suppress

from sievemda.sieve.bind import TooMany
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem
from sievemda.sieve.survey.binder import Surveyor
from sievemda.sieve.survey.lexicon import lexicon
from sievemda.sieve.survey.reader import Reader


def survey(text: str, limits: Limits, allowed: frozenset[str], library: Library | None = None) -> tuple[Problem, ...]:
    """Every mistake once, with a hint; what follows from a mistake that was told is not told.

    Total: the text may be anything that the limits let through.
    """
    words = lexicon()
    reader = Reader(text, limits, words)
    calls = reader.read()
    surveyor = Surveyor(limits, allowed, library, words, reader.unsure)
    with suppress(TooMany):
        surveyor.script(calls)
    return (*reader.problems, *surveyor.problems)
