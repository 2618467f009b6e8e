"""`help`: the table of commands, or what one of them wants."""

from __future__ import annotations

from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import Session
from sievemda.cli.admin.table import BY_NAME, COMMANDS
from sievemda.errors import UsageError

_CLOSING = """
Options with two hyphens are written in full, those with one may be shortened. Patterns: * is anything, % anything
within one level. "a b" or 'a b' is one word, ; separates commands, > and >> write to a file, # begins a comment.
As in cyradm, with these differences: names are those of administrators whoever acts, there are no passwords and no
other servers, programs are not run from here, and ~/.cyradmrc.pl, which is Perl, is not read."""


def show(session: Session, arguments: Arguments) -> int:
    if not arguments.words:
        width = max(len(", ".join(command.names)) for command in COMMANDS)
        for command in COMMANDS:
            session.say(f"{', '.join(command.names):<{width}}  {command.summary}")
        for line in _CLOSING.split("\n"):
            session.say(line)
        return 0
    found = [_one(session, word) for word in arguments.words]
    return 0 if all(found) else UsageError.exit_code


def _one(session: Session, word: str) -> bool:
    command = BY_NAME.get(word)
    if command is None:
        session.say(f"unknown command: {word}")
        return False
    alias = f"{word}, alias for " if word != command.name else ""
    for usage in command.usage.split("\n"):
        session.say(f"{alias}{command.name} {usage}".rstrip())
    for line in (command.summary, command.note):
        if line:
            session.out.write(f"\t{line}\n")
    return True
