"""What `sievemda expire` prints: a line for each rule and mailbox, ipurge's totals, or JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from sievemda.cli.mailbox import print_json
from sievemda.cli.main import discard, tell
from sievemda.cli.terminal import clean
from sievemda.errors import StoreTrouble, TemporaryTrouble

if TYPE_CHECKING:
    from sievemda.cli.failures import Failures
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.opened import Entry
    from sievemda.upkeep.expiry.folder import Outcome, Tally
    from sievemda.upkeep.expiry.rules import Rule

_FOR_GOOD = {
    "deleted": "deleted mailboxes",
    "users": "deleted users",
    "withdrawn": "discarded and expired messages",
    "deliveries": "records of deliveries",
}
_FIELDS = (("From", "from"), ("To  ", "to"), ("Cc  ", "cc"), ("Bcc ", "bcc"))


@dataclass
class Report:
    """A line for each rule and mailbox, and one for each rule at the end."""

    store: MailStore
    dry: bool
    verbose: bool
    removed: dict[str, int] = field(default_factory=dict)  # for good, by what it was
    rules: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # mailboxes, messages, octets
    _held: set[str] = field(default_factory=set)
    _full: bool = False  # that a disk is full has been told: it is for all its mailboxes

    @property
    def wants_messages(self) -> bool:
        return self.verbose

    def begun(self, mailboxes: Iterable[tuple[str, Mailbox]]) -> Iterator[tuple[str, Mailbox]]:
        """The mailboxes, as they are begun with."""
        yield from mailboxes

    def tell(self, mailbox: str, rule: Rule, target: str, entry: Entry) -> None:
        """One message that a rule takes or reports."""
        header = entry.header
        about = [next(iter(header.values(name)), "") for name in ("message-id", "from", "subject")]
        what = f"to {target}" if target else rule.action
        _say(clean(f"{mailbox}: {rule.name}: {what}: {entry.size} {about[0] or entry.name} {about[1]}: {about[2]}"))

    def add(self, outcome: Outcome, failures: Failures) -> None:
        """What came of one mailbox."""
        for failure in outcome.failures:
            full = failure == outcome.full
            if full and self._full:
                failures.number += 1
            else:
                failures.tell(StoreTrouble(failure) if full else TemporaryTrouble(failure), outcome.mailbox)
            self._full |= full
        for tally in outcome.tallies.values():
            mailboxes, messages, octets = self.rules.get(tally.rule, (0, 0, 0))
            self.rules[tally.rule] = (mailboxes + 1, messages + tally.messages, octets + tally.octets)
        self.show(outcome)

    def show(self, outcome: Outcome) -> None:
        if outcome.held:
            print(clean(f"{outcome.mailbox}: left alone, as noexpire_until of the INBOX says"))
        for tally in outcome.tallies.values():
            line = f"{outcome.mailbox}: {tally.rule}: {_messages(tally.messages, tally.octets)} {self._done(tally)}"
            print(clean(line))

    def _done(self, tally: Tally) -> str:
        verb = {"discard": "expired", "report": "reported", "fileinto": f"moved to {tally.target}"}[tally.action]
        if not self.dry or tally.action == "report":
            return verb
        return "would expire" if tally.action == "discard" else f"would be {verb}"

    def end(self, failures: Failures) -> None:
        """When all is done."""
        for rule, (mailboxes, messages, octets) in self.rules.items():
            if mailboxes > 1:
                print(clean(f"{rule}: {_messages(messages, octets)} in {mailboxes} mailboxes"))
        for kind, number in self.removed.items():
            print(f"{number} {_FOR_GOOD[kind]}{' would be' if self.dry else ''} removed for good")
        if not self.rules and not self.removed and not failures.number:
            print("nothing expires")


class Ipurge(Report):
    """The totals of each mailbox in the form of Cyrus' ipurge, and with `-n` the messages that would go."""

    _uids: dict[str, int] | None = None
    _mailbox: Mailbox | None = None

    @property
    def wants_messages(self) -> bool:
        return self.verbose or self.dry

    def begun(self, mailboxes: Iterable[tuple[str, Mailbox]]) -> Iterator[tuple[str, Mailbox]]:
        for name, mailbox in mailboxes:
            print(clean(f"Working on {name}..."))
            self._mailbox, self._uids = mailbox, None
            yield name, mailbox

    def tell(self, mailbox: str, rule: Rule, target: str, entry: Entry) -> None:  # noqa: ARG002
        from sievemda.store.uidlist import uids

        if self._uids is None:
            self._uids = uids(entry.folder.mailbox.path)
        header = entry.header
        uid = self._uids.get(entry.name.partition(":")[0], "-")
        lines = [
            f"UID: {uid}",
            f"\tSize: {entry.size}",
            f"\tSent: {_when(entry.sent_day)}",
            f"\tRecv: {_when(entry.arrived)}",
        ]
        lines += [f"\t{label}: {next(iter(header.values(name)), '')}" for label, name in _FIELDS]
        lines += [f'\tSubj: "{next(iter(header.values("subject")), "")}"']
        _say("\n".join("\t" * line.startswith("\t") + clean(line.lstrip("\t")) for line in lines) + "\n")

    def show(self, outcome: Outcome) -> None:
        messages, octets = outcome.taken
        if outcome.held:
            print(clean(f"{outcome.mailbox}: left alone, as noexpire_until of the INBOX says"))
        for label, number in (
            ("Total messages", outcome.messages),
            ("Total bytes", outcome.octets),
            ("Deleted messages", messages),
            ("Deleted bytes", octets),
            ("Remaining messages", outcome.messages - messages),
            ("Remaining bytes", outcome.octets - octets),
        ):
            print(f"{label:<18}\t\t {number}")

    def end(self, failures: Failures) -> None:
        """The totals are all."""


class Json(Report):
    """One object, a mailbox a line, written as they come."""

    _begun = False

    @property
    def wants_messages(self) -> bool:
        return False

    def show(self, outcome: Outcome) -> None:
        if not (outcome.tallies or outcome.failures or outcome.held):
            return
        print(",\n " if self._begun else self._head(), end="")
        self._begun = True
        found: dict[str, Any] = {
            "mailbox": outcome.mailbox,
            "messages": outcome.messages,
            "octets": outcome.octets,
            "rules": [
                {
                    "rule": tally.rule,
                    "action": tally.action,
                    "folder": tally.target or None,
                    "messages": tally.messages,
                    "octets": tally.octets,
                }
                for tally in outcome.tallies.values()
            ],
            "held": outcome.held,
            "failures": outcome.failures,
        }
        print(json.dumps(found), end="")

    def _head(self) -> str:
        return f'{{"dry_run": {json.dumps(self.dry)}, "mailboxes": [\n '

    def end(self, failures: Failures) -> None:
        rules = {
            rule: {"mailboxes": mailboxes, "messages": messages, "octets": octets}
            for rule, (mailboxes, messages, octets) in self.rules.items()
        }
        if not self._begun:
            print_json(
                {
                    "dry_run": self.dry,
                    "mailboxes": [],
                    "rules": rules,
                    "removed": self.removed,
                    "failures": failures.number,
                }
            )
            return
        print(
            f'],\n "rules": {json.dumps(rules)}, "removed": {json.dumps(self.removed)}, "failures": {failures.number}}}'
        )


def report_of(store: MailStore, *, ipurge: bool, dry: bool, verbose: bool, as_json: bool) -> Report:
    kind = Json if as_json else Ipurge if ipurge else Report
    return kind(store, dry, verbose)


def _say(text: str) -> None:
    """To whom may have seen enough: then nothing more is done, either."""
    try:
        print(text)
    except BrokenPipeError:
        discard(sys.stdout)
        raise click.exceptions.Exit(0) from None
    except OSError as error:  # of our output, and of no mailbox
        discard(sys.stdout)
        line = f"sievemda: standard output: {error.strerror}"
        tell(lambda: print(line, file=sys.stderr))
        raise click.exceptions.Exit(os.EX_IOERR) from None


def _messages(number: int, octets: int) -> str:
    return f"{number} message{'s' * (number != 1)}, {octets} octets"


def _when(seconds: float) -> str:
    """As ctime(3); what no calendar has as a number."""
    try:
        return time.ctime(seconds)
    except (OverflowError, ValueError, OSError):
        return str(seconds)
