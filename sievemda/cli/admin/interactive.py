"""The shell on a terminal: prompt, history, completion.

History lies in `$XDG_STATE_HOME/sievemda/admin_history`. Ctrl-C drops the line, Ctrl-D leaves.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from sievemda.cli.admin.session import Session
from sievemda.cli.admin.shell import Shell
from sievemda.cli.admin.table import BY_NAME
from sievemda.errors import SievemdaError
from sievemda.policy.quota import PRINTED

HISTORY = 1000  # lines that are kept
_OFFERED = 500  # mailboxes that are offered at most
_SPECIAL = re.compile(r"""[\s;&|<>'"\\#]""")
_WORDS = {
    "resource": PRINTED,
    "entry": ("comment", "expire", "news2mail", "pop3showafter", "sharedseen", "sieve", "specialuse", "squat"),
    "attribute": ("motd", "comment", "admin", "shutdown", "expire", "squat"),
    "command": tuple(BY_NAME),
}


def interact(shell: Shell) -> int:
    """Commands from the terminal until its end; the status to leave with."""
    session = shell.session
    with suppress(ImportError):
        _prepare(session)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    while not session.ended:
        try:
            line = _typed(session.prompt)
        except EOFError:
            print(file=session.out)
            return session.status
        except KeyboardInterrupt:
            print("^C", file=session.out)
            continue
        try:
            shell.line(line)
        except KeyboardInterrupt:
            session.complain("interrupted")
        session.out.flush()
    return session.status


def _typed(prompt: str) -> str:
    """A line. Octets that are nothing in the encoding of the terminal are taken for UTF-8."""
    line = input(prompt)
    try:
        line.encode()
    except UnicodeEncodeError:
        return line.encode(sys.stdin.encoding, "surrogateescape").decode("utf-8", "surrogateescape")
    return line


def _prepare(session: Session) -> None:
    """Line editing, where Python has it. ImportError."""
    import atexit
    import readline

    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "sievemda" / "admin_history"
    with suppress(OSError, RuntimeError):
        readline.read_history_file(file)
    readline.set_history_length(HISTORY)
    atexit.register(_keep_history, file)
    readline.set_completer_delims(" \t;\"'<>")
    readline.set_completer(Completer(session, readline.get_line_buffer, readline.get_begidx))
    readline.parse_and_bind("tab: complete")
    readline.parse_and_bind("set enable-bracketed-paste off")  # lines are lines, also for programs that type


def _keep_history(file: Path) -> None:
    import readline

    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        readline.write_history_file(file)


class Completer:
    """Names of commands, mailboxes, identifiers, options and what else a command takes, as readline asks for them."""

    def __init__(self, session: Session, line: Callable[[], str], start: Callable[[], int]) -> None:
        self._session = session
        self._line = line
        self._start = start
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            with suppress(SievemdaError, OSError):
                self._found = self.matches(self._line()[: self._start()], text)
        return self._found[state] if state < len(self._found) else None

    def matches(self, before: str, text: str) -> list[str]:
        """What can stand for `text` behind what is typed already."""
        words = before.rpartition(";")[2].split()
        if not words:
            return _beginning(BY_NAME, text)
        command = BY_NAME.get(words[0])
        if command is None:
            return []
        if text.startswith("-"):
            dashes = "--" if text.startswith("--") else "-"
            return _beginning((f"{dashes}{option}" for option in command.options), text)
        arguments = [word for word in words[1:] if not word.startswith("-")]
        if words[-1].lstrip("-") == "partition":
            return _beginning(self._session.store.layout.partitions, text)
        kinds = command.reads.split()
        if not kinds:
            return []
        kind = kinds[min(len(arguments), len(kinds) - 1)]
        return self._of_kind(kind, text, arguments)

    def _of_kind(self, kind: str, text: str, arguments: list[str]) -> list[str]:
        store = self._session.store
        if kind == "mailbox":
            names = self._session.matching(f"{text}*")[:_OFFERED]
            return [_SPECIAL.sub(r"\\\g<0>", self._session.shown(name)) + " " for name in names]
        if kind == "partition":
            return _beginning(store.layout.partitions, text)
        if kind == "id":
            mailbox = store.find(self._session.existing_name(arguments[0]))
            there = [identifier for identifier, _ in mailbox.acl().entries] if mailbox else []
            return _beginning([*there, "anyone", "anonymous", "group:"], text)
        return _beginning(_WORDS.get(kind, ()), text)


def _beginning(words: Iterable[str], text: str) -> list[str]:
    return sorted({f"{word} " for word in words if word.startswith(text)})


def is_terminal() -> bool:
    try:
        return sys.stdin.isatty()
    except ValueError:
        return False
