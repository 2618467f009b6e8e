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
        yield from name_faults(self.mailbox)

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from name_warnings(self.mailbox)

    def execute(self, run: Run) -> None:
        mailbox = run.text(self.mailbox)
        if not mailbox or not is_utf8(mailbox):
            raise RunError("invalid folder name: it is " + ("not UTF-8" if mailbox else "empty"), self.line)
        run.add(self.amended(Store(mailbox=mailbox, flags=run.flags, line=self.line), run))


def name_faults(mailbox: Text) -> Iterator[Fault]:
    """What no mailbox can be called, wherever a script names one to store into."""
    if mailbox.constant and not is_utf8(mailbox.source):
        yield mailbox, "invalid folder name: it is not UTF-8"


def name_warnings(mailbox: Text) -> Iterator[Fault]:
    if mailbox.constant and not mailbox.source:
        yield mailbox, "no mailbox has an empty name"


EXTENSIONS = (Extension("fileinto", "RFC 5228 §4.1", commands=(FileInto,)),)
