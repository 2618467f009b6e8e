"""The shell on a terminal: prompt, history, completion.

History lies in `$XDG_STATE_HOME/sievemda/admin_history`. Ctrl-C drops the line, Ctrl-D leaves.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable
from contextlib import suppress

from sievemda.cli.admin.session import Session
from sievemda.cli.admin.shell import Shell
from sievemda.cli.admin.table import BY_NAME
from sievemda.cli.line_editing import prepare, typed
from sievemda.errors import SievemdaError
from sievemda.policy.quota import PRINTED

_BETWEEN = " \t;\"'<>"
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
        prepare("admin_history", Completer(session), _BETWEEN)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    while not session.ended:
        try:
            line = typed(session.prompt)
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


class Completer:
    """Names of commands, mailboxes, identifiers, options and what else a command takes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __call__(self, before: str, text: str) -> list[str]:
        """As `matches`; nothing where the store cannot be asked."""
        with suppress(SievemdaError, OSError):
            return self.matches(before, text)
        return []

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
