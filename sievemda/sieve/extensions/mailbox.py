"""mailbox: mailboxexists, and `:create` on what stores. RFC 5490 §3.1, §3.2.

The tags that say where a message is to go (`:create`, `:mailboxid`, `:specialuse`) mean the mailbox that is named: on
snooze the one that the message comes back to, not the one where it waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Texts, is_utf8
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import presence

QUESTION = 20_000  # characters that are charged for a question to the store, which may look at every folder


@node
class MailboxExists(Test):
    """mailboxexists <mailbox-names: string-list>: all of them exist, and the owner may deliver into each."""

    keyword = "mailboxexists"
    mailbox_names: Texts

    def holds(self, run: Run) -> bool:
        names = run.texts(self.mailbox_names)
        found = []
        for name in names:
            run.spend_matching(QUESTION)
            if not is_utf8(name):
                run.note("mailboxexists: the name of a mailbox is not UTF-8")
            elif run.facts.mailbox_exists(name):
                found.append(name)
        run.saw(found, names)
        return len(found) == len(names)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(seen, result, "there is {}", "there is no mailbox {} into which the message could go")


@node
class Create(Option):
    """:create, §3.2; with `:fcc`, RFC 8580 §3.1.1; on snooze only beside `:mailbox`, snooze draft §4.4.2."""

    keyword = "create"
    extends = ("fileinto", "snooze", "implicit_keep_target", ":fcc")

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        if owner.keyword == "snooze" and getattr(owner, "mailbox", None) is None:
            yield "':create' needs ':mailbox' on snooze: the INBOX is always there"

    def amend(self, effect: Effect, run: Run) -> Effect:
        return aimed(effect, create=True)


def aimed(effect: Effect, **place: Any) -> Effect:
    """The effect with a better description of where the message is to go in the end."""
    if not isinstance(effect, Store):
        return effect
    if effect.snooze is not None:
        return replace(effect, snooze=replace(effect.snooze, **place))
    return replace(effect, **place)


EXTENSIONS = (Extension("mailbox", "RFC 5490", tests=(MailboxExists,), options=(Create,)),)
