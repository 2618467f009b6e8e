"""Carrying the messages of a source into mailboxes, folder by folder, and telling what became of them.

Why an error in one folder does not stop the others: whoever repeats the command afterwards has less left to do. A disk
that is full does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sievemda.errors import SievemdaError, StoreTrouble
from sievemda.mail.carried import Carried
from sievemda.mail.flags import canonical
from sievemda.store import subscriptions
from sievemda.upkeep.importing.places import Places, arranged
from sievemda.upkeep.trial import Trial

if TYPE_CHECKING:
    from sievemda.store.names import MailboxName
    from sievemda.upkeep.filling import Filling
    from sievemda.upkeep.importing.source import Reading, SourceFolder

_SAID = 20  # problems of one folder that are told one by one


@dataclass(frozen=True, slots=True)
class Wishes:
    """How messages are to be put in. `flags` are added to those of every message."""

    dry_run: bool = False
    again: bool = False
    ignore_quota: bool = False
    keep_flags: bool = True
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of one folder."""

    source: str
    mailbox: str
    renamed: bool = False  # it is called otherwise here, since the store cannot have its name
    added: int = 0
    skipped: int = 0  # which the mailbox had already
    octets: int = 0
    lost: dict[str, int] = field(default_factory=dict)  # keywords without room, with the number of messages
    problems: list[str] = field(default_factory=list)
    error: SievemdaError | OSError | None = None  # what stopped it

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        rows = dataclasses.asdict(dataclasses.replace(self, error=None))
        return rows | {"error": str(self.error) if self.error else None}


def carry(
    places: Places,
    folders: Sequence[SourceFolder],
    top: MailboxName,
    wishes: Wishes,
    tick: Callable[[int, int], None] = lambda _messages, _octets: None,
) -> Iterator[Outcome]:
    """Put folders below a mailbox, one after the other. `tick` is told messages and octets that have been read.

    What goes wrong is in the outcome; after StoreTrouble, as with a full disk, no folder follows.
    """
    names = arranged(top, [folder.path for folder in folders])
    for folder in folders:
        name = names[folder.path]
        outcome = Outcome(folder.where, places.store.namespace.format_admin(name))
        outcome.renamed = name not in (top, top.child(*folder.path))
        try:
            _carry(places, folder, name, wishes, outcome, tick)
        except (SievemdaError, OSError) as error:
            outcome.error = error
        yield outcome
        if isinstance(outcome.error, StoreTrouble):
            return


def _carry(
    places: Places,
    folder: SourceFolder,
    name: MailboxName,
    wishes: Wishes,
    outcome: Outcome,
    tick: Callable[[int, int], None],
) -> None:
    with folder.open() as reading:
        mailbox = places.at(name)
        taking: Filling | Trial
        if wishes.dry_run or mailbox is None:
            taking = Trial(None if wishes.again else mailbox)
        else:
            taking = places.filling(mailbox, again=wishes.again, ignore_quota=wishes.ignore_quota)
        try:
            with taking:
                _put(reading, taking, wishes, outcome, tick)
        finally:
            outcome.added, outcome.skipped, outcome.octets = taking.added, taking.skipped, taking.octets
            outcome.lost = dict(taking.lost)
    if mailbox is not None and folder.subscribed is False and not wishes.dry_run and outcome.mailbox in places.made:
        subscriptions.unsubscribe(mailbox.tree.root, [name.path], mailbox.store.message_mode)


def _put(
    reading: Reading, taking: Filling | Trial, wishes: Wishes, outcome: Outcome, tick: Callable[[int, int], None]
) -> None:
    count = left_out = 0
    for count, carried in enumerate(reading, 1):
        try:
            taking.add(_wished(carried, wishes))
        except OSError as error:  # of the source: what goes wrong in the store is StoreTrouble
            left_out += 1
            if left_out <= _SAID:
                outcome.problems.append(f"{carried.where}: {error.strerror or error}")
        tick(count, reading.position)
    if left_out > _SAID:
        outcome.problems.append(f"{outcome.source}: {left_out - _SAID} more messages cannot be read")
    if reading.problem:
        outcome.problems.append(reading.problem)


def _wished(carried: Carried, wishes: Wishes) -> Carried:
    if wishes.keep_flags and not wishes.flags:
        return carried
    flags = canonical((*(carried.flags if wishes.keep_flags else ()), *wishes.flags))
    return dataclasses.replace(carried, flags=flags, new=carried.new or not wishes.keep_flags)
