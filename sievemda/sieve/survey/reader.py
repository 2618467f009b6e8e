"""From words to commands, whatever is between them.

Every mistake is told once, where it was made, and reading goes on with what was probably meant: a comma that is a
semicolon is a comma, a block without `{` is a block, a forgotten `;` ends its command.

Why it knows the words of the language, which the grammar does not: `keep` behind a command is the next one, behind a
test it is the beginning of a block, and only their names tell them apart.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sievemda.sieve.problems import Problem
from sievemda.sieve.survey.feed import NAMES, TooMany
from sievemda.sieve.survey.habits import BEGINNINGS, ENDS
from sievemda.sieve.survey.phrases import Phrases
from sievemda.sieve.survey.words import Word
from sievemda.sieve.tree import Call

_CHAIN = frozenset({"if", "elsif", "elseif", "elif"})
_ALTERNATIVES = frozenset({"else", "elsif", "elseif", "elif"})
_PROCMAIL = re.compile(r":0|\*\s*\^|[A-Z]+=")
_OPERATORS = {
    "&&": "write allof (test, test)",
    "||": "write anyof (test, test)",
    "!": "write not",
    ".": "a command ends with ';'",
}


class Reader(Phrases):
    def read(self) -> tuple[Call, ...]:
        """All commands; after too many problems those before them."""
        found: list[Call] = []
        try:
            self._advance()
            self._commands(found, 0, None)
        except TooMany as enough:
            place = self._position(self.next.offset)
            text = f"{enough}: the rest of the script was not checked"
            self.problems.append(Problem(*place, text, code="too-many"))
        return tuple(found)

    # -- commands ----------------------------------------------------------------------------------------------

    def _commands(self, found: list[Call], depth: int, owner: str | None) -> None:
        """Up to the `}` of the block, or what must be behind it. `owner` is the command whose block this is."""
        previous = ""
        while self.next.kind != "END":
            word, name = self.next, self.next.text.lower()
            if depth and word.first and word.kind in {"RPAR", "RSQB"}:
                self._unexpected("'}'", "a block ends with '}'")
                word = self.next = replace(word, kind="RBRACE")
            if word.kind == "RBRACE" and depth:
                return
            if word.kind != "IDENTIFIER":
                self._no_command(found, depth)
                continue
            if depth and self._suspect is None and word.first and self._column(word) <= self._openers[-1][1]:
                self._suspect = self._openers[-1][0]  # what is less far in than the block does not belong to it
            follows = previous in _CHAIN or (previous and previous not in self._lexicon.commands)
            if name in _ALTERNATIVES and depth and not follows and owner in _CHAIN:
                self._missing(
                    f"'}}' in front of '{name}'", f"close the block with '}}' before '{name}'", "missing-brace"
                )
                return
            previous = name
            self._command(found, depth)

    def _no_command(self, found: list[Call], depth: int) -> None:
        """Something stands where a command must begin."""
        word = self.next
        if word.kind == "RBRACE":
            self._unexpected("a command", "this '}' closes nothing: remove it", "extra-brace")
            self._advance()
            return
        if word.kind == "SEMICOLON":
            self._unexpected("a command", "one ';' too many: remove it")
            self._advance()
            return
        if word.kind == "LBRACE":
            twice = self._text[self._last_end - 1 : self._last_end] == "{" and not word.first
            hint = "a block stands behind a test, with nothing between them"
            self._unexpected("a command", "one '{' too many: remove it" if twice else hint)
            if twice:
                self._advance()
                return
        else:
            hint = "every command begins with its name, as in: keep;"
            start = self._text[word.offset : word.offset + 20]
            if _PROCMAIL.match(start):
                hint = 'this is no Sieve; a rule looks like: if header :contains "subject" "x" { fileinto "X"; }'
            self._unexpected("a command", hint)
            self._resume()
        if self.next.kind == "LBRACE":
            self._inner_block(found, depth + 1, None, self.next)

    def _resume(self) -> None:
        """Skip what is no command, up to where one begins."""
        self._advance()
        while self.next.kind not in {"END", "RBRACE", "LBRACE"}:
            if self.next.first and self._known(self.next, self._lexicon.commands):
                return
            if self._advance().kind == "SEMICOLON":
                return

    def _command(self, found: list[Call], depth: int) -> None:
        word = self._take()
        name = word.text.lower()
        place = self._position(word.offset)
        args, tests, listed = self._arguments(word, 0)
        found.append(Call(name, args, tests, listed, self._block(word, depth), *place))

    def _block(self, word: Word, depth: int) -> tuple[Call, ...] | None:
        """The end of a command, with its block if it has one."""
        name = word.text.lower()
        inside: list[Call] = []
        if not self._end_of_command(name):
            return tuple(inside) if self._lacking(word, inside, depth) else None
        if self.next.kind == "SEMICOLON":
            self._advance()
            if self.next.kind != "LBRACE" or name not in self._lexicon.blocks:
                return None
            text = f"unexpected ';' between '{name}' and its block"
            self._report(self._last_end - 1, text, "remove the ';'")
        self._inner_block(inside, depth + 1, self._lexicon.meant(name), word)
        return tuple(inside)

    def _end_of_command(self, name: str) -> bool:
        """Come to the `;` or `{` of a command; false when it has none."""
        told = self._told = False
        while self.next.kind not in {"SEMICOLON", "LBRACE", "RBRACE", "END"}:
            if self.next.kind == "IDENTIFIER" and (self.next.first or self._known(self.next, self._lexicon.commands)):
                return False
            if self._wordy(name):
                return False
            if self.next.kind == "COLON" and self._peek().kind == "LBRACE":
                self._unexpected("'{'", "no ':' in front of a block")
            elif not told:
                text = "';' or '{' at the end of the command"
                self._unexpected(text, self._too_much())
            told = self._told = True
            self._advance()
        return self.next.kind in {"SEMICOLON", "LBRACE"}

    def _wordy(self, name: str) -> bool:
        """`then` in place of `{`."""
        if name not in self._lexicon.blocks or self.next.text.lower() not in BEGINNINGS:
            return False
        self._unexpected("'{'", "the commands of a rule stand in braces: { ... }", "missing-brace")
        self._told = True
        return True

    def _too_much(self) -> str:
        kind = self.next.kind
        if kind == "COMMA" and self._known(self._peek(), self._lexicon.tests):
            return "tests stand in a list: allof (test, test), or anyof (test, test)"
        if kind == "OPERATOR":
            return _OPERATORS.get(self.next.text, "a test says by a tag how it compares: :is, :contains, :matches")
        if kind == "COMMA":
            return "a command ends with ';'"
        closers = {"RPAR": "a ')' too many, or its '(' is missing", "RSQB": "a ']' too many, or its '[' is missing"}
        return closers.get(kind, "remove it, or end the command before it with ';'")

    def _lacking(self, word: Word, inside: list[Call], depth: int) -> bool:
        """A command without its end: tell it, and read its block when it has one without `{`."""
        name = word.text.lower()
        if name not in self._lexicon.blocks:
            if not self._told and name not in ENDS:  # of something that stands where its ';' should be
                self._missing_semicolon(f"the {name} command")
            return False
        indent = self._column(word)
        if self._told and self.next.text.lower() in BEGINNINGS:
            self._advance()
            self._up_to_end(inside, depth, indent)
            return True
        self._missing("'{'", "the commands of a rule stand in braces: { ... }", "missing-brace")
        while self.next.kind == "IDENTIFIER" and (not inside or self._column(self.next) > indent):
            self._command(inside, depth + 1)
        if (
            self.next.kind == "RBRACE"
            and self._column(self.next) >= indent
            and (not depth or self._column(self.next) == indent)
        ):
            self._advance()
        return True

    def _up_to_end(self, inside: list[Call], depth: int, indent: int) -> None:
        """The commands behind a `then`, with the `end` of it."""
        while self.next.kind == "IDENTIFIER" and self.next.text.lower() not in {*ENDS, *_ALTERNATIVES}:
            if inside and self.next.first and self._column(self.next) <= indent:
                return
            self._command(inside, depth + 1)
        if self.next.text.lower() in ENDS:
            self._advance()
            if self.next.kind == "SEMICOLON":
                self._advance()

    def _missing_semicolon(self, title: str) -> None:
        if self._endless and (self.next.kind == "END" or self._endless.kind == "QUOTED_STRING"):
            self._with_semicolon()
            return
        text = f"missing semicolon after {title}"
        if self.next.kind != "IDENTIFIER":
            found = NAMES.get(self.next.kind, "unknown characters")
            text = f"expected ';' or '{{' at the end of the command, but found {found}"
        self._report(self._last_end, text, "put a ';' here", "missing-semicolon")

    def _with_semicolon(self) -> None:
        """A string without an end is told of: it is where the `;` is missing too."""
        last = self.problems[-1]
        if last.hint.startswith('write "'):
            self.problems[-1] = replace(last, hint=f"{last.hint};")

    def _inner_block(self, found: list[Call], depth: int, owner: str | None, command: Word) -> None:
        """The block of a command; how far in it begins is said by the line of the command, not by that of its `{`."""
        opener = self._advance()
        if depth > self._limits.blocks:
            limit = f"blocks nested too deep: the limit is {self._limits.blocks}"
            self._report(opener.offset, limit, "join tests with allof", "limit")
            self._skip_block()
            return
        indent = self._column(command)
        indented = self.next.first and self._column(self.next) > indent
        self._openers.append((opener, indent if indented else -1))
        self._commands(found, depth, owner)
        self._openers.pop()
        if self.next.kind == "RBRACE":
            closer = self._advance()
            if closer.first and self._suspect is None and indent > self._column(closer):
                self._suspect = opener
            return
        if self.next.kind == "END":
            opener, self._suspect = self._suspect or opener, None
            text = "expected '}' at the end of the block, but found end of script"
            line = self._position(opener.offset)[0]
            self._report(opener.offset, text, f"the block that begins in line {line} is not closed", "missing-brace")

    def _skip_block(self) -> None:
        depth = 1
        while depth and self.next.kind != "END":
            depth += {"LBRACE": 1, "RBRACE": -1}.get(self._advance().kind, 0)
