"""The words of a script as a person meant them: what is no word of Sieve is read as the one that it stands for.

Each word carries what is wrong with it; the reader tells that when it uses the word, and is silent when it skips it.

A missing quote turns the rest of a script inside out. So a string that goes over a line end is believed only when
something may follow that can stand behind a string; else it ends on its first line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sievemda.sieve.limits import Limits
from sievemda.sieve.literals import number_value, string_value
from sievemda.sieve.scanner import Scanner

STRINGS = frozenset({"QUOTED_STRING", "MULTI_LINE"})

_SLASHES = re.compile(r"//[^\n]*")
_CURLY = re.compile('[“”„‟«»][^“”„‟«»"\n]{0,2000}[“”‟«»"]')
_CURLY_SINGLE = re.compile('[\u2018-\u201b\u2039][^\u2018-\u201b\u2039\u203a"\n]{0,2000}[\u2018\u2019\u203a]')
_SINGLE = re.compile(r"'[^'\n]{0,2000}'|`[^`'\n]{0,2000}[`']")
_OPERATOR = re.compile(r"&&|\|\||[!=<>]=|=~|[=<>!&|~]|[+.](?=[\s;\"])")
_INVISIBLE = re.compile("[\ufeff\u00a0\u200b-\u200f\u2028\u2029\u2060\u3000]+")
_DIGITS = re.compile(r"-?[0-9][0-9A-Za-z]*(?:[.,][0-9][0-9A-Za-z]*)?")
_NUMBER = re.compile(r"[0-9]+[KMGkmg]?\Z")
_UNQUOTED = re.compile(r"i;[a-z][a-z-]*|[A-Za-z0-9_]+(?:[.@+-]|/(?![/*]))[^\s;,\"(){}\[\]]+")
_RUBBISH = re.compile(r"(?:\$\{[^}\s]{0,80}\}|[^\s;,\"(){}\[\]])+")
_OPENED_LATE = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_.@/-]{0,200}"')
_TAG_APART = re.compile(r":[ \t]+[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"text:[^\n]*\n", re.IGNORECASE)
_ALMOST_DOT = re.compile(r"^[ \t]*(?:\.[ \t]*;?|;)[ \t]*\r?$", re.MULTILINE)
_DOT = re.compile(r"^\.\r?$", re.MULTILINE)
_TAIL = re.compile(r"[ \t]*[\])]{0,9}[ \t]*(?:[;,]|\{)?[ \t]*(?:#.*)?\r?\Z")
_INSIDE = re.compile(r'[^"\n]{0,2000}"[^"\n]{0,2000}"(?=[ \t]*(?:[;,\])}{]|\r?\n|\Z))')
_BEHIND_A_STRING = frozenset(' \t\r\n;,)]}{([#/"')
_OPENS_NEXT = re.compile(
    r"(?:,|[ \t])[ \t]*[\[(]?[ \t]*\Z"
)  # at the end of what the quote of the next string has closed
_STRAIGHT = "strings stand in double quotes"
_UNTERMINATED = 20  # how many strings and comments without an end are looked into


@dataclass(frozen=True, slots=True)
class Word:
    """`kind` is a terminal of the grammar, or OPERATOR, COLON, UNKNOWN, COMMENT (skipped, for its fault), END.

    `first`: nothing stands before it on its line. `value` is what a string or number stands for.
    """

    kind: str
    text: str
    offset: int
    end: int
    first: bool = False
    value: str = ""
    fault: str = ""
    hint: str = ""
    code: str = "syntax"


class Words:
    """Cuts one text."""

    def __init__(self, scanner: Scanner, text: str, limits: Limits) -> None:
        self._scanner = scanner
        self._text = text
        self._limits = limits
        self._patience = _UNTERMINATED
        self._first = True

    def cut(self) -> Iterator[Word]:
        """The words in order; the last one is of the kind END."""
        text, at, line = self._text, 0, 0
        while at < len(text):
            if found := self._scanner.blank(text, at):
                if "\0" in found[0]:
                    yield Word("COMMENT", "", at, at + 1, fault="a comment must not hold a NUL character")
                at = found.end()
                continue
            line = max(line, text.rfind("\n", line, at) + 1)
            self._first = not text[line:at].strip() if at - line < 200 else False
            word = self._word(at)
            yield word
            at = word.end
        yield Word("END", "", at, at, first=True)

    def _word(self, at: int) -> Word:
        text = self._text
        if text[at] == '"':
            return self._quoted(at)
        if text.startswith("//", at):
            end = self._end(_SLASHES, at)
            hint = "begin the comment with '#'"
            return self._made("COMMENT", at, end, fault="a comment does not begin with '//'", hint=hint)
        if text.startswith("/*", at):
            return self._open_comment(at)
        if (multi := _TEXT.match(text, at)) and text[at : at + 4].lower() == "text":
            return self._multi_line(at, multi.end())
        return self._odd(at) or self._plain(at)

    # -- words as they should be -------------------------------------------------------------------------------

    def _plain(self, at: int) -> Word:
        found = self._scanner.match(self._text, at)
        if found is None:
            kind = {":": "COLON", "/": "UNKNOWN"}.get(self._text[at], "UNKNOWN")
            end = at + 1 if kind == "COLON" else self._end(_RUBBISH, at)
            shown = repr(self._text[at:end][:20]).replace("\\udc", "\\x")
            fault = "" if kind == "COLON" else f"unknown characters {shown}"
            return self._made(kind, at, end, value=self._text[at:end], fault=fault, hint=_STRAIGHT if fault else "")
        kind, word = found.lastgroup or "", found[0]
        fault = ""
        if kind in {"IDENTIFIER", "TAG"} and len(word.lstrip(":")) > self._limits.identifier:
            fault = f"identifier too long: the limit is {self._limits.identifier} characters"
        elif kind == "NUMBER" and number_value(word) > self._limits.number:
            fault = f"number too large: {word[:40]}, the limit is {self._limits.number}"
        return self._made(kind, at, found.end(), fault=fault)

    def _made(self, kind: str, at: int, end: int, *, value: str = "", fault: str = "", hint: str = "") -> Word:
        return Word(kind, self._text[at:end], at, end, self._first, value, fault, hint)

    def _end(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self._text, at)
        return found.end() if found and found.end() > at else at + 1

    # -- strings -----------------------------------------------------------------------------------------------

    def _string(self, at: int, end: int, value: str, fault: str, hint: str) -> Word:
        return self._made("QUOTED_STRING", at, end, value=value, fault=fault, hint=hint)

    def _quoted(self, at: int) -> Word:
        text = self._text
        found = self._scanner.match(text, at) if self._patience else None
        if found is not None and found.lastgroup == "QUOTED_STRING":
            behind = text[found.end() : found.end() + 1]
            if not behind or (behind in _BEHIND_A_STRING and not (behind == '"' and "\n" in found[0])):
                return self._whole(at, found.end(), found[0])
            if "\n" not in found[0] and (not _ends_something(found[0][1:-1]) or behind.isalnum()):
                rest = text[found.end() : found.end() + 400].partition("\n")[0]
                cut = _OPENS_NEXT.search(found[0][1:-1])
                if cut and cut.start() and rest.count('"') % 2:
                    return self._not_closed(at, at + 1 + cut.start())
                alone = '"' not in rest and not behind.isalnum()
                return self._whole(at, found.end(), found[0]) if alone else self._quote_inside(at, found.end())
        self._patience = max(self._patience - 1, 0)
        return self._unclosed(at)

    def _whole(self, at: int, end: int, token: str) -> Word:
        value, fault = string_value(token), ""
        if "\0" in token:
            fault = "a string must not hold a NUL character"
        elif "\r" in token and re.search("\r(?!\n)", token):
            fault = "a string must not hold a CR without LF"
        elif len(value) > self._limits.string:
            fault = f"string too long: the limit is {self._limits.string} characters"
        return self._made("QUOTED_STRING", at, end, value=value, fault=fault)

    def _quote_inside(self, at: int, end: int) -> Word:
        """`"a "b" c"`: a quote that was meant to be in the string."""
        rest = _INSIDE.match(self._text, end)
        stop = rest.end() if rest else end
        value = self._text[at + 1 : stop - 1]
        hint = 'write a quote inside a string as \\"'
        return self._string(at, stop, value, "unexpected characters behind the end of a string", hint)

    def _unclosed(self, at: int) -> Word:
        """The string ends where its first line does, before what ends a command or a list there."""
        text = self._text
        stop = text.find("\n", at)
        line = text[at : stop if stop >= 0 else len(text)]
        curly = re.match('"[^"”»\n]{0,2000}[”»]', line)
        if curly:
            return self._string(at, at + curly.end(), curly[0][1:-1], *_WRONG_QUOTES)
        within = re.match(r'"[^",\])\n]{0,2000}(?=[\])]{0,9}[ \t]*,?[ \t]*")', line)
        end = at + (within.end() if within else _tail(line))
        return self._not_closed(at, end)

    def _not_closed(self, at: int, end: int) -> Word:
        value = self._text[at + 1 : end]
        hint = f'write "{value[:40].strip()}"' if value.strip() else "a '\"' is too much, or one is missing"
        return self._string(at, max(end, at + 1), value, "unterminated string: the closing '\"' is missing", hint)

    def _multi_line(self, at: int, begin: int) -> Word:
        text = self._text
        found = self._scanner.match(text, at) if self._patience else None
        if found is not None and found.lastgroup == "MULTI_LINE":
            word = self._whole(at, found.end(), found[0])
            return Word("MULTI_LINE", word.text, at, word.end, self._first, word.value, word.fault)
        self._patience = max(self._patience - 1, 0)
        title = text[at + 5 : begin].strip()
        if title and not title.startswith("#"):
            dot = _DOT.search(text, begin) if self._patience else None
            end = min(dot.end() + 1, len(text)) if dot else begin
            fault, hint = "nothing may follow 'text:' on its line", "begin the text on the next line"
        else:
            dot = _ALMOST_DOT.search(text, begin) if self._patience else None
            ends = dot is not None and "." in dot[0]
            end = len(text) if dot is None else dot.end() - dot[0].endswith("\r") if ends else dot.start()
            fault = "unterminated multi-line string: the line with a single '.' is missing"
            hint = "the text ends with a line that holds a '.' and nothing else; the ';' comes on the next line"
            if ends and dot and ";" in dot[0]:
                end = dot.start() + dot[0].index(";")  # the end of the command
        return self._made("MULTI_LINE", at, end, value=text[begin:end], fault=fault, hint=hint)

    # -- what people write instead -----------------------------------------------------------------------------

    def _odd(self, at: int) -> Word | None:
        text = self._text
        for pattern in (_CURLY, _CURLY_SINGLE, _SINGLE):
            if found := pattern.match(text, at):
                inner = found[0][1:-1]
                return self._string(at, found.end(), inner, _WRONG_QUOTES[0], f'write "{inner[:40]}"')
        if found := _INVISIBLE.match(text, at):
            shown = f"U+{ord(text[at]):04X}"
            return self._made(
                "COMMENT", at, found.end(), fault=f"an invisible character ({shown})", hint="retype the space"
            )
        if text[at] == "\0":
            return self._made("COMMENT", at, at + 1, fault="unknown characters '\\x00'", hint="remove it")
        if found := _OPERATOR.match(text, at):
            return self._made("OPERATOR", at, found.end(), fault=f"unknown characters {found[0]!r}")
        if text[at] in "-0123456789" and (found := _DIGITS.match(text, at)) and not _NUMBER.match(found[0]):
            return self._odd_number(at, found)
        if found := _TAG_APART.match(text, at):
            word = found[0][1:].strip()
            return Word("TAG", f":{word}", at, found.end(), self._first, "", "a space behind ':'", f"write :{word}")
        return self._without_quotes(at)

    def _odd_number(self, at: int, found: re.Match[str]) -> Word | None:
        if found[0] == "-" or ((unquoted := _UNQUOTED.match(self._text, at)) and "@" in unquoted[0]):
            return self._without_quotes(at)
        hint = "a number is digits, and may end in K, M or G"
        return Word("NUMBER", "0", at, found.end(), self._first, "", f"invalid number {found[0][:40]!r}", hint)

    def _without_quotes(self, at: int) -> Word | None:
        text = self._text
        late = _OPENED_LATE.match(text, at)
        if late and self._opens_nothing(late.end() - 1):
            inner = late[0][:-1]
            return self._string(at, late.end(), inner, "the opening '\"' of a string is missing", f'write "{inner}"')
        found = _UNQUOTED.match(text, at)
        if not found and text[at] in "\\$*@%^?.+-":
            found = _RUBBISH.match(text, at)
        if not found:
            return None
        fault = "a string without quotes"
        return self._string(at, found.end(), found[0], fault, f'write "{found[0][:60]}"')

    def _opens_nothing(self, quote: int) -> bool:
        """Whether the quote behind a word is the end of a string, by what stands behind it."""
        line = self._text[quote + 1 : quote + 400].partition("\n")[0]
        if line.count('"') % 2 == 0 and re.match(r"[ \t]*,|[ \t]+[\"\[]", line):
            return True
        return '"' not in line and re.match(r"[ \t]*[;,\])}{]", line + ";") is not None

    def _open_comment(self, at: int) -> Word:
        return self._made(
            "COMMENT", at, len(self._text), fault="unterminated comment: the closing '*/' is missing",
            hint="write '*/' where the comment ends",
        )  # fmt: skip


_WRONG_QUOTES = ("a string in the wrong quotes", _STRAIGHT)


def _ends_something(inner: str) -> bool:
    """Whether a string between two quotes looks like what stands between two strings."""
    return re.search(r"[,;(\[{\])][ \t]*\Z", inner) is not None


def _tail(line: str) -> int:
    """Where a string without end ends on its first line: before what ends a command or a list there."""
    body = line[-400:]
    found = _TAIL.search(body)
    cut = found.start() if found else len(body)
    return max(len(line) - len(body) + cut, 1)
