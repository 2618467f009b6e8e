"""fileinto: store into a named mailbox. RFC 5228 §4.1."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.effects import Store
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, is_utf8
from sievemda.sieve.vocabulary import Extension


@node
class FileInto(Command):
    """fileinto <mailbox: string>. Whether there is such a mailbox is known only to who carries it out."""

    keyword = "fileinto"
    mailbox: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.mailbox.constant and (fault := _fault(self.mailbox.source)):
            yield self.mailbox, fault

    def execute(self, run: Run) -> None:
        mailbox = run.text(self.mailbox)
        if fault := _fault(mailbox):
            raise RunError(fault, self.line)
        run.add(self.amended(Store(mailbox=mailbox, flags=run.flags, line=self.line), run))


def _fault(mailbox: str) -> str:
    """What no mailbox can be called, anywhere."""
    if not is_utf8(mailbox):
        return "invalid folder name: it is not UTF-8"
    return "" if mailbox else "invalid folder name: it is empty"


EXTENSIONS = (Extension("fileinto", "RFC 5228 §4.1", commands=(FileInto,)),)
