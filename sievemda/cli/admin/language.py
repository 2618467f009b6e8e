r"""A line of the shell as commands: words, quotes, `;`, redirections.

As in sh: blanks separate words, `'...'` holds anything, in `"..."` a backslash stands before `"` and `\` only, outside
of quotes before any character. `#` at the start of a word begins a comment. There are no variables, no substitutions,
no patterns of files: `*` and `%` reach the command. `>FILE`, `>>FILE`, `2>FILE`, `2>>FILE`, `2>&1`, `>&2` redirect.

Why pipes and `&` are refused instead of being words: a line that does something else than it says is worse than one
that does nothing. What cannot be understood anywhere in a line keeps all of the line from being run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sievemda.errors import UsageError

_BLANKS = " \t\r\n\f\v"
_REDIRECTION = re.compile(r"([0-9]?)(>>|>|<)(?:&([0-9]))?")
_PIECE = re.compile(
    r"""'(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | \\(?P<escaped>.) | (?P<plain>[^\s;&|<>'"\\]+)""",
    re.VERBOSE | re.DOTALL,
)
_IN_DOUBLE = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class Redirection:
    """Output of `stream` (1 or 2) goes to `file`, or where that of the stream `to` goes; 0 reads from `file`."""

    stream: int
    file: str = ""
    to: int = 0
    append: bool = False


@dataclass(slots=True)
class Statement:
    """One command with its arguments."""

    words: list[str] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


def parse(line: str) -> list[Statement]:
    """The commands of a line; UsageError says what cannot be understood."""
    found, at = [Statement()], 0
    while at < len(line):
        character = line[at]
        if character in _BLANKS:
            at += 1
        elif character == "#":
            break
        elif character == ";":
            found.append(Statement())
            at += 1
        elif character in "&|":
            raise UsageError(f"syntax error: cannot deal with `{character}' here")
        elif match := _REDIRECTION.match(line, at):
            redirection, at = _redirection(line, match)
            found[-1].redirections.append(redirection)
        else:
            word, at = _word(line, at)
            found[-1].words.append(word)
    return [statement for statement in found if statement.words or statement.redirections]


def _redirection(line: str, match: re.Match[str]) -> tuple[Redirection, int]:
    number, sign, to = match.groups()
    stream = int(number) if number else 0 if sign == "<" else 1
    if (sign == "<") is not (stream == 0) or stream > 2:
        raise UsageError(f"invalid file descriptor `{stream}'")
    if to:
        if to not in "12" or sign != ">":
            raise UsageError(f"invalid file descriptor `{to}'")
        return Redirection(stream, to=int(to)), match.end()
    at = match.end()
    while at < len(line) and line[at] in _BLANKS:
        at += 1
    if at == len(line) or line[at] in ";&|<>":
        raise UsageError(f"syntax error: no file after `{match[0]}'")
    file, at = _word(line, at)
    if "\0" in file:
        raise UsageError("syntax error: NUL in the name of a file")
    return Redirection(stream, file, append=sign == ">>"), at


def _word(line: str, at: int) -> tuple[str, int]:
    """The word that begins there, without its quotes, and where it ends."""
    pieces = []
    while at < len(line) and line[at] not in _BLANKS and line[at] not in ";&|<>":
        match = _PIECE.match(line, at)
        if match is None:
            if line[at] == "\\":
                raise UsageError("syntax error: nothing after the backslash")
            if line[at] in "'\"":
                raise UsageError(f"syntax error: no closing {line[at]}")
            pieces.append(line[at])  # a blank of Unicode is part of a name
            at += 1
            continue
        kind = match.lastgroup or ""
        pieces.append(_IN_DOUBLE.sub(r"\1", match[kind]) if kind == "double" else match[kind])
        at = match.end()
    return "".join(pieces), at
