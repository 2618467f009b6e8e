"""regex: the match type `:regex`, and `:quoteregex` for set. draft-ietf-sieve-regex, draft-murchison-sieve-regex.

Expressions are those of POSIX.2 (see `sieve.ere`), found anywhere in the value; `^` and `$` are its beginning and end,
and `.` is any octet, a line end too, as in POSIX. The match variables are the match and its groups (draft §7.1).

The comparator says whether case counts: with i;ascii-casemap a-z are A-Z, with i;unicode-casemap so are other letters,
with i;octet none is. The draft (§5) would fold the value alone, so that no lower-case letter of a pattern could match
anything; Pigeonhole and Cyrus fold both, and so is it here. i;ascii-numeric has no sub-strings: an error.

A constant pattern is checked when the script is compiled. One from a variable that turns out wrong matches nothing,
and a note in the script's log says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.sieve.ere import Case
from sievemda.sieve.extensions.variables import Modifier, cut
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import Matching, MatchType
from sievemda.sieve.node import node
from sievemda.sieve.patterns import GETTING, READING, Pattern, check, pattern
from sievemda.sieve.run import Run
from sievemda.sieve.text import from_octets, octets
from sievemda.sieve.vocabulary import Extension

_QUOTED = str.maketrans({special: f"\\{special}" for special in ".[\\()*+?{|^$"})  # POSIX.2 §2.8.4.1.2
_CASES = {"i;octet": Case.EXACT, "i;unicode-casemap": Case.UNICODE}


class Regex(MatchType):
    """:regex, draft-ietf-sieve-regex §4."""

    name = "regex"
    substring = True

    def key_fault(self, key: str, how: Matching, limits: Limits) -> str:
        try:
            check(key, _case(how))
        except ValueError as fault:
            return f"invalid regular expression '{key[:80]}': {fault}"
        return ""

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        if not values:
            return False
        patterns = [found for key in keys if (found := self._usable(run, key, how))]
        for value in values:
            data = octets(value)
            for one in patterns:
                run.spend_matching(len(data) * one.weight + one.each)
                parts = one.search(data)
                if parts is not None:
                    if run.captures_wanted:
                        run.captures = tuple(map(from_octets, parts[: run.limits.match_variables + 1]))
                    return True
        return False

    def _usable(self, run: Run, key: str, how: Matching) -> Pattern | None:
        """Compiled, and paid for; `None` when it is wrong."""
        try:
            found = pattern(key, _case(how))
        except ValueError as fault:
            run.spend_matching(GETTING + len(key) * READING)
            run.complain(f"invalid regular expression '{key[:80]}': {fault}")
            return None
        run.spend_matching(found.cost)
        return found


def _case(how: Matching) -> Case:
    return _CASES.get(how.comparator.name, Case.ASCII)


@node
class QuoteRegex(Modifier):
    """:quoteregex, draft-ietf-sieve-regex §7.2. A cut never parts a backslash from what it quotes."""

    keyword, precedence, group = "quoteregex", 20, "modifier of precedence 20"

    def apply(self, value: str, size: int) -> str:
        quoted = value.translate(_QUOTED)
        short = cut(quoted, size)
        odd = len(short) < len(quoted) and len(short) - len(short.rstrip("\\")) & 1
        return short[:-1] if odd else short


EXTENSIONS = (
    Extension(
        "regex",
        "draft-ietf-sieve-regex-01",
        options=(QuoteRegex,),
        match_types=(Regex(),),
        note="POSIX extended expressions in linear time; no back-references",
    ),
)
