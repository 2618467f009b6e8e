"""The shell on a terminal: prompt, completion, questions. Ctrl-C drops the line, Ctrl-D leaves."""

from __future__ import annotations

import glob
import io
import sys
from contextlib import suppress
from pathlib import Path

from sievemda.cli.complaints import one_line
from sievemda.cli.line_editing import prepare, typed
from sievemda.cli.sieveshell.commands import BY_NAME
from sievemda.cli.sieveshell.shell import Context, Shell
from sievemda.errors import SievemdaError

_OFFERED = 200  # words at most
_SPECIAL = " \t;\"'\\#"


def interact(shell: Shell) -> int:
    """Commands from the terminal until its end. The exit code is 0: whoever typed has seen what failed."""
    context = shell.context
    completer = Completer(context)
    with suppress(ImportError):
        prepare("sieveshell_history", completer.matches)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    with suppress(SievemdaError):
        completer.learn()
    while not context.ended:
        try:
            line = typed("> ")
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            print("^C")
            continue
        try:
            shell.line(line)
        except KeyboardInterrupt:
            context.warn("interrupted")
            context.ended = True  # there is no telling what the server answers to
    return shell.status if context.session.lost else 0


def choose(question: str, letters: str) -> str:
    """One of these letters, typed by a person; the last is to quit, also for who ends the input."""
    while True:
        try:
            answer = typed(f"{one_line(question)} [{'/'.join(letters)}] ").strip().lower()
        except (EOFError, KeyboardInterrupt):
            print()
            return letters[-1]
        if answer[:1] and answer[:1] in letters:
            return answer[:1]


def agrees(question: str) -> bool:
    return choose(question, "yn") == "y"


class Completer:
    """Names of commands, of scripts there, of files here."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def learn(self) -> None:
        """The names of scripts, so that they can be offered without asking the server at each key."""
        self._context.names = tuple(script.name for script in self._context.session.list())

    def matches(self, before: str, text: str) -> list[str]:
        """What can stand for `text` behind what is typed already."""
        words = before.rpartition(";")[2].split()
        if not words:
            return sorted(f"{name} " for name in BY_NAME if name.startswith(text) and name != "?")
        command = BY_NAME.get(words[0].lower())
        number = len(words) - 1
        if command is None or number >= len(command.completes):
            return []
        return (self._scripts if command.completes[number] == "script" else _files)(text)

    def _scripts(self, text: str) -> list[str]:
        """Those whose names can be typed as they are."""
        names = (name for name in self._context.names if name.isprintable() and not set(_SPECIAL) & set(name))
        return sorted(f"{name} " for name in names if name.startswith(text))[:_OFFERED]


def _files(text: str) -> list[str]:
    found = (Path(name) for name in sorted(glob.glob(f"{glob.escape(text)}*"))[:_OFFERED])  # noqa: PTH207
    return [f"{path}/" if path.is_dir() else f"{path} " for path in found if str(path).isprintable()]
