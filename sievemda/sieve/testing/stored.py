"""Words of the test language for messages, mailboxes and annotations of the world."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.mail.annotation import fault as annotation_fault
from sievemda.sieve.node import Command, Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.testing.bench import Bench, bench_of
from sievemda.sieve.testing.subject import DEFAULT_MESSAGE
from sievemda.sieve.testing.world import NoMailbox
from sievemda.sieve.text import Text, from_octets, is_utf8

_NOT_UTF8 = "invalid folder name: it is not UTF-8"


@node
class MessageCommand(Command):
    """test_message (":smtp" / ":folder" <mailbox: string>) <index: number>: the test fails where there is none."""

    keyword = "test_message"
    smtp: bool = False
    folder: Text | None = None
    index: int

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _source_fault(self)

    def execute(self, run: Run) -> None:
        if why := _fetch(self, run):
            bench_of(run).fail(why, self.line)


@node
class MessageTest(Test):
    """test_message (":smtp" / ":folder" <mailbox: string>) <index: number>: false where there is none."""

    keyword = "test_message"
    smtp: bool = False
    folder: Text | None = None
    index: int

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _source_fault(self)

    def holds(self, run: Run) -> bool:
        return not _fetch(self, run)


def _source_fault(wanted: MessageCommand | MessageTest) -> Iterator[Fault]:
    if wanted.smtp == (wanted.folder is not None):
        yield "test_message wants either ':smtp' or ':folder' with the name of a mailbox"
    elif wanted.folder is not None:
        yield from _mailbox_fault(wanted.folder)


def _fetch(wanted: MessageCommand | MessageTest, run: Run) -> str:
    """Make it the current message, counted from 0; in words why not, when there is none."""
    bench, index = bench_of(run), wanted.index
    if wanted.folder is None:
        return "" if _fetch_sent(bench, index) else f"no message {index} was sent"
    mailbox = run.text(wanted.folder)
    if not is_utf8(mailbox):
        bench.fail(_NOT_UTF8, wanted.line)
    return "" if _fetch_stored(bench, mailbox, index) else f"no message {index} in '{mailbox}'"


def _fetch_sent(bench: Bench, index: int) -> bool:
    """Whether there is such a message; its envelope is that with which it was sent."""
    sent = bench.world_so_far.sent if bench.world_so_far is not None else ()
    if index >= len(sent):
        return False
    letter = sent[index]
    bench.subject.set_message(letter.data)
    bench.subject.set_sender(letter.sender)
    bench.subject.set_recipient(letter.recipient)
    bench.presented()
    return True


def _fetch_stored(bench: Bench, mailbox: str, index: int) -> bool:
    """Whether there is such a message. Without the mailbox the default message becomes current, as in Pigeonhole."""
    try:
        found = bench.world.stored(mailbox, index)
    except NoMailbox:
        bench.subject.set_message(DEFAULT_MESSAGE)
        bench.presented()
        return False
    if found is None:
        return False
    bench.subject.set_message(found.data, found.flags)
    bench.presented()
    return True


@node
class MessagePrint(Command):
    """test_message_print"""

    keyword = "test_message_print"

    def execute(self, run: Run) -> None:
        bench_of(run).say(from_octets(bytes(run.message.data)))


@node
class MailboxCommand(Command):
    """<mailbox: string>"""

    mailbox: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _mailbox_fault(self.mailbox)

    def named(self, run: Run) -> str:
        name = run.text(self.mailbox)
        if not is_utf8(name):
            raise RunError(_NOT_UTF8, self.line)
        return name


@node
class MailboxCreate(MailboxCommand):
    """test_mailbox_create <mailbox: string>"""

    keyword = "test_mailbox_create"

    def execute(self, run: Run) -> None:
        bench_of(run).world.create_mailbox(self.named(run))


@node
class MailboxDelete(MailboxCommand):
    """test_mailbox_delete <mailbox: string>"""

    keyword = "test_mailbox_delete"

    def execute(self, run: Run) -> None:
        bench, name = bench_of(run), self.named(run)
        try:
            bench.world.delete_mailbox(name)
        except NoMailbox as e:
            bench.fail(f"the mailbox '{name}' cannot be deleted: {e}", self.line)


@node
class MetadataSet(Command):
    """test_imap_metadata_set [":mailbox" <mailbox: string>] <annotation: string> <value: string>"""

    keyword = "test_imap_metadata_set"
    mailbox: Text | None = None
    annotation: Text
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.mailbox is not None:
            yield from _mailbox_fault(self.mailbox)

    def execute(self, run: Run) -> None:
        entry, value = run.text(self.annotation), run.text(self.value)
        if why := annotation_fault(entry):
            raise RunError(f"invalid annotation name '{entry[:80]}': {why}", self.line)
        mailbox = None if self.mailbox is None else run.text(self.mailbox)
        if mailbox is not None and not is_utf8(mailbox):
            raise RunError(_NOT_UTF8, self.line)
        try:
            bench_of(run).world.annotate(mailbox, entry, value)
        except NoMailbox as e:
            raise RunError(f"the mailbox '{mailbox}' has no annotations: {e}", self.line) from e


def _mailbox_fault(name: Text) -> Iterator[Fault]:
    if name.constant and not is_utf8(name.source):
        yield name, _NOT_UTF8


COMMANDS: tuple[type[Command], ...] = (MessageCommand, MessagePrint, MailboxCreate, MailboxDelete, MetadataSet)
TESTS: tuple[type[Test], ...] = (MessageTest,)
