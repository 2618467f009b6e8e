"""vnd.cyrus.implicit_keep_target: where a message goes that nothing else was decided about.

No RFC defines it: it is an action of Cyrus, extends RFC 5228 §2.10.2, and reads

    implicit_keep_target [":mailboxid" string / ":specialuse" string] [":create"] <mailbox: string>

The tags are those of fileinto and need what they need there. What it means here: the implicit keep, and only that (no
`keep`, and not what follows a run-time error), goes to this mailbox instead of the one that the address names; the
last target counts. It is no fileinto: it cancels nothing. Where the mailbox does not take the message, the implicit
keep is what it always was, since it must not lose mail.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.effects import Store
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, is_utf8
from sievemda.sieve.vocabulary import Extension


@node
class ImplicitKeepTarget(Command):
    """implicit_keep_target <mailbox: string>"""

    keyword = "implicit_keep_target"
    mailbox: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.mailbox.constant and not is_utf8(self.mailbox.source):
            yield self.mailbox, "invalid folder name: it is not UTF-8"

    def execute(self, run: Run) -> None:
        mailbox = run.text(self.mailbox)
        if not mailbox or not is_utf8(mailbox):
            raise RunError("invalid folder name: it is " + ("not UTF-8" if mailbox else "empty"), self.line)
        target = self.amended(Store(mailbox=mailbox, implicit=True, line=self.line), run)
        assert isinstance(target, Store)
        run.keep_target = target


EXTENSIONS = (
    Extension(
        "vnd.cyrus.implicit_keep_target",
        "extends RFC 5228",
        commands=(ImplicitKeepTarget,),
        note="where the implicit keep goes; an action of Cyrus",
    ),
)
