"""What people write who are used to other languages: words without quotes, two words for one, other brackets.

Why apart from `lists` and `phrases`: what is here is no slip but a rule of another language, and is told once, however
many marks it has put in the wrong place.
"""

from __future__ import annotations

from sievemda.sieve.survey.lists import Lists
from sievemda.sieve.survey.words import STRINGS, Word
from sievemda.sieve.tree import Argument, Str, Strings

BEGINNINGS = frozenset({"then", "do", "begin"})
ENDS = frozenset({"end", "endif", "fi", "done"})


class Habits(Lists):
    def _bare_words(self, found: list[Argument]) -> None:
        """`require fileinto, copy;`: words, with commas between them, where strings should be."""
        at, place = self.next.offset, self._position(self.next.offset)
        items: list[Str] = []
        while self.next.kind in {"IDENTIFIER", *STRINGS}:
            items.append(self._item(self._advance()))
            if self.next.kind != "COMMA":
                break
            self._advance()
        wanted = ", ".join(f'"{item.value[:40]}"' for item in items[:8])
        self._report(at, "a string without quotes", f"write [{wanted}]", end=self._last_end)
        found.append(Strings(tuple(items), *place))

    def _are_bare_words(self, owner: str, found: list[Argument]) -> bool:
        behind = self._peek()
        ends = behind.kind in {"SEMICOLON", "COMMA", "END"} or behind.first
        return owner == "require" and not found and not self.next.first and ends

    def _second_half(self, owner: str) -> bool:
        """`any of`, `file into`: the other half of a word; the first one is told of."""
        word = self.next
        whole = owner + word.text.lower()
        if word.first or self._lexicon.node(owner) is not None or self._lexicon.node(whole) is None:
            return False
        self._advance()
        return True

    def _in_parentheses(self, owner: Word, found: list[Argument]) -> None:
        """`fileinto("Junk");`, or a list of strings in parentheses."""
        at = self.next.offset
        strings = self._string_list("RPAR")
        if len(strings.items) > 1:
            self._report(at, "a list of strings in parentheses", 'write ["a", "b"]')
            found.append(strings)
            return
        value = strings.items[0].value
        self._report(at, "a string in parentheses", f'write {owner.text[:40]} "{value[:40]}"')
        found.append(strings.items[0])
