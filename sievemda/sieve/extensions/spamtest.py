"""spamtest, spamtestplus, virustest: what filters have found, on scales that do not depend on the filter. RFC 5235.

Where the findings come from is in `sieve.verdicts`. The formulas are those of Pigeonhole, whose settings a site may
have: with them certainty is 10, 100 and 5, and whatever was looked at is at least 1, 0 and 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.verdicts import worst
from sievemda.sieve.vocabulary import Extension

_ROUNDING = 0.001  # a quotient of decimal fractions may be a hair too small


@node
class Verdict(Test, ABC):
    """A number as text; the `:count` is 1, or 0 for a message that no filter has looked at (§3.1)."""

    matching: Matching = DEFAULT
    value: Text

    def holds(self, run: Run) -> bool:
        found = self.found(run)
        left = "0" if found is None else self.scaled(found)
        return match(run, self.matching, (left,), (run.text(self.value),), int(found is not None))

    @abstractmethod
    def found(self, run: Run) -> float | None:
        """From 0 to 1; `None` when nobody has looked."""

    @abstractmethod
    def scaled(self, found: float) -> str:
        """On the scale of this test."""


@node
class Percent(Option):
    """:percent, RFC 5235 §3.2.2: from 0 to 100, where 0 is also a message that was not tested."""

    keyword = "percent"
    extends = ("spamtest",)


@node
class SpamTest(Verdict):
    """spamtest [":percent"] [COMPARATOR] [MATCH-TYPE] <value: string>, RFC 5235 §3.2."""

    keyword = "spamtest"

    def found(self, run: Run) -> float | None:
        return worst(run, run.limits.options.spam)

    def about(self, run: Run) -> About:
        return About("the spam score" + ("" if self.found(run) is not None else ", which nobody has given,"))

    def scaled(self, found: float) -> str:
        percent = any(isinstance(option, Percent) for option in self.options)
        return str(int(found * 100 + _ROUNDING) if percent else int(found * 9 + 1 + _ROUNDING))


@node
class VirusTest(Verdict):
    """virustest [COMPARATOR] [MATCH-TYPE] <value: string>, RFC 5235 §3.3."""

    keyword = "virustest"

    def found(self, run: Run) -> float | None:
        return worst(run, run.limits.options.virus)

    def about(self, run: Run) -> About:
        return About("the virus verdict" + ("" if self.found(run) is not None else ", which nobody has given,"))

    def scaled(self, found: float) -> str:
        return str(int(found * 4 + 1 + _ROUNDING))


_NOTE = (
    "believes fields of rspamd, SpamAssassin, amavisd, ClamAV, which the site's filter must remove from incoming mail"
)

EXTENSIONS = (
    Extension("spamtest", "RFC 5235", tests=(SpamTest,), note=_NOTE),
    Extension("spamtestplus", "RFC 5235", options=(Percent,), implies=("spamtest",), note="`:percent`"),
    Extension("virustest", "RFC 5235", tests=(VirusTest,), note="as spamtest"),
)
