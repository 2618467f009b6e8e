"""Lists of strings, as a person meant them: with other marks between them, in other brackets, or in none."""

from __future__ import annotations

from sievemda.sieve.survey.feed import NAMES, Feed
from sievemda.sieve.survey.words import STRINGS, Word
from sievemda.sieve.tree import Argument, Str, Strings


class Lists(Feed):
    def _bare_list(self, found: list[Argument]) -> None:
        """Strings with commas between them, without brackets."""
        first = found.pop()
        self._report(self.next.offset, "a list of strings without brackets", 'write ["a", "b"]')
        items = list(first.items) if isinstance(first, Strings) else [first] if isinstance(first, Str) else []
        while self.next.kind == "COMMA" and self._peek().kind in STRINGS:
            self._advance()
            word = self._take()
            items.append(Str(word.value, *self._position(word.offset)))
        if self.next.kind == "RSQB":
            self._advance()
        found.append(Strings(tuple(items), first.line, first.column))

    def _string_list(self, closer: str) -> Strings:
        opener = self._advance()
        place = self._position(opener.offset)
        items: list[Str] = []
        if self.next.kind == closer:
            self._unexpected("a string in the list of strings", "a list holds at least one string")
        while self.next.kind != closer:
            word = self.next
            if word.kind in STRINGS:
                items.append(self._item(self._take()))
            elif word.kind in {"IDENTIFIER", "NUMBER"} and not (
                word.first and self._known(word, self._lexicon.commands)
            ):
                self._unexpected("a string in the list of strings", f'write "{word.text[:60]}"')
                items.append(self._item(self._advance()))
            elif word.kind == "COMMA":
                self._unexpected("a string in the list of strings", "one ',' too many, or a string is missing")
                self._advance()
                continue
            elif word.kind == "LSQB":
                self._unexpected("a string in the list of strings", "lists are not put into lists: remove the '['")
                items.extend(self._string_list("RSQB").items)
                if self.next.kind not in {"COMMA", closer}:
                    break  # one `]` has ended both
            else:
                self._unclosed_list(closer)
                break
            if not self._separator(closer):
                break
        if self.next.kind == closer:
            self._advance()
        return Strings(tuple(items) or (Str("", *place),), *place)

    def _item(self, word: Word) -> Str:
        return Str(word.value or word.text.strip('"'), *self._position(word.offset))

    def _separator(self, closer: str) -> bool:
        """What stands behind one string of a list; false when the list has ended."""
        kind = self.next.kind
        if kind == closer:
            return False
        if kind == "COMMA":
            comma = self._advance()
            if self.next.kind == closer:
                text = f"expected a string in the list of strings, but found {NAMES[closer]}"
                self._report(comma.offset, text, "remove the last ','", end=comma.end)
            return True
        if kind in STRINGS or (kind == "IDENTIFIER" and not self.next.first):
            self._missing("',' or ']' in the list of strings", "put a ',' between the strings")
            return True
        if kind in {"SEMICOLON", "COLON", "OPERATOR"} and self._peek().kind in STRINGS:
            self._unexpected("',' or ']' in the list of strings", "strings of a list are separated by ','")
            self._advance()
            return True
        self._unclosed_list(closer)
        return False

    def _unclosed_list(self, closer: str) -> None:
        if self.next.kind == "RSQB" and closer == "RPAR":  # the wrong bracket at its beginning was told
            self._advance()
            return
        if self.next.kind == "RPAR" and closer == "RSQB" and not self._round:
            self._unexpected("',' or ']' in the list of strings", "a list of strings ends with ']'")
            self._advance()
            return
        self._missing("',' or ']' in the list of strings", "close the list with ']'", "missing-bracket")
