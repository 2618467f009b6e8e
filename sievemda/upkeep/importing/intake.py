"""Messages that have numbers at their source (UIDs, numbers of articles): each comes once, in however many runs.

What of a source has come is written into the folder that got it, in `sievemda-imports`: one JSON object, by source, of
`validity` (the UIDVALIDITY; another one and the numbers mean nothing), `done` (the numbers that have come), `pending`
(those of the batch that was on its way, with the names of their files) and `fresh` (the folder was empty before).

Why notes, when a filling skips what a folder has already: a message need not be fetched to know that it has come, and
one that has been deleted here does not come back. That makes of a second run a short one, and of a change of servers
three steps: fetch, have new mail sent here, fetch what came in between.

Why the names of a batch are noted before it is put in place: whoever is killed between that and the note of its success
finds by them which have come. A message that is neither lost nor doubled needs no comparison with others then, so two
equal messages stay two.

Why in the folder: what belongs to a mailbox lies in it. A folder that is renamed takes its notes along, and one that is
deleted is fetched again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sievemda.mail.carried import Carried
from sievemda.store.files import MAX_CONTROL_FILE, read_control_file, write_atomically
from sievemda.store.maildir import contents
from sievemda.store.messages import unique_part
from sievemda.upkeep.filling import Filling
from sievemda.upkeep.importing.copies import Copies, Copy, copy_of
from sievemda.upkeep.importing.numbers import Numbers

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.names import MailboxName

FILE_NAME = "sievemda-imports"
BATCH = 500  # messages between two notes
BATCH_OCTETS = 32 << 20  # less than a filling puts in place by itself
_SOURCES = 200  # of which one folder keeps notes
_log = logging.getLogger(__name__)


@dataclass
class _Notes:
    """What one source has given to a folder."""

    validity: str = ""
    done: Numbers = field(default_factory=Numbers)
    pending: dict[int, str] = field(default_factory=dict)
    fresh: bool = False

    @classmethod
    def parse(cls, found: Any) -> _Notes:
        """ValueError, TypeError, AttributeError: these are none."""
        pending = {int(number): str(name) for number, name in found.get("pending", {}).items()}
        return cls(str(found["validity"]), Numbers.parse(found["done"]), pending, found.get("fresh") is True)

    def shown(self) -> dict[str, Any]:
        said: dict[str, Any] = {"validity": self.validity, "done": str(self.done), "fresh": self.fresh}
        return said | ({"pending": self.pending} if self.pending else {})


class Intake:
    """One folder while it takes messages in from one source: a context manager. Raises as `Filling` does.

    `source` says where they come from, `validity` until when its numbers mean the same. `is_first`: the folder has had
    nothing from there. Where `copies` are given, messages are remembered there with their flags.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        source: str,
        validity: str,
        *,
        ignore_quota: bool = False,
        missed: Callable[[MailboxName], None] | None = None,
        copies: Copies | None = None,
    ) -> None:
        self.mailbox = mailbox
        self._copies = copies
        self._new_copies: dict[int, Copy] = {}
        self._source = source
        self._file = mailbox.path / FILE_NAME
        self._notes = self._begun(validity)
        self.is_first = not self._is_noted
        self._fill = partial(Filling, mailbox, ignore_quota=ignore_quota, missed=missed, before=self._announce)
        self._filling = self._fill(again=self._notes.fresh)
        self._adding: tuple[int, tuple[str, ...]] | None = None  # the message that is being added, and its flags
        self._passed: set[int] = set()
        self._octets = 0

    def __enter__(self) -> Self:
        self._filling.__enter__()
        try:
            found = self._begun(self._notes.validity)  # somebody may have filled it while we waited
            if self._notes.fresh and not found.fresh:
                self._filling.__exit__(None, None, None)
                self._filling = self._fill(again=False)
                self._filling.__enter__()
            self._notes = self._settled(found)
            if found.pending:
                self._write()
        except BaseException:
            self._filling.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self._filling.__exit__(kind, error, trace)

    @property
    def added(self) -> int:
        return self._filling.added

    @property
    def skipped(self) -> int:
        """Messages that the folder had from elsewhere."""
        return self._filling.skipped

    @property
    def lost(self) -> dict[str, int]:
        """Keywords that did not come along."""
        return dict(self._filling.lost)

    def has(self, number: int) -> bool:
        return number in self._notes.done or number in self._notes.pending or number in self._passed

    def add(self, number: int, carried: Carried, size: int = 0) -> None:
        """Take a message of so many octets; it is in its place, and noted, after the next `flush`."""
        self._adding = number, carried.flags
        try:
            file = self._filling.add(carried)
        except BaseException:
            with suppress(OSError):  # some of those before it may be in place
                self._notes = self._settled(self._notes)
                self._note()
            raise
        if file is None:
            self._passed.add(number)
        else:
            self._expect(number, file.name, carried.flags)
        self._adding = None
        self._octets += size
        if len(self._notes.pending) + len(self._passed) >= BATCH or self._octets >= BATCH_OCTETS:
            self.flush()

    def pass_over(self, number: int) -> None:
        """It is not wanted, now and later."""
        self._passed.add(number)

    def flush(self) -> None:
        """See everything so far into its place, and note it."""
        self._filling.flush()
        if self._notes.pending or self._passed or not self._is_noted:
            self._note()

    def _expect(self, number: int, name: str, flags: tuple[str, ...]) -> None:
        self._notes.pending[number] = unique_part(name)
        if self._copies is not None:
            self._new_copies[number] = copy_of(name, flags)

    def _announce(self, names: list[str]) -> None:
        """Write down which messages are about to be put in place. OSError: then they are not."""
        if self._adding is not None and unique_part(names[-1]) not in self._notes.pending.values():
            self._expect(self._adding[0], names[-1], self._adding[1])
        if self._copies is not None:
            self._copies.note(self._new_copies)
            self._new_copies = {}
        self._write()

    def _note(self) -> None:
        for number in (*self._notes.pending, *self._passed):
            self._notes.done.add(number)
        self._notes.pending, self._passed, self._octets = {}, set(), 0
        self._write()

    # -- the file ----------------------------------------------------------------------------------------------------

    def _begun(self, validity: str) -> _Notes:
        notes = _read(self._file).get(self._source)
        self._is_noted = notes is not None
        if notes is None or notes.validity != validity:
            return _Notes(validity, fresh=contents(self.mailbox.path)[1] == 0)
        return notes

    def _settled(self, notes: _Notes) -> _Notes:
        """What was on its way has come if its file is there."""
        if notes.pending:
            there = _names(self.mailbox.path)
            for number, name in notes.pending.items():
                if name in there:
                    notes.done.add(number)
        return _Notes(notes.validity, notes.done, {}, notes.fresh)

    def _write(self) -> None:
        known = _read(self._file)
        known.pop(self._source, None)
        kept = dict(list(known.items())[-_SOURCES + 1 :]) | {self._source: self._notes}
        content = json.dumps({source: notes.shown() for source, notes in kept.items()}).encode() + b"\n"
        if len(content) > MAX_CONTROL_FILE:
            _log.warning("%s would become too long: what has come so far is not noted", self._file)
            return
        write_atomically(self._file, content, self.mailbox.store.message_mode)
        self._is_noted = True


def come_from(mailbox: Mailbox, source: str, validity: str) -> Numbers:
    """What has come into a folder from a source, as far as it is noted."""
    notes = _read(mailbox.path / FILE_NAME).get(source)
    return notes.done if notes is not None and notes.validity == validity else Numbers()


def validity_of(mailbox: Mailbox, source: str) -> str:
    """For which validity there are notes of a source; empty where there are none."""
    notes = _read(mailbox.path / FILE_NAME).get(source)
    return notes.validity if notes is not None else ""


def sources_of(mailbox: Mailbox) -> list[str]:
    """From where a folder has had messages, as far as it is noted."""
    return [*_read(mailbox.path / FILE_NAME)]


def _read(file: Path) -> dict[str, _Notes]:
    """Nothing where the file is damaged: then a filling compares messages with what is there."""
    try:
        content = read_control_file(file)
        if content is None:
            return {}
        return {str(source): _Notes.parse(found) for source, found in json.loads(content).items()}
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        _log.warning("%s is damaged and counts as empty: %s", file, error)
        return {}


def _names(folder: Path) -> set[str]:
    """What stays of the names of a folder's messages, whatever becomes of them."""
    found: set[str] = set()
    for part in ("new", "cur"):
        found |= {unique_part(path.name) for path in (folder / part).iterdir()}
    return found
