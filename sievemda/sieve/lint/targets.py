"""Where messages go: mailboxes that do not exist, and a redirect to oneself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sievemda.mail.addresslist import sieve_address
from sievemda.sieve.base.control import Chain
from sievemda.sieve.lint.telling import blocks, deep, tests_of, warning
from sievemda.sieve.node import Command, Option
from sievemda.sieve.problems import Problem
from sievemda.sieve.text import Text

_MADE = frozenset({"create", "specialuse", "mailboxid"})  # tags that say what to do when it is not there
_ASKING = frozenset({"mailboxexists", "mailboxidexists", "specialuse_exists"})


def targets(
    commands: tuple[Command, ...], exists: Callable[[str], bool] | None, own: frozenset[str], *, asked: bool = False
) -> Iterator[Problem]:
    """`asked`: a test around it has asked whether a mailbox exists, and whoever wrote that knows that it may not."""
    for command in commands:
        if exists is not None and not asked:
            yield from _mailboxes(command, exists)
        address = getattr(command, "address", None)
        if command.keyword == "redirect" and isinstance(address, Text) and address.constant:
            yield from _redirect(address, own)
        knows = asked or (isinstance(command, Chain) and _asks(command))
        for block in blocks(command):
            yield from targets(block, exists, own, asked=knows)


def _asks(chain: Chain) -> bool:
    return any(one.keyword in _ASKING for test in tests_of(chain) for one in deep(test))


def _mailboxes(command: Command, exists: Callable[[str], bool]) -> Iterator[Problem]:
    if any(option.keyword in _MADE for option in command.options):
        return
    holders: tuple[Command | Option, ...] = (command, *(o for o in command.options if o.keyword == "fcc"))
    for holder in holders:
        mailbox = getattr(holder, "mailbox", None)
        if not isinstance(mailbox, Text) or not mailbox.constant or not mailbox.source:
            continue
        if not exists(mailbox.source):
            name = mailbox.source[:80]
            hint = f'make it, or write {command.keyword} :create with require "mailbox"'
            yield warning(mailbox, "no-mailbox", f"there is no mailbox '{name}'", hint)


def _redirect(address: Text, own: frozenset[str]) -> Iterator[Problem]:
    found = sieve_address(address.source)
    if found is not None and str(found).lower() in own:
        text = "a redirect to yourself: the message comes back, and is kept then"
        yield warning(address, "self-redirect", text, "remove it, or write keep")
