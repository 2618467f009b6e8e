"""One mailbox gone through by its rules.

Rules that look at each message by itself share one look at the folder; one that counts the messages gets a look of its
own, at what those before it have left. Messages are taken out in batches while the folder is looked at, so that memory
does not grow with their number. A message that a reader renames meanwhile is found again, and goes only if the rule
still takes it; what came after the beginning of the run is not touched.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.errors import AlreadyExists, NotFound, SievemdaError
from sievemda.policy.quota import OverQuota
from sievemda.store import messages
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.opened import Entry, OpenFolder
from sievemda.store.removal import BATCH, Removed, remove
from sievemda.upkeep.expiry.criteria import NOTHING, Beyond
from sievemda.upkeep.expiry.rules import Rule
from sievemda.upkeep.expiry.sieving import EXPIRES

_LOOKS = 3  # at a message that a reader renames meanwhile
Tell = Callable[[str, Rule, str, Entry], None]  # mailbox, rule, folder it goes to or EXPIRES, message


@dataclass(frozen=True, slots=True)
class Options:
    """How it is to be done. `tell` hears of each message that a rule takes or reports, before anything is done."""

    dry: bool = False
    keep: bool = True  # what expires can be brought back
    tell: Tell | None = None
    as_shown: bool = False  # sizes are those that IMAP shows


@dataclass(slots=True)
class Tally:
    """What one rule did in one mailbox: `action` is "discard", "report" or "fileinto", and that into `target`."""

    rule: str
    action: str
    target: str = ""
    messages: int = 0
    octets: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of one mailbox; `held`: its user's messages do not expire for the time being."""

    mailbox: str
    messages: int = 0  # that were looked at
    octets: int = 0
    tallies: dict[tuple[str, str, str], Tally] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    full: str = ""  # the one of them that comes of a full disk
    held: bool = False

    @property
    def taken(self) -> tuple[int, int]:
        """Messages, and their octets, that are not in the mailbox any more."""
        gone = [tally for tally in self.tallies.values() if tally.action != "report"]
        return sum(tally.messages for tally in gone), sum(tally.octets for tally in gone)

    def add(self, rule: Rule, action: str, target: str, count: int, octets: int) -> None:
        tally = self.tallies.setdefault((rule.name, action, target), Tally(rule.name, action, target))
        tally.messages += count
        tally.octets += octets

    def fail(self, error: Exception, about: str = "") -> None:
        """Each trouble once: a disk that is full says so for every message."""
        text = (error.strerror if isinstance(error, OSError) else "") or str(error)
        line = f"{about}: {text}" if about else text
        if line not in self.failures and len(self.failures) < 100:
            self.failures.append(line)
            self.full = line if isinstance(error, OSError) and error.errno in _FULL else self.full


_FULL = (errno.ENOSPC, errno.EDQUOT)
Batches = dict[tuple[Rule, str], list[Entry]]


class FolderRun:
    """Used once."""

    def __init__(self, store: MailStore, mailbox: Mailbox, name: str, options: Options, now: float) -> None:
        self._store = store
        self._mailbox = mailbox
        self._options = options
        self._now = now
        self._gone: set[str] = set()  # what would not be there any more, if this were no dry run
        self._targets: dict[tuple[str, bool], Mailbox | None] = {}
        self.outcome = Outcome(name)

    def run(self, rules: Iterable[Rule]) -> Outcome:
        """Raises OSError and TemporaryTrouble when the folder cannot be looked at."""
        with OpenFolder(self._mailbox, self._now, as_shown=self._options.as_shown) as folder:
            for number, stage in enumerate(_stages(rules)):
                beyond = stage[0].wanted.beyond(self._left(folder)) if stage[0].wanted.ranked else NOTHING
                self._pass(folder, stage, beyond, counts=number == 0)
        return self.outcome

    def _left(self, folder: OpenFolder) -> Iterator[Entry]:
        for entry in folder.entries():
            if entry.unique not in self._gone:
                try:
                    _ = entry.arrived, entry.size
                except FileNotFoundError:
                    continue
                yield entry

    def _pass(self, folder: OpenFolder, stage: list[Rule], beyond: Beyond, *, counts: bool) -> None:
        batches: Batches = {}
        for entry in folder.entries():
            if counts:
                self._count(entry)
            if entry.unique in self._gone:
                continue
            for rule in stage:
                found = self._looked(folder, entry, rule, beyond)
                if found is None:
                    continue
                entry, target = found  # noqa: PLW2901 - it may be called otherwise by now
                if rule.action == "report":
                    self._report(entry, rule, target)
                    continue
                batch = batches.setdefault((rule, target), [])
                batch.append(entry)
                if len(batch) >= BATCH:
                    self._carry_out(folder, rule, target, batch, beyond)
                    batch.clear()
                break
        for (rule, target), batch in batches.items():
            self._carry_out(folder, rule, target, batch, beyond)

    def _count(self, entry: Entry) -> None:
        try:
            self.outcome.octets += entry.size
            self.outcome.messages += 1
        except FileNotFoundError:
            pass

    # -- deciding --------------------------------------------------------------------------------------------------

    def _looked(self, folder: OpenFolder, entry: Entry, rule: Rule, beyond: Beyond) -> tuple[Entry, str] | None:
        """The message as it is called now, and where it is to go; None when it stays."""
        found: Entry | None = entry
        for _ in range(_LOOKS):
            if found is None:
                return None
            try:
                target = self._target(found, rule, beyond)
            except FileNotFoundError:
                found = folder.again(found)
            except (OSError, SievemdaError) as error:
                self.outcome.fail(error, rule.name)
                return None
            else:
                return None if target is None else (found, target)
        return None

    def _target(self, entry: Entry, rule: Rule, beyond: Beyond) -> str | None:
        """The folder that a message is to move to, EXPIRES, or None when it stays."""
        if not rule.wanted.match(entry, self._now, beyond):
            return None
        if rule.script is not None:
            decided = rule.script.decide(self._store, entry, self._now)
            if decided != EXPIRES:
                return decided
        return rule.mailbox if rule.action == "fileinto" else EXPIRES

    # -- doing -----------------------------------------------------------------------------------------------------

    def _tell(self, entry: Entry, rule: Rule, target: str) -> None:
        if self._options.tell is None:
            return
        with suppress(FileNotFoundError):  # it was renamed: it goes all the same, if it still is to go
            self._options.tell(self.outcome.mailbox, rule, target, entry)

    def _report(self, entry: Entry, rule: Rule, target: str) -> None:
        try:
            self.outcome.add(rule, "report", "", 1, entry.size)
            self._tell(entry, rule, target)
        except OSError as error:
            self.outcome.fail(error, rule.name)

    def _carry_out(self, folder: OpenFolder, rule: Rule, target: str, batch: list[Entry], beyond: Beyond) -> None:
        def still(entry: Entry) -> bool:
            return self._target(entry, rule, beyond) == target

        try:
            if target != EXPIRES and not self._is_open(rule, target):
                return
            for entry in batch:
                self._tell(entry, rule, target)
            if self._options.dry:
                done = self._would(batch)
            elif target == EXPIRES:
                done = remove(folder, batch, still, name=self.outcome.mailbox, keep=self._options.keep)
            else:
                done = self._move(folder, batch, still, rule, target)
        except (OSError, SievemdaError) as error:
            self.outcome.fail(error, rule.name)
            return
        if done.error is not None:
            self.outcome.fail(_explained(done.error), rule.name)
        if done.messages:
            action, shown = ("discard", "") if target == EXPIRES else ("fileinto", target)
            self.outcome.add(rule, action, shown, done.messages, done.octets)

    def _would(self, batch: list[Entry]) -> Removed:
        done = Removed()
        for entry in batch:
            self._gone.add(entry.unique)
            done.messages += 1
            done.octets += entry.size
        return done

    def _is_open(self, rule: Rule, target: str) -> bool:
        """Whether messages can go to that folder. Raises what says why not."""
        key = (target, rule.create)
        if key not in self._targets:
            self._targets[key] = self._found(target, create=rule.create)
        found = self._targets[key]
        return found is None or found.path != self._mailbox.path  # None: a dry run would make it

    def _found(self, text: str, *, create: bool) -> Mailbox | None:
        """The folder of that name of the same owner; made when it is to be. None in a dry run that would make it."""
        store, mine = self._store, self._mailbox.name
        if text.startswith("\\"):
            found = store.special_use(mine.owner, text) if mine.owner else None
        else:
            name = store.namespace.parse_user(text, mine.owner)
            if (name.owner, name.domain) != (mine.owner, mine.domain):
                raise NotFound(f"{text} is not a folder of the same owner")
            found = store.find(name)
            if found is None and create:
                store.namespace.check_new(name)
                if self._options.dry:
                    return None
                try:
                    return store.create(name)
                except AlreadyExists:  # somebody was quicker
                    found = store.find(name)
        if found is None:
            raise NotFound(f"there is no folder {text}: say create = true, or make it")
        return found

    def _move(
        self, folder: OpenFolder, batch: list[Entry], still: Callable[[Entry], bool], rule: Rule, target: str
    ) -> Removed:
        """As far as it can be; what stops it is told. One sync for many: a crash may undo moves, and loses nothing."""
        done, goal = Removed(), self._targets[target, rule.create]
        if goal is None:
            return done
        try:
            try:
                for entry in batch:
                    self._move_one(folder, entry, still, goal, done)
            finally:
                if done.messages:
                    messages.sync_folder(goal)
        except (OSError, SievemdaError) as error:
            self.outcome.fail(error, rule.name)
        return done

    def _move_one(
        self, folder: OpenFolder, entry: Entry, still: Callable[[Entry], bool], goal: Mailbox, done: Removed
    ) -> None:
        found: Entry | None = entry
        for _ in range(_LOOKS):
            if found is None:
                return
            try:
                size = found.size
                self._check_room(goal, size)
                messages.move(self._store, self._mailbox, Path(found.path), goal, found.flags, sync=False)
            except FileNotFoundError:
                found = folder.again(found)
                if found is not None and not still(found):
                    return
            else:
                done.add(size)
                return

    def _check_room(self, goal: Mailbox, size: int) -> None:
        """What is counted for the same quota already needs no room."""
        reached, left = goal.quota_root(), self._mailbox.quota_root()
        if reached is not None and (left is None or left.path != reached.path) and not reached.would_accept(size, 1):
            raise OverQuota("the folder it is to go to is over quota")


def _explained(error: OSError) -> OSError:
    if error.errno not in _FULL:
        return error
    return OSError(error.errno, f"{error.strerror}: what expires stays, but for --for-good, which needs no room")


def _stages(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Rules that can share one look at the folder, in their order."""
    found: list[list[Rule]] = []
    for rule in rules:
        if found and not rule.wanted.ranked and not found[-1][0].wanted.ranked:
            found[-1].append(rule)
        else:
            found.append([rule])
    return found
