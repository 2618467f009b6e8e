"""fcc: keep a copy of the mail that an action sends. RFC 8580.

`:fcc` stands on vacation and on the notify of enotify, and nowhere else (§7, §8: on reject, redirect and the like it is
an unknown tag). The tags of fileinto that go with it (`:create`, `:flags`, `:specialuse`, `:mailboxid`) name `":fcc"`
in their `extends`, each in the file of its own extension; without `:fcc` they are refused there (§3.1).

Why a copy that cannot be kept is no error: RFC 8580 §3 leaves it open, and an answer that is due matters more than its
copy. What could not be done is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sievemda.sieve.effects import Effect, Notify, Respond, Store
from sievemda.sieve.extensions.fileinto import name_faults, name_warnings
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, is_utf8
from sievemda.sieve.vocabulary import Extension


@node
class Fcc(Option):
    """:fcc <mailbox: string>, §3."""

    keyword = "fcc"
    extends = ("vacation", "notify")
    mailbox: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from name_faults(self.mailbox)

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from name_warnings(self.mailbox)

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        if owner.keyword == "notify" and "enotify" not in context.vocabulary.capabilities:
            yield "':fcc' goes with the notify of enotify, not with the old one"

    def amend(self, effect: Effect, run: Run) -> Effect:
        mailbox = run.text(self.mailbox)
        if not isinstance(effect, Respond | Notify):
            return effect
        if not mailbox or not is_utf8(mailbox):
            run.note(f"no copy is kept: the folder name is {'not UTF-8' if mailbox else 'empty'}")
            return effect
        return replace(effect, fcc=Store(mailbox=mailbox, line=self.line))


EXTENSIONS = (Extension("fcc", "RFC 8580", options=(Fcc,)),)
