"""Every fault of a script that does not parse.

A reader over the tokens of RFC 5228 §8.1 that goes on after a fault. Constructs have ranks: string list, test list,
command, block. After a fault inside one, tokens are skipped until its own end comes (then reading goes on there) or
something of a higher rank (then the construct around it recovers, without another fault). So one slip of the pen is
one problem, and what follows it is still looked at.

Why a second reader beside Lark's: an LALR automaton says where it got stuck, once. Guessing which token would mend it
gives errors about the guess. The grammar is ten rules long; a reader of it by hand knows in which construct it is.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace

from sievemda.sieve.limits import Limits
from sievemda.sieve.literals import number_value, string_value
from sievemda.sieve.problems import Problem
from sievemda.sieve.scanner import Lexeme, Scanner

_STRINGS = ("QUOTED_STRING", "MULTI_LINE")
_NAMES = {
    "SEMICOLON": "';'", "LBRACE": "'{'", "RBRACE": "'}'", "COMMA": "','", "LPAR": "'('", "RPAR": "')'",
    "LSQB": "'['", "RSQB": "']'", "IDENTIFIER": "identifier", "TAG": "tag", "NUMBER": "number",
    "QUOTED_STRING": "string", "MULTI_LINE": "string", "UNKNOWN": "unknown characters", "END": "end of script",
    "COLON": "':'", "SLASH": "'/'",
}  # fmt: skip


class _TooMany(Exception):
    """Enough was read, or enough problems were found; the text says which."""


def diagnose(scanner: Scanner, text: str, limits: Limits) -> tuple[Problem, ...]:
    """Every fault of a text that is not a script by RFC 5228 §8; empty when there is none."""
    reader = _Reader(scanner, text, limits)
    try:
        reader.script()
    except _TooMany as enough:
        reader.problems.append(
            Problem(*reader.place, f"{enough}: the rest of the script was not checked", code="too-many")
        )
    return tuple(sorted(reader.problems, key=lambda problem: (problem.line, problem.column)))


class _Reader:
    def __init__(self, scanner: Scanner, text: str, limits: Limits) -> None:
        self.problems: list[Problem] = []
        self.limits = limits
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._source = scanner.scan(text)
        self._end = Lexeme("END", "", len(text))
        self._left = limits.tokens
        self.failed = False
        self._advance()

    # -- tokens ------------------------------------------------------------------------------------------------

    @property
    def place(self) -> tuple[int, int]:
        return self._position(self.next.offset)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _advance(self) -> None:
        for item in self._source:
            if isinstance(item, Lexeme):
                self.next = item
                self._left -= 1
                if self._left < 0:
                    raise _TooMany(f"more than {self.limits.tokens} words, strings and marks")
                if not self._sound(item):
                    self.next = replace(item, kind="BROKEN")
                return
            self._report(*item)
        self.next = self._end

    def _report(self, offset: int, text: str) -> None:
        if len(self.problems) >= self.limits.problems:
            raise _TooMany("too many errors")
        self.problems.append(Problem(*self._position(offset), text, code="syntax"))

    def _sound(self, item: Lexeme) -> bool:
        """Whether there is no fault in this token; else that is told, and it stands for nothing that is expected."""
        fault = self._flaw(item)
        if fault:
            self._report(item.offset, fault)
        return not fault

    def _flaw(self, item: Lexeme) -> str:
        limits = self.limits
        if item.kind in {"IDENTIFIER", "TAG"} and len(item.text.lstrip(":")) > limits.identifier:
            return f"identifier too long: the limit is {limits.identifier} characters"
        if item.kind == "NUMBER" and number_value(item.text) > limits.number:
            return f"number too large: {item.text[:40]}, the limit is {limits.number}"
        if item.kind not in _STRINGS:
            return ""
        if "\0" in item.text:
            return "a string must not hold a NUL character"
        if re.search("\r(?!\n)", item.text):
            return "a string must not hold a CR without LF"
        if len(string_value(item.text)) > limits.string:
            return f"string too long: the limit is {limits.string} characters"
        return ""

    # -- faults and recovery -----------------------------------------------------------------------------------

    def _fault(self, text: str) -> None:
        """A syntax error at the next token, unless that token was already reported as broken."""
        self.failed = True
        if self.next.kind != "BROKEN":
            self._report(self.next.offset, f"expected {text}, but found {_NAMES[self.next.kind]}")

    def _excess(self, text: str) -> None:
        self.failed = True
        self._report(self.next.offset, text)

    def _skip(self, opener: str, closer: str, stops: frozenset[str]) -> bool:
        """Skip to the closer of the construct we are in: true when it is next, false at a stop or the end."""
        depth = 0
        while self.next.kind != "END" and (depth or self.next.kind not in stops):
            if self.next.kind == closer:
                if not depth:
                    return True
                depth -= 1
            elif self.next.kind == opener:
                depth += 1
            self._advance()
        return False

    def _leave_strings(self) -> bool:
        return self._close(self._skip("LSQB", "RSQB", frozenset({"LPAR", "RPAR", "SEMICOLON", "LBRACE", "RBRACE"})))

    def _leave_tests(self) -> bool:
        return self._close(self._skip("LPAR", "RPAR", frozenset({"SEMICOLON", "LBRACE", "RBRACE"})))

    def _leave_block(self) -> bool:
        return self._close(self._skip("LBRACE", "RBRACE", frozenset()))

    def _leave_command(self) -> bool:
        return self._skip("", "SEMICOLON", frozenset({"LBRACE", "RBRACE"})) or self.next.kind == "LBRACE"

    def _close(self, found: bool) -> bool:
        if found:
            self._advance()
        return found

    # -- constructs: each is true when reading can go on behind it ---------------------------------------------

    def script(self) -> None:
        self._commands(0)
        if self.next.kind != "END" and not self.failed and self.next.kind != "BROKEN":
            self._fault("a command")

    def _commands(self, depth: int) -> bool:
        while self.next.kind == "IDENTIFIER":
            if not self._command(depth):
                return False
        return True

    def _command(self, depth: int) -> bool:
        self._advance()
        count = [0]
        if not self._arguments(0, count) and not self._leave_command():
            return False
        if self.next.kind not in {"SEMICOLON", "LBRACE"}:
            self._fault("';' or '{' at the end of the command")
            if not self._leave_command():
                return False
        if self.next.kind == "LBRACE":
            return self._block(depth + 1)
        self._advance()
        return True

    def _block(self, depth: int) -> bool:
        if depth > self.limits.blocks:
            self._excess(f"blocks nested too deep: the limit is {self.limits.blocks}")
            self._advance()
            return self._leave_block()
        self._advance()
        if not self._commands(depth):
            return self._leave_block()
        if self.next.kind != "RBRACE":
            self._fault("'}' at the end of the block")
            return self._skip("LBRACE", "RBRACE", frozenset())  # which also ends what is around it
        self._advance()
        return True

    def _arguments(self, depth: int, count: list[int]) -> bool:
        count[0] = 0
        while self.next.kind in {"NUMBER", "TAG", "LSQB", *_STRINGS}:
            count[0] += 1
            if count[0] > self.limits.arguments:
                self._excess(f"too many arguments: the limit is {self.limits.arguments}")
                return False
            if self.next.kind == "LSQB":
                if not self._string_list():
                    return False
            else:
                self._advance()
        if self.next.kind == "IDENTIFIER":
            return self._test(depth + 1)
        return self._test_list(depth + 1) if self.next.kind == "LPAR" else True

    def _test(self, depth: int) -> bool:
        if depth > self.limits.tests:
            self._excess(f"tests nested too deep: the limit is {self.limits.tests}")
            return False
        self._advance()
        return self._arguments(depth, [0])

    def _test_list(self, depth: int) -> bool:
        self._advance()
        if depth > self.limits.tests:
            self._excess(f"tests nested too deep: the limit is {self.limits.tests}")
            return self._leave_tests()
        while True:
            if self.next.kind != "IDENTIFIER":
                self._fault("a test")
                return self._leave_tests()
            if not self._test(depth):
                return self._leave_tests()
            if self.next.kind != "COMMA":
                break
            self._advance()
        if self.next.kind != "RPAR":
            self._fault("',' or ')' in the list of tests")
            return self._leave_tests()
        self._advance()
        return True

    def _string_list(self) -> bool:
        self._advance()
        while True:
            if self.next.kind not in _STRINGS:
                self._fault("a string in the list of strings")
                return self._leave_strings()
            self._advance()
            if self.next.kind != "COMMA":
                break
            self._advance()
        if self.next.kind != "RSQB":
            self._fault("',' or ']' in the list of strings")
            return self._leave_strings()
        self._advance()
        return True
