"""mailboxid: mailboxidexists, and `:mailboxid` on what stores. RFC 9042 (draft-ietf-extra-sieve-mailboxid).

A mailbox keeps its identifier when it is renamed. Where there is no mailbox of that identifier among the user's own,
the name counts, as if the tag were not there (§4); a mailbox that is then created gets an identifier of its own, never
this one (§4.1, §8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.sieve.effects import Effect
from sievemda.sieve.extensions.mailbox import QUESTION, aimed
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, Texts, is_utf8
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import presence


@node
class MailboxIdExists(Test):
    """mailboxidexists <mailboxids: string-list>, §6: all of them exist, and the owner may deliver into each."""

    keyword = "mailboxidexists"
    mailboxids: Texts

    def holds(self, run: Run) -> bool:
        wanted = run.texts(self.mailboxids)
        found = []
        for each in wanted:
            run.spend_matching(QUESTION)
            if each and is_utf8(each) and run.facts.mailbox_with_id(each):
                found.append(each)
        run.saw(found, wanted)
        return len(found) == len(wanted)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(seen, result, "a mailbox has the identifier {}", "no mailbox has the identifier {}")


@node
class MailboxId(Option):
    """:mailboxid <objectid: string>, §4; with `:fcc`, §5; on snooze, snooze draft §4.4.4."""

    keyword = "mailboxid"
    extends = ("fileinto", "snooze", "implicit_keep_target", ":fcc")
    objectid: Text

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        """It is an error to give both: §4.2, §5; snooze draft §4.4.4."""
        if any(option.keyword == "specialuse" for option in owner.options):
            yield "':mailboxid' and ':specialuse' cannot be used together"

    def amend(self, effect: Effect, run: Run) -> Effect:
        wanted = run.text(self.objectid)
        return aimed(effect, mailbox_id=wanted) if is_utf8(wanted) else effect


EXTENSIONS = (Extension("mailboxid", "RFC 9042", tests=(MailboxIdExists,), options=(MailboxId,)),)
