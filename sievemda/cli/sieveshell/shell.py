"""Lines in, output and statuses out.

An error is one line on standard error, `sieveshell: command: text`. Lines that no person types end at the first error:
what comes after a script that could not be stored must not make it active. `;` and line ends stand between commands,
words are quoted as in a shell, and `#` begins a comment.

What a server says is shown with everything spelled out that could move the cursor.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sievemda.cli.complaints import one_line
from sievemda.errors import SievemdaError, UsageError, exit_code
from sievemda.managesieve.client.refusals import Referred

if TYPE_CHECKING:
    from sievemda.cli.sieveshell.access import Access
    from sievemda.managesieve.client.session import Session

_LINE_END = re.compile("\r\n|\r|\n")
_TOKEN = re.compile(r"""[ \t]+|\#.*|(?P<end>;)|(?P<word>(?:[^ \t;'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)""", re.DOTALL)
_PIECE = re.compile(r"""'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|\\(?P<escaped>.)""", re.DOTALL)
_OPEN = {"'": "no closing quotation", '"': "no closing quotation", "\\": "no escaped character"}


@dataclass(slots=True)
class Context:
    """What a command works with."""

    access: Access
    session: Session
    as_json: bool = False
    ask: Callable[[str, str], str] | None = None  # a question and its answers by their first letters
    ended: bool = False
    names: tuple[str, ...] = ()  # of scripts, as they were seen last

    def say(self, text: str) -> None:
        print(one_line(text), flush=True)

    def renamed(self, old: str = "", new: str = "") -> None:
        """A script that was called `old`, if any, is called `new` from now on, or (without it) is gone."""
        self.names = tuple({*self.names, new} - {old, ""})

    def warn(self, text: str) -> None:
        for line in text.splitlines():
            print(f"sieveshell: {one_line(line)}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Command:
    """`usage` are its arguments; `least` and `most` how many there may be."""

    name: str
    usage: str
    help: str
    run: Callable[[Context, list[str]], None]
    least: int = 0
    most: int = 0
    completes: tuple[str, ...] = ()  # what each argument is: script or file


@dataclass(slots=True)
class Shell:
    context: Context
    commands: dict[str, Command]
    keep_going: bool = False
    status: int = field(default=0)

    def run(self, lines: Iterable[str]) -> int:
        """All lines; the exit code is that of the first that failed."""
        for line in lines:
            self.line(line)
            if self.context.ended or (self.status and not self.keep_going):
                break
        return self.status

    def line(self, text: str) -> None:
        """Run the commands of one line, up to the first that fails."""
        try:
            for words in split(text):
                if not self._command(words) and not self.keep_going:
                    return
                if self.context.ended:
                    return
        except UsageError as error:
            self._failed(error)

    def _command(self, words: list[str]) -> bool:
        """Whether it went well."""
        command = self.commands.get(words[0].lower()) or self._abbreviated(words[0].lower())
        if command is None:
            return self._failed(UsageError(f"{words[0]}: there is no such command; see help"))
        arguments = words[1:]
        if not command.least <= len(arguments) <= command.most:
            return self._failed(UsageError(f"usage: {command.name} {command.usage}".rstrip()))
        try:
            self._with_referral(command, arguments)
        except (SievemdaError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            self.context.ended = self.context.ended or self.context.session.lost
            return self._failed(error, command.name)
        return True

    def _with_referral(self, command: Command, arguments: list[str]) -> None:
        """A server that refers to another one has not done it: the other one is asked, if the user agrees."""
        context = self.context
        try:
            command.run(context, arguments)
        except Referred as referred:
            context.access.refer(referred)
            context.session.drop()
            context.session = context.access.open()
            command.run(context, arguments)

    def _abbreviated(self, word: str) -> Command | None:
        """A command by its beginning, where that is one command's alone."""
        found = [command for name, command in self.commands.items() if word and name.startswith(word)]
        return found[0] if len({command.name for command in found}) == 1 else None

    def _failed(self, error: SievemdaError | OSError, command: str = "") -> bool:
        """Say so; always False."""
        self.status = self.status or exit_code(error)
        text = str(error) if isinstance(error, SievemdaError) else f"{error.filename or 'file'}: {error.strerror}"
        first, *more = text.splitlines() or ["it failed"]
        self.context.warn("\n".join([f"{command}: {first}" if command else first, *(f"  {line}" for line in more)]))
        return False


def split(text: str) -> Iterator[list[str]]:
    """The commands of a text, as words; none of a line before the whole line is understood. Raises UsageError.

    Why not by shlex: to it a `#` within a word begins a comment, and what is quoted may be a `;` between commands; so
    it has `delete rules#2` delete `rules`.
    """
    for line in lines_of(text):
        command: list[str] = []
        for token in [*_tokens(line), None]:
            if token is not None:
                command.append(token)
            elif command:
                yield command
                command = []


def lines_of(text: str) -> list[str]:
    """By line ends alone, and not by everything that Unicode ends a line with."""
    return _LINE_END.split(text)


def _tokens(line: str) -> list[str | None]:
    """Words, and None for each end of a command."""
    found: list[str | None] = []
    at = 0
    while at < len(line):
        token = _TOKEN.match(line, at)
        if token is None:
            raise UsageError(f"{line[:80]}: {_OPEN[line[at]]}")
        if token["word"]:
            found.append(_PIECE.sub(_unquoted, token["word"]))
        elif token["end"]:
            found.append(None)
        at = token.end()
    return found


def _unquoted(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return re.sub(r'\\(["\\])', r"\1", piece["double"])
    return piece["single"] or piece["escaped"] or ""
