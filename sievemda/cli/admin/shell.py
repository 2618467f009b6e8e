"""Lines in, output and statuses out.

Every command ends with a status: 0, or the sysexits.h code of its error, 1 when a list is empty. An error is one line,
`command: text`, on standard error; within a list of mailboxes it ends the line of the one that failed, and the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from typing import TextIO, cast

from sievemda.cli.admin import language
from sievemda.cli.admin.listing import NOTHING
from sievemda.cli.admin.session import Refused, Session
from sievemda.cli.admin.table import BY_NAME, Command
from sievemda.cli.admin.texts import behind, told
from sievemda.errors import SievemdaError, StoreTrouble, Unavailable, UsageError


class Shell:
    def __init__(self, session: Session, *, strict: bool = False) -> None:
        self.session = session
        self._strict = strict  # the first error ends it

    def run(self, lines: Iterable[str]) -> int:
        """All lines; the status to leave with: that of the last command."""
        for line in lines:
            self.line(line)
            if self.session.ended:
                break
        return self.session.status

    def line(self, text: str) -> None:
        """Run the commands of one line."""
        try:
            statements = language.parse(text)
        except UsageError as error:
            self._failed(str(error), error)
            return
        for statement in statements:
            self._statement(statement)
            if self.session.ended:
                return

    def _statement(self, statement: language.Statement) -> None:
        session = self.session
        out, err = session.out, session.err
        try:
            with ExitStack() as opened:  # a file that is full says so when it is closed, too
                try:
                    self._redirect(statement.redirections, opened)
                    session.status = self._command(statement.words)
                    session.out.flush()  # who writes commands to us one by one waits for it
                finally:
                    session.out, session.err = out, err
        except BrokenPipeError:
            raise
        except OSError as error:
            self._failed(f"{error.filename or 'output'}: {error.strerror or error}", StoreTrouble())

    def _redirect(self, redirections: list[language.Redirection], opened: ExitStack) -> None:
        """In the order in which they are written, as sh does. OSError."""
        session = self.session
        for each in redirections:
            stream: TextIO
            if each.to:
                stream = session.out if each.to == 1 else session.err
            else:
                mode = "r" if each.stream == 0 else "a" if each.append else "w"
                descriptor = open(each.file, mode, encoding="utf-8", errors="backslashreplace")  # noqa: PTH123, SIM115
                stream = cast(TextIO, opened.enter_context(descriptor))
            if each.stream == 1:
                session.out = stream
            elif each.stream == 2:
                session.err = stream

    def _command(self, words: list[str]) -> int:
        if not words:
            return 0
        command = BY_NAME.get(words[0])
        session = self.session
        if command is None:
            what = "unknown command (programs are not run from here; `help' lists what there is)"
            return self._failed(f"{words[0]}: {what}", UsageError())
        try:
            if not (session.connected or command.offline):
                raise Refused("no connection to server", Unavailable.exit_code)
            status = command.run(session, words[1:])
        except UsageError as error:
            return self._failed(_usage(command), error)
        except SievemdaError as error:
            return self._told(command, error)
        except BrokenPipeError:
            raise
        except OSError as error:
            return self._told(command, StoreTrouble(f"{error.filename or 'system'}: {error.strerror or error}"))
        if status and self._strict and status != NOTHING:
            session.ended = True
        return status

    def _told(self, command: Command, error: SievemdaError) -> int:
        session, text = self.session, told(error)
        if session.verbose and (more := behind(error)):
            text = f"{text} ({more})"
        if session.line_open:
            session.say(text)
            return self._ended(error)
        return self._failed(f"{command.name}: {text}", error)

    def _failed(self, line: str, error: SievemdaError) -> int:
        if self.session.line_open:
            self.session.say("")
        for each in line.split("\n"):
            self.session.complain(each)
        return self._ended(error)

    def _ended(self, error: SievemdaError) -> int:
        self.session.status = error.exit_code
        self.session.ended = self.session.ended or self._strict
        return error.exit_code


def _usage(command: Command) -> str:
    first, *more = (f"{command.name} {usage}".rstrip() for usage in command.usage.split("\n"))
    return "\n".join([f"usage: {first}", *(f"       {line}" for line in more)])
