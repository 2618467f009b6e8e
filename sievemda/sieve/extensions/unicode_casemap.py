"""comparator-i;unicode-casemap: RFC 5051. Letters of all scripts without regard to case, accents decomposed.

Each character becomes its titlecase form, and that is decomposed as far as it goes; what is then compared are octets. A
string that is not UTF-8 is compared as it is (§2, step 1b).

In `:matches` a wildcard `?` takes one octet, as with the other comparators (svtest and Pigeonhole have it so; RFC 5228
§2.7.1 says that a comparator like this "would define a character to be any UTF-8 octet sequence", which is no
requirement). Wildcards take octets of the value as it stands, so for `:matches` characters are titlecased and not
decomposed.

Why not NFKD of the whole string: sorting a flood of accents takes quadratic time, and §4 allows doing without.
"""

from __future__ import annotations

import unicodedata

from sievemda.sieve.matching import Comparator, wide
from sievemda.sieve.text import is_utf8
from sievemda.sieve.vocabulary import Extension

_REMEMBERED = 160_000  # characters, which is all there are; what is not one is not worth remembering


class _Table(dict[int, int | str]):
    """What becomes of each character, worked out when it is first seen. A text of rare ones is then not slow twice."""

    def __missing__(self, code: int) -> int | str:
        text = self.prepare(code)
        prepared = code if text == chr(code) else text
        if len(self) < _REMEMBERED:
            self[code] = prepared
        return prepared

    def prepare(self, code: int) -> str:
        """RFC 5051 §2, step 2."""
        return unicodedata.normalize("NFKD", titlecase(chr(code)))


class _SameSize(_Table):
    def prepare(self, code: int) -> str:
        """The titlecase form where it has as many octets."""
        character = chr(code)
        titled = titlecase(character)
        return titled if len(titled.encode()) == len(character.encode()) else character


def titlecase(character: str) -> str:
    """The titlecase property of UnicodeData.txt, which knows only single characters: `ß` has none."""
    titled = character.title()
    return titled if len(titled) == 1 else character


_PREPARED, _TITLED = _Table(), _SameSize()


class UnicodeCasemap(Comparator):
    name = "i;unicode-casemap"
    cost = 5  # a character may become eighteen

    def fold(self, text: str) -> str:
        if text.isascii():
            return text.upper()
        return text.translate(_PREPARED) if is_utf8(text) else text

    def cells(self, text: str) -> str:
        return wide(text.translate(_TITLED) if is_utf8(text) else text)


EXTENSIONS = (Extension("comparator-i;unicode-casemap", "RFC 5051", comparators=(UnicodeCasemap(),)),)
