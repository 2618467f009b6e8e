"""Tests of one entry of a list that the bench keeps, or of any of them."""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.sieve.matching import OCTET, Is, Matching, match
from sievemda.sieve.node import Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts

_EXACTLY = Matching(Is(), OCTET)


@node
class Entries(Test):
    """[MATCH-TYPE] [COMPARATOR] [":index" <number>] <keys: string-list>: one of a list, counted from 1, or any."""

    matching: Matching = _EXACTLY
    index: int = 0
    keys: Texts

    def entries(self, run: Run) -> Sequence[str]:
        """What the keys are compared with, in order."""
        return ()

    def holds(self, run: Run) -> bool:
        entries = self.entries(run)
        chosen = entries[self.index - 1 : self.index] if self.index else entries
        return match(run, self.matching, chosen, run.texts(self.keys), len(chosen))
