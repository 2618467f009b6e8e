"""`sievemda sieve run`: what a script would do with a message, or with all of a mailbox, and why. Nothing is done.

Why one message is told of rule by rule and many are counted: nobody reads the story of a thousand messages, and of one
a table says nothing. `--table` and `--explain` say which it is to be, whatever was named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.sieve_input import WRONG, Unreadable, language
from sievemda.cli.terminal import clean, color_option, is_terminal, say, screen

if TYPE_CHECKING:
    from sievemda.cli.mail_sources import Mail, Sources
    from sievemda.cli.sieve_scripts import Row
    from sievemda.cli.sieve_table import Table
    from sievemda.mail.envelope import Envelope
    from sievemda.mail.message import Message
    from sievemda.sieve.rehearsal import Imagined


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is to be told."""

    as_json: bool
    trace: bool
    color: str
    table: bool | None  # None: as the messages are one or many
    only: str | None
    caught: tuple[str, ...]

    def check(self) -> None:
        """Raises click.UsageError for what cannot be wanted together."""
        if self.table and (self.trace or self.only):
            raise click.UsageError(
                "--trace and --only are for messages that are explained, not for --table", _context()
            )
        if self.caught and (self.table is False or self.only):
            raise click.UsageError("--caught is for the table of many messages", _context())

    def is_table(self, sources: Sources) -> bool:
        """Whether the messages are counted."""
        if self.table is not None or self.only or self.trace or self.caught:
            return bool(self.table) or bool(self.caught)
        return sources.are_many


@click.command(
    epilog="Example: sievemda sieve run --from bob@example.net --to alice+lists@example.org alice.sieve message.eml; "
    "sievemda sieve run alice.sieve ~/Maildir"
)
@click.argument("script")
@click.argument("messages", metavar="MESSAGE...", nargs=-1, required=True)
@click.option("--from", "sender", metavar="A", help="Envelope sender; <> is the null one. Default: from the header.")
@click.option("--to", "recipient", metavar="A", help="Envelope recipient. Default: from the header.")
@click.option("--mailbox", "mailboxes", metavar="NAME", multiple=True, help="A mailbox that exists; may be repeated.")
@click.option("--mailbox-id", "ids", metavar="ID", multiple=True, help="An identifier that a mailbox has; repeatable.")
@click.option("--now", metavar="DATE", help="The time of the run: 2026-11-22T10:00:00+01:00, or as in a Date field.")
@click.option("--own", metavar="A", multiple=True, help="An address of the user's beside the recipient; repeatable.")
@click.option("--include", "include", metavar="DIR", multiple=True, help="Where scripts to include are; repeatable.")
@click.option("--before", metavar="SCRIPT", multiple=True, help="A script that runs before SCRIPT; repeatable.")
@click.option("--after", metavar="SCRIPT", multiple=True, help="A script that runs after SCRIPT; repeatable.")
@click.option("--env", "environment", metavar="NAME=VALUE", multiple=True, help="An item of the environment test.")
@click.option("--seen", metavar="ID", multiple=True, help="What the duplicate test has seen before; repeatable.")
@click.option("--special-use", "uses", metavar="MAILBOX=USE", multiple=True, help="A special use; repeatable.")
@click.option("--metadata", "annotations", metavar="[MAILBOX]ENTRY=VALUE", multiple=True, help="An annotation.")
@click.option("--list", "lists", metavar="NAME=A,B", multiple=True, help="An external list; repeatable.")
@click.option("--set", "local_sets", metavar="KEY=VALUE", multiple=True, help="A setting; repeatable.")
@click.option("--trace", is_flag=True, help="Every command and test, in the order of their turn.")
@click.option("--table/--explain", default=None, help="Count over all messages, or explain each. Default: by how many.")
@click.option("--only", metavar="N|ID", help="Of many messages this one: its number from 1, or its Message-ID.")
@click.option("--caught", metavar="LINE", multiple=True, help="List what the rule of this line, or name, caught; none.")
@click.option("--input", "kind", type=click.Choice(["auto", "message", "mbox"]), default="auto", help="What a file is.")
@color_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def run(
    script: str,
    messages: tuple[str, ...],
    sender: str | None,
    recipient: str | None,
    include: tuple[str, ...],
    before: tuple[str, ...],
    after: tuple[str, ...],
    local_sets: tuple[str, ...],
    kind: str,
    **options: Any,
) -> int:
    """Run SCRIPT on MESSAGE and say, rule by rule, why it matched or not, and what would be done. Nothing is done.

    MESSAGE is a message file, an mbox, a Maildir or one folder of it, or a directory of message files. Of more than
    one message a table is shown: how many each rule caught. One of SCRIPT and MESSAGE may be `-` for standard input.

    Line ends may be LF or CRLF; a `From ` line in front of a single message is passed over. Without --from the sender
    is that of Return-Path, the `From ` line, Sender or From; without --to the recipient is that of Envelope-To,
    Delivered-To or To. Scripts to include are looked for in each DIR, else beside SCRIPT: included/NAME.sieve or
    NAME.sieve, for global ones included-global/NAME.sieve.

    Exit code 0; 1 when a script is not valid or stops with an error; 2 when a file cannot be read.
    """
    from sievemda.cli.mail_sources import Sources
    from sievemda.cli.sieve_scripts import Row
    from sievemda.cli.sieve_world import World

    if script == "-" and "-" in messages:
        raise click.UsageError("standard input can be the script or the message, not both", _context())
    wanted = Wanted(**{name: options.pop(name) for name in ("as_json", "trace", "color", "table", "only", "caught")})
    wanted.check()
    limits, available = language(local_sets)
    with Sources(messages, kind) as sources:
        many = wanted.is_table(sources)
        row = Row(script, before, after, include, limits, available)
        if row.wrong:
            _print_problems(row, wanted)
            return WRONG
        facts = World(**options).facts(row.load_included)
        session = _Session(row, facts, sources, wanted, sender, recipient)
        return session.count() if many else session.explain()


class _Session:
    """Runs of one row of scripts on some messages."""

    def __init__(
        self, row: Row, facts: Imagined, sources: Sources, wanted: Wanted, sender: str | None, recipient: str | None
    ) -> None:
        self._row = row
        self._facts = facts
        self._sources = sources
        self._wanted = wanted
        self._screen = screen(wanted.color)
        self._sender = sender
        self._recipient = recipient

    def explain(self) -> int:
        """Each message by itself; as JSON one object for each, one a line."""
        from sievemda.cli.mail_sources import only_wanted

        only, code, found = self._wanted.only, 0, False
        for mail in only_wanted(iter(self._sources), only) if only else self._sources:
            if found and not self._wanted.as_json:
                click.echo()
            if not found and not self._wanted.as_json:
                self._warn()
            found = True
            code = max(code, self._explain(mail))
        if only and not found:
            raise Unreadable(f"there is no message {only}")
        return code

    def _explain(self, mail: Mail) -> int:
        from sievemda.cli.sieve_explained import explained, heading
        from sievemda.cli.sieve_report import problem_lines
        from sievemda.cli.sieve_trace import trace_lines
        from sievemda.sieve.sequence import run_all
        from sievemda.sieve.story import Story
        from sievemda.sieve.told import story_to_json
        from sievemda.sieve.tracing import Trace

        if mail.problem:
            raise Unreadable(f"cannot read {mail.where}: {mail.problem}")
        row, where, trace, message = self._row, self._screen, Trace(), mail.message
        envelope = self._envelope(mail, message)
        outcome = run_all(row.stages, message, envelope, self._facts, row.limits, trace.begin)
        story = Story(trace, row.sources)
        code = WRONG if outcome.failure else 0
        if self._wanted.as_json:
            problems = (*row.warnings, *((outcome.failure,) if outcome.failure else ()))
            click.echo(json.dumps(story_to_json(outcome, story, problems, full=self._wanted.trace)))
            return code
        say(where.style(clean(heading(message, envelope)), bold=True), where)
        if self._wanted.trace:
            for line in trace_lines(where, story, row.limits, message.stored_size, row.script):
                say(line, where)
        for line in explained(where, story, outcome, row.script):
            say(line, where)
        for line in problem_lines(row.script, (outcome.failure,) if outcome.failure else ()):
            say(line, where)
        return code

    def _warn(self) -> None:
        for line in self._row.lines(self._row.warnings, self._screen):
            say(line, self._screen)

    def count(self) -> int:
        """All messages in a table."""
        from sievemda.cli.sieve_table import Table, table_json, table_lines, unknown
        from sievemda.sieve.report import problem_to_json

        row, where, table = self._row, self._screen, Table(self._wanted.caught)
        for number, mail in enumerate(self._with_progress(), 1):
            self._count(table, number, mail)
        for name in unknown(self._wanted.caught, row.sources):
            click.echo(
                f"--caught: there is no rule {clean(name)}; rules are named by line, line:column or name", err=True
            )
        if self._wanted.as_json:
            problems = [problem_to_json(problem) for problem in row.warnings]
            click.echo(json.dumps(table_json(table, row.sources) | {"problems": problems}))
        else:
            self._warn()
            for line in table_lines(where, table, row.sources, row.script):
                say(line, where)
        return WRONG if table.failed > table.unread else 0

    def _count(self, table: Table, number: int, mail: Mail) -> None:
        from sievemda.sieve.sequence import run_all

        if mail.problem:
            table.missed(number, mail.where, mail.problem)
            return
        row, message = self._row, mail.message
        envelope = self._envelope(mail, message)
        table.count(number, mail.where, message, run_all(row.stages, message, envelope, self._facts, row.limits))

    def _with_progress(self) -> Iterator[Mail]:
        """The messages, with a bar on standard error when that is a terminal."""
        if not is_terminal(sys.stderr):
            yield from self._sources
            return
        done = 0
        with click.progressbar(length=self._sources.length, label="messages", file=sys.stderr) as bar:
            for mail in self._sources:
                yield mail
                bar.update(max(mail.done - done, 0))
                done = max(mail.done, done)

    def _envelope(self, mail: Mail, message: Message) -> Envelope:
        from sievemda.cli.mail_sources import delivered_to, sender_said_by
        from sievemda.cli.sieve_world import envelope_of

        recipient = self._recipient
        if recipient is None and (found := delivered_to(message)):
            recipient = str(found)
        return envelope_of(message, sender_said_by(mail, message, self._sender), recipient)


def _print_problems(row: Row, wanted: Wanted) -> None:
    """What is wrong with the scripts, which then are not run."""
    from sievemda.sieve.report import outcome_to_json
    from sievemda.sieve.run import Outcome

    if wanted.as_json:
        broken = Outcome((), implicit_keep=True, failure=row.wrong[0], tests=())
        click.echo(json.dumps(outcome_to_json(broken, row.wrong)))
        return
    where = screen(wanted.color)
    for line in row.lines(row.wrong, where):
        say(line, where)


def _context() -> click.Context:
    return click.get_current_context()
