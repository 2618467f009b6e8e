"""Arguments and tests of one command, as a person meant them."""

from __future__ import annotations

from sievemda.sieve.literals import number_value
from sievemda.sieve.survey.habits import BEGINNINGS, Habits
from sievemda.sieve.survey.words import STRINGS, Word
from sievemda.sieve.tree import Argument, Call, Num, Str, Strings, Tag

_VALUES = frozenset({"NUMBER", "TAG", "LSQB", *STRINGS})
_JOINING = {"&&": "allof", "and": "allof", "&": "allof", "||": "anyof", "or": "anyof", "|": "anyof"}
_NOISE = frozenset({*BEGINNINGS, "in", "is", "equals", "contains", "matches", "a", "the"})
_COMPARING = frozenset({"=", "==", "!=", "=~", "~", "<", ">", "<=", ">=", "!"})

# tags without a value: where they stand among the strings says nothing
_ANYWHERE = frozenset({"is", "contains", "matches", "regex", "all", "localpart", "domain", "user", "detail"})
_QUOTES = frozenset("'`\"“”„‟«»\u2018\u2019\u201a\u201b\u2039\u203a")

Found = tuple[tuple[Argument, ...], tuple[Call, ...], bool]


class Phrases(Habits):
    # -- arguments ---------------------------------------------------------------------------------------------

    def _arguments(self, owner: Word, depth: int) -> Found:
        """All that stands behind the name of a command or test, up to its end, its block, or what is next to it."""
        found: list[Argument] = []
        while True:
            kind = self.next.kind
            if kind == "LPAR" and self._peek().kind not in STRINGS and self._tests_follow(owner):
                return self._limited(owner, found), *self._listed(depth + 1)
            if kind == "LSQB" and self._known(self._peek(), self._lexicon.tests) and self._takes_tests(owner):
                return self._limited(owner, found), *self._bracketed(owner, depth + 1)
            if kind == "IDENTIFIER" and self._word(owner, found):
                tests = self._one_test(depth + 1) if self._begins_test(owner) else ()
                return self._limited(owner, found), self._further(owner, tests, depth), False
            if kind != "IDENTIFIER" and not self._step(owner, found):
                return self._limited(owner, found), (), False

    def _tests_follow(self, owner: Word) -> bool:
        """Whether the `(` that is next begins a list of tests, not something of a word that nobody knows."""
        return owner.text.lower() in self._lexicon.words or self._known(self._peek(), self._lexicon.tests)

    def _step(self, owner: Word, found: list[Argument]) -> bool:
        """One argument, or something in its place; false when there is none."""
        kind, behind = self.next.kind, self._peek().kind
        if kind in _VALUES:
            if "quotes" in self.next.fault and self.next.text[:1] not in _QUOTES:
                self.unsure.add(self._position(owner.offset))
            self._argument(found)
        elif kind == "LPAR" and behind in STRINGS:
            self._in_parentheses(owner, found)
        elif kind == "LPAR":
            self._skip_round()
        elif kind == "COMMA" and behind in STRINGS and found and isinstance(found[-1], Str | Strings):
            self._bare_list(found)
            self.unsure.add(self._position(owner.offset))
        elif kind == "COLON" and behind in _VALUES:
            self._unexpected("an argument", "a ':' stands only at the beginning of a tag, as in :is")
            self._advance()
        else:
            return kind == "OPERATOR" and self._operator(owner.text.lower(), found)
        return True

    def _limited(self, owner: Word, found: list[Argument]) -> tuple[Argument, ...]:
        if len(found) > self._limits.arguments:
            text = f"too many arguments: the limit is {self._limits.arguments}"
            self._report(owner.offset, text, "put strings into a list: [ ... ]", "limit", owner.end)
            self.unsure.add(self._position(owner.offset))
        return tuple(found[: self._limits.arguments])

    def _argument(self, found: list[Argument]) -> None:
        if self.next.kind == "LSQB":
            found.append(self._string_list("RSQB"))
            return
        word = self._take()
        place = self._position(word.offset)
        if word.kind == "NUMBER":
            found.append(Num(min(number_value(word.text), self._limits.number), *place))
        elif word.kind == "TAG":
            found.append(Tag(word.text[1:].lower(), *place))
        else:
            found.append(Str(word.value, *place))

    def _operator(self, name: str, found: list[Argument]) -> bool:
        """An operator among the arguments: what it stands for is put in its place. False when it is none of these."""
        word = self.next
        if word.text not in _COMPARING or name in {"anyof", "allof"}:
            return False
        if name not in self._lexicon.words:
            self._advance()
            return True
        if word.text == "!" and name in self._lexicon.with_tests:
            self._report(word.offset, word.fault, "write not", end=word.end)
            self._advance()
            self._instead_of_not()
            return True
        meant = {"=~": ":regex or :matches", "~": ":contains", "<": ":under", ">": ":over"}.get(
            word.text, ":is or :contains"
        )
        compares = "is" in self._lexicon.tags(name) or name == "size"
        hint = f"a test has a tag in front of its arguments: {name} {meant} ..." if compares else "remove it"
        self._report(word.offset, word.fault, hint, end=word.end)
        self._advance()
        if not compares:
            return True
        found.insert(0, Tag("is", *self._position(word.offset)))
        if word.text in "<>":
            found[0] = Tag({"<": "under", ">": "over"}[word.text], *self._position(word.offset))
        return True

    def _instead_of_not(self) -> None:
        """The `!` is read; a test follows, and counts as it stands."""

    def _word(self, owner: Word, found: list[Argument]) -> bool:
        """A word among the arguments. True when it is not an argument, and is left where it is."""
        word, name, owner_name = self.next, self.next.text.lower(), owner.text.lower()
        if self._second_half(owner_name):
            return False
        if self._are_bare_words(owner_name, found):
            self._bare_words(found)
            return False
        is_tag = name in self._lexicon.tags(owner_name)
        if owner_name in self._lexicon.with_tests or name in self._lexicon.commands or (word.first and not is_tag):
            return True
        if is_tag:
            noun = "test" if owner_name in self._lexicon.tests else "command"
            text = f"missing colon in front of the {name} tag of the {owner_name} {noun}"
            self._report(word.offset, text, f"write :{name}", "missing-colon", word.end)
            self._advance()
            found.insert(0 if name in _ANYWHERE else len(found), Tag(name, *self._position(word.offset)))
            return False
        if name in _JOINING or name in self._lexicon.tests:
            return True
        known = owner_name in self._lexicon.words
        if not known or (name in _NOISE and self._peek().kind in {"LBRACE", "LSQB", "NUMBER", *STRINGS}):
            if known:
                self._report(word.offset, f"'{word.text}' means nothing here", "remove it", "syntax", word.end)
                self.unsure.add(self._position(owner.offset))
            self._advance()
            return False
        if self._peek().kind in {"SEMICOLON", "COMMA", "RPAR", "LBRACE", "RBRACE", *STRINGS}:
            self._report(word.offset, "a string without quotes", f'write "{word.text[:60]}"', "syntax", word.end)
            self._advance()
            self.unsure.add(self._position(owner.offset))
            found.append(Str(word.text, *self._position(word.offset)))
            return False
        return True

    def _begins_test(self, owner: Word) -> bool:
        """Whether the word that is next is a test under this command or test."""
        name, owner_name = self.next.text.lower(), owner.text.lower()
        if owner_name in self._lexicon.with_tests:
            return name not in self._lexicon.commands or (name == "if" and owner_name == "else") or not self.next.first
        return (
            owner_name not in self._lexicon.tests
            and owner_name not in self._lexicon.commands
            and (name in self._lexicon.tests and not self.next.first)
        )

    def _skip_round(self) -> None:
        """Skip what is in parentheses."""
        depth = 0
        while self.next.kind not in {"END", "LBRACE", "RBRACE", "SEMICOLON"}:
            depth += {"LPAR": 1, "RPAR": -1}.get(self._advance().kind, 0)
            if not depth:
                return

    # -- tests -------------------------------------------------------------------------------------------------

    def _one_test(self, depth: int) -> tuple[Call, ...]:
        first = self._test(depth)
        return () if first is None else self._joined((first,), depth) or (first,)

    def _takes_tests(self, owner: Word) -> bool:
        return owner.text.lower() in self._lexicon.with_tests

    def _further(self, owner: Word, tests: tuple[Call, ...], depth: int) -> tuple[Call, ...]:
        """`anyof test, test`: the tests behind the first one, and the `)` of what was not opened."""
        if not tests or self._round or self._lexicon.meant(owner.text.lower()) not in {"anyof", "allof"}:
            return tests
        found = list(tests)
        while self.next.kind == "COMMA" and self._known(self._peek(), self._lexicon.tests):
            self._advance()
            found += self._one_test(depth + 1)
        if self.next.kind == "RPAR":
            self._advance()
        return tuple(found)

    def _bracketed(self, owner: Word, depth: int) -> tuple[tuple[Call, ...], bool]:
        """Tests in brackets: what they are in is told here, and counts as parentheses where these may be."""
        hint = "tests stand in parentheses: anyof (test, test)"
        self._report(self.next.offset, "a list of tests in brackets", hint)
        outer, self._closer = self._closer, "RSQB"
        tests = self._test_list(depth)
        self._closer = outer
        return tests, len(tests) > 1 or self._lexicon.meant(owner.text.lower()) in {"anyof", "allof"}

    def _listed(self, depth: int) -> tuple[tuple[Call, ...], bool]:
        """Tests in parentheses, and whether they are a list: what is joined to them makes them one test."""
        outer, self._closer = self._closer, "RPAR"
        tests = self._test_list(depth)
        self._closer = outer
        joined = self._joined(tests, depth) if tests else ()
        return (joined, False) if joined else (tests, True)

    def _joined(self, tests: tuple[Call, ...], depth: int) -> tuple[Call, ...]:
        """Tests with `and` or `or` behind them, as one; empty when nothing of that kind follows."""
        word = self.next
        joining = _JOINING.get(word.text.lower()) if word.kind in {"OPERATOR", "IDENTIFIER"} else None
        if joining is None or self._round:
            return ()
        text = f"tests are not joined by {word.text[:10]!r}"
        self._report(word.offset, text, f"write {joining} (test, test)", end=word.end)
        found = list(tests)
        while self.next.text.lower() in _JOINING:
            self._advance()
            found += self._operand(depth)
        return (Call(joining, (), tuple(found), True, None, tests[0].line, tests[0].column),)

    def _operand(self, depth: int) -> tuple[Call, ...]:
        if self.next.kind == "OPERATOR" and self.next.text == "!":
            self._take()
        if self.next.kind == "IDENTIFIER":
            found = self._test(depth)
            return () if found is None else (found,)
        return self._test_list(depth) if self.next.kind == "LPAR" else ()

    def _test(self, depth: int) -> Call | None:
        if depth > self._limits.tests:
            text = f"tests nested too deep: the limit is {self._limits.tests}"
            self._report(self.next.offset, text, "take tests apart into several rules", "limit", self.next.end)
            self._skip_tests()
            return None
        word = self._take()
        place = self._position(word.offset)
        args, tests, listed = self._arguments(word, depth)
        return Call(word.text.lower(), args, tests, listed, None, *place)

    def _skip_tests(self) -> None:
        while self.next.kind not in {"SEMICOLON", "LBRACE", "RBRACE", "END"}:
            self._advance()

    def _test_list(self, depth: int) -> tuple[Call, ...]:
        opener = self._advance()
        if depth > self._limits.tests:
            text = f"tests nested too deep: the limit is {self._limits.tests}"
            self._report(opener.offset, text, "take tests apart into several rules", "limit", opener.end)
            self._skip_tests()
            return ()
        self._round += 1
        found: list[Call] = []
        while True:
            if not self._element(found, depth) or not self._next_element():
                break
        self._round -= 1
        if self.next.kind == self._closer:
            self._advance()
        return tuple(found)

    def _element(self, found: list[Call], depth: int) -> bool:
        """One test of a list; false when none is there."""
        word = self.next
        if word.kind == "OPERATOR" and word.text == "!":
            self._report(word.offset, word.fault, "write not", end=word.end)
            self._advance()
        if self.next.kind == "IDENTIFIER" and not (self.next.first and self._known(self.next, self._lexicon.commands)):
            test = self._test(depth)
            found += [test] if test is not None else []
            return True
        if self.next.kind == "LPAR":
            self._unexpected("a test", "parentheses stand only behind allof and anyof")
            found += self._test_list(depth)
            return True
        if self.next.kind == "RPAR":
            comma = found and self._text[self._last_end - 1 : self._last_end] == ","
            self._unexpected("a test", "remove the last ','" if comma else "allof and anyof want at least one test")
        elif self.next.kind in {"LBRACE", "SEMICOLON", "RBRACE", "END"}:
            self._missing("a test", "close the list of tests with ')'", "missing-bracket")
        else:
            self._unexpected("a test", "a test begins with its name, as in: header, address, size")
            self._skip_element()
            return self.next.kind == "COMMA"
        return False

    def _skip_element(self) -> None:
        depth = 0
        while self.next.kind not in {"LBRACE", "RBRACE", "SEMICOLON", "END"}:
            if not depth and self.next.kind in {"COMMA", "RPAR"}:
                return
            depth += {"LPAR": 1, "RPAR": -1}.get(self._advance().kind, 0)

    def _next_element(self) -> bool:
        """What stands behind one test of a list; false when the list has ended."""
        word = self.next
        if word.kind == self._closer:
            return False
        if word.kind == "COMMA":
            self._advance()
            return True
        if word.kind in {"OPERATOR", "IDENTIFIER"} and word.text.lower() in _JOINING:
            self._report(
                word.offset, f"tests are not joined by {word.text[:10]!r}", "separate tests by ','", end=word.end
            )
            self._advance()
            return True
        if self._known(word, self._lexicon.tests) or (
            word.kind == "SEMICOLON" and self._known(self._peek(), self._lexicon.tests)
        ):
            self._missing("',' or ')' in the list of tests", "separate tests by ','")
            if word.kind == "SEMICOLON":
                self._advance()
            return True
        if word.kind == "RSQB":
            self._unexpected("',' or ')' in the list of tests", "a ']' too many, or its '[' is missing")
            self._advance()
            return self._next_element()
        self._missing("',' or ')' in the list of tests", "close the list of tests with ')'", "missing-bracket")
        return False
