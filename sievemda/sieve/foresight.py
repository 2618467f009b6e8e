"""What a script will come to whatever the message is: limits that it always goes over, told when it is stored.

Why a warning and no error: the script is valid, another site may allow it, and test suites of other implementations
want such a script to compile and to fail when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.base.actions import RedirectCommand
from sievemda.sieve.base.control import Chain
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command
from sievemda.sieve.problems import Problem


def excess(commands: tuple[Command, ...], limits: Limits) -> Iterator[Problem]:
    """One warning at the first redirect, and one at the first action, that is always one too many."""
    redirects: set[str] = set()
    actions: set[tuple[str, str]] = set()
    for command in _always(commands):
        key = _key(command)
        if key is None or key in actions:
            continue
        actions.add(key)
        if limits.actions and len(actions) == limits.actions + 1:
            yield _problem(command, f"total number of actions exceeds policy limit ({len(actions)} > {limits.actions})")
        if isinstance(command, RedirectCommand):
            redirects.add(key[1])
            if limits.redirects and len(redirects) == limits.redirects + 1:
                over = f"({len(redirects)} > {limits.redirects})"
                yield _problem(command, f"number of redirect actions exceeds policy limit {over}")


def _always(commands: tuple[Command, ...]) -> Iterator[Command]:
    """The commands that are reached for every message: those in front of anything that may end the script."""
    for command in commands:
        if isinstance(command, Chain) or command.ends or command.inclusion() is not None:
            return
        yield command


def _key(command: Command) -> tuple[str, str] | None:
    """What makes two actions one; `None` for what is not known to be an action of its own."""
    if isinstance(command, RedirectCommand) and command.address.constant and not command.options:
        local, _, domain = command.address.source.rpartition("@")
        return "redirect", f"{local}@{domain.lower()}"
    mailbox = getattr(command, "mailbox", None)
    if command.keyword == "fileinto" and mailbox is not None and mailbox.constant and not command.options:
        folder = mailbox.source
        return "fileinto", "INBOX" if folder.lower() == "inbox" else folder
    return None


def _problem(command: Command, text: str) -> Problem:
    return Problem(
        command.line,
        command.column,
        f"{text}: this script always stops here with an error",
        "warning",
        code="always-exceeded",
    )
