"""mailbox: mailboxexists, and `:create` on fileinto. RFC 5490 §3.1, §3.2."""

from __future__ import annotations

from dataclasses import replace

from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.node import Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts, is_utf8
from sievemda.sieve.vocabulary import Extension


@node
class MailboxExists(Test):
    """mailboxexists <mailbox-names: string-list>: all of them exist, and the owner may deliver into each."""

    keyword = "mailboxexists"
    mailbox_names: Texts

    def holds(self, run: Run) -> bool:
        names = run.texts(self.mailbox_names)
        found = [name for name in names if is_utf8(name) and run.facts.mailbox_exists(name)]
        run.saw(found, names)
        return len(found) == len(names)


@node
class Create(Option):
    """:create"""

    keyword = "create"
    extends = ("fileinto", ":fcc")

    def amend(self, effect: Effect, run: Run) -> Effect:
        return replace(effect, create=True) if isinstance(effect, Store) else effect


EXTENSIONS = (Extension("mailbox", "RFC 5490", tests=(MailboxExists,), options=(Create,)),)
