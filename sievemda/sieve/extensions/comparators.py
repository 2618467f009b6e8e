"""comparator-i;octet, comparator-i;ascii-casemap, comparator-i;ascii-numeric. RFC 5228 §2.7.3, RFC 4790 §9.

The first two are part of the base language; they may be required all the same.
"""

from __future__ import annotations

import re

from sievemda.sieve.matching import Comparator
from sievemda.sieve.vocabulary import Extension

_DIGITS = re.compile("[0-9]+")


class AsciiNumeric(Comparator):
    """RFC 4790 §9.1: the number that a string begins with; one that begins with none is infinite.

    Numbers of any length are compared as strings of digits: no conversion, and so nothing to overflow or to be slow.
    """

    name = "i;ascii-numeric"
    substring = False

    def fold(self, text: str) -> str:
        digits = _DIGITS.match(text)
        return (digits[0].lstrip("0") or "0") if digits else ""

    def rank(self, text: str) -> tuple[float, str]:
        digits = self.fold(text)
        return (len(digits) if digits else float("inf"), digits)


EXTENSIONS = (
    Extension("comparator-i;octet", "RFC 5228 §2.7.3"),
    Extension("comparator-i;ascii-casemap", "RFC 5228 §2.7.3"),
    Extension("comparator-i;ascii-numeric", "RFC 4790 §9.1", comparators=(AsciiNumeric(),)),
)
