"""Bringing back what archives have: a full one and the incremental ones that build on it, read side by side.

All archives have users in the order of their names and folders in that of their keys. So each folder is filled once,
from all archives of the chain, and what it is to have is what the last one lists: messages with the flags that they had
then, and none that had been removed.

Why side by side and not one after the other: two equal messages of a folder, one of them in each archive, stay two only
when one filling takes both; a folder that is there already may have one of them.

Where the last archive is damaged, what it does not say is taken from those before: a message too many is better than
one that is lost. What is missing is told by name.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sievemda.errors import DataError, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.store import leftovers
from sievemda.upkeep.backup.container import Damage
from sievemda.upkeep.backup.entries import FolderEntry, Head, Line, Totals, TreeEntry
from sievemda.upkeep.backup.histories import Gathered
from sievemda.upkeep.backup.placing import Manner, Placing
from sievemda.upkeep.backup.reading import History, Listing, Message, Text, read_archive
from sievemda.upkeep.filling import Filling
from sievemda.upkeep.trial import Trial

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.choosing import Chosen
    from sievemda.upkeep.backup.mapping import Renaming

Key = tuple[str, str]  # the place of a tree, and the key of a folder in it
_TOLD = 1000  # names of missing messages that are remembered


class Watcher(Protocol):
    """Who is told how it goes."""

    def message(self, octets: int) -> None: ...
    def damaged(self, text: str) -> None: ...
    def failed(self, where: str, error: OSError | SievemdaError) -> None:
        """Something did not come back, though the archive has it."""


@dataclass(slots=True)
class Result:
    restored: int = 0
    skipped: int = 0  # messages that were there already
    octets: int = 0
    made: list[str] = field(default_factory=list)  # mailboxes
    missing: list[str] = field(default_factory=list)  # messages in the lists that no archive has, the first of them
    missed: int = 0  # all of them
    earlier: int = 0  # messages that an archive has on which this one builds, and which is not at hand
    damaged: bool = False
    matched: bool = False  # there is a mailbox in the archive that was chosen
    lost_keywords: set[str] = field(default_factory=set)


class _Stream:
    """One archive, at one event."""

    def __init__(self, stream: BinaryIO, name: str, spool: Path | None, damaged: Callable[[str], None]) -> None:
        self.head: Head | None = None
        self.totals: Totals | None = None
        self.is_damaged = False
        self.event: TreeEntry | History | Text | Listing | Message | None = None
        self._name = name
        self._damaged = damaged
        self._events = read_archive(stream, name=name, spool=spool)
        self.advance()

    @property
    def at(self) -> Key:
        event = self.event
        if event is None:
            return "", ""
        if isinstance(event, Listing | Message):
            return event.tree.place, event.folder.key
        return (event.place if isinstance(event, TreeEntry) else event.tree.place), ""

    def advance(self) -> None:
        for event in self._events:
            if isinstance(event, Damage):
                self.tell(f"{self._name}, at octet {event.offset}: {event.text}")
            elif isinstance(event, Head):
                self.head = event
            elif isinstance(event, Totals):
                self.totals = event
            else:
                self.event = event
                return
        self.event = None

    def tell(self, text: str) -> None:
        """Members are damaged, so that what the archive does not say may be wanted all the same."""
        self.is_damaged = True
        self._damaged(text)


def restore(
    store: MailStore,
    archives: list[tuple[BinaryIO, str]],
    chosen: Chosen,
    renaming: Renaming,
    manner: Manner,
    watcher: Watcher,
) -> Result:
    """Put into the store what was chosen of a chain of archives, given with their names, the full one first.

    DataError when one is no archive; StoreTrouble when there is no room: what is there is whole, and the next run goes
    on.
    """
    return _Restoring(store, chosen, renaming, manner, watcher).run(archives)


class _Restoring:
    def __init__(self, store: MailStore, chosen: Chosen, renaming: Renaming, manner: Manner, watcher: Watcher) -> None:
        self._store = store
        self._chosen = chosen
        self._manner = manner
        self._watcher = watcher
        self._placing = Placing(store, renaming, manner, self._not_made)
        self._result = Result(made=self._placing.made)
        self._spool = store.settings.data if store.settings.data.is_dir() else None
        self._streams: list[_Stream] = []
        self._tree: TreeEntry | None = None  # as the last archive has it
        self._absent = 0  # messages that the last archive was to have, and has not
        self._mailboxes: dict[str, Mailbox | None] = {}
        self._met: set[str] = set()  # places of which the last archive has something
        self._unheard: dict[str, str] = {}  # folders of the tree of which nothing has come yet, by key

    def run(self, archives: list[tuple[BinaryIO, str]]) -> Result:
        damaged = self._watcher.damaged
        self._streams = [_Stream(stream, name, self._spool, damaged) for stream, name in archives]
        while reading := [stream for stream in self._streams if stream.event is not None]:
            at = min(stream.at for stream in reading)
            here = [stream for stream in reading if stream.at == at]
            if any(isinstance(stream.event, TreeEntry | History | Text) for stream in here):
                self._begin(at, here)
            else:
                self._folder(at, here)
        self._end_tree()
        self._tell_absent()
        self._result.damaged |= any(stream.is_damaged or stream.totals is None for stream in self._streams)
        totals = self._streams[-1].totals
        self._result.damaged |= totals is not None and self._absent > totals.gone  # it could not be read then
        return self._result

    @property
    def _last(self) -> _Stream:
        return self._streams[-1]

    # -- trees -------------------------------------------------------------------------------------------------------

    def _begin(self, at: Key, here: list[_Stream]) -> None:
        """A user, or shared folders: what the last archive says of them counts."""
        self._end_tree()
        tree = here[-1].event
        self._met |= {tree.place} if here[-1] is self._last and isinstance(tree, TreeEntry) else set()
        for stream in here:
            if isinstance(stream.event, TreeEntry):
                stream.advance()
        with Gathered(self._spool) as history:
            self._gather(at, here, history)
            if not isinstance(tree, TreeEntry) or not (here[-1] is self._last or self._last.is_damaged):
                return
            self._tree = tree
            self._mailboxes = self._placing.tree(
                tree, [folder for folder in tree.folders if self._wanted(tree, folder)], history
            )
            named = ((folder.key, self._store.namespace.format_admin(tree.name(folder))) for folder in tree.folders)
            self._unheard = {key: name for key, name in named if key in self._mailboxes}

    def _gather(self, at: Key, here: list[_Stream], history: Gathered) -> None:
        """What all the archives have of a user's history; the texts only where he may be wanted."""
        owner = at[0].partition("/")[2]
        for stream in here:
            while stream.at == at and isinstance(stream.event, History | Text):
                event = stream.event
                try:
                    if isinstance(event, History):
                        history.add(event.past)
                    elif self._chosen.may_have_of(owner) and not self._manner.dry_run:
                        history.keep(event.digest, event.size, event.load)
                except DataError as error:
                    self._result.damaged = True
                    self._watcher.damaged(f"{at[0]}: the history of scripts: {error}")
                stream.advance()

    def _end_tree(self) -> None:
        """What the last archive was to have of the tree, and has not, is told."""
        if self._last.is_damaged:
            for name in self._unheard.values():
                self._watcher.damaged(f"{name}: the list of its messages is missing")
        self._unheard = {}

    def _tell_absent(self) -> None:
        """Users of whom the last archive was to have something, and has nothing, are told."""
        if self._last.is_damaged and self._last.head is not None:
            for place in self._last.head.trees:
                kind, _, owner = place.partition("/")
                if place not in self._met and kind == "user" and self._chosen.may_have_of(owner):
                    self._watcher.damaged(f"{place}: nothing of it can be read")

    def _wanted(self, tree: TreeEntry, folder: FolderEntry) -> bool:
        wanted = self._chosen.has(tree.name(folder))
        self._result.matched |= wanted
        return wanted

    def _mailbox(self, tree: TreeEntry, folder: FolderEntry) -> tuple[bool, Mailbox | None]:
        """Whether messages of a folder are wanted, and where they go."""
        if self._tree is not None and self._tree.place == tree.place and self._tree.folder(folder.key):
            return folder.key in self._mailboxes, self._mailboxes.get(folder.key)
        if not self._last.is_damaged or not self._wanted(tree, folder):
            return False, None  # it was removed before the last archive was written
        if self._tree is None or self._tree.place != tree.place:
            self._tree, self._mailboxes = TreeEntry(tree.owner, tree.domain), {}
        if folder.key not in self._mailboxes:
            self._mailboxes |= self._placing.tree(tree, [folder])
        return folder.key in self._mailboxes, self._mailboxes.get(folder.key)

    # -- folders -----------------------------------------------------------------------------------------------------

    def _folder(self, at: Key, here: list[_Stream]) -> None:
        first = here[0].event
        if not isinstance(first, Listing | Message):
            return
        self._met |= {at[0]} if here[-1] is self._last else set()
        wanted, mailbox = self._mailbox(first.tree, first.folder)
        lines = self._listed(at, here) if wanted else {}
        places = {unique: number for number, unique in enumerate(lines or ())}
        taker: Filling | Trial | None = None
        try:
            with self._taker(mailbox) if wanted else nullcontext() as taker:
                for message, line in self._messages(at, here, lines):
                    if taker is not None:
                        self._put(taker, message, line, places.get(message.unique))
        except (OSError, SievemdaError) as error:
            self._fail(error, mailbox, at, here)
        else:
            if lines:
                self._missing(first, lines)
        finally:
            if taker is not None:
                self._count(taker)

    def _count(self, taker: Filling | Trial) -> None:
        self._result.restored += taker.added
        self._result.skipped += taker.skipped
        self._result.octets += taker.octets
        if isinstance(taker, Filling):
            self._result.lost_keywords |= set(taker.lost)

    def _taker(self, mailbox: Mailbox | None) -> Filling | Trial:
        if mailbox is None or self._manner.dry_run:
            return Trial(mailbox)
        missed = partial(leftovers.missed, self._store)
        free = self._manner.ignore_quota or self._placing.has_made(mailbox)
        return Filling(mailbox, ignore_quota=free, missed=missed)

    def _fail(self, error: OSError | SievemdaError, mailbox: Mailbox | None, at: Key, here: list[_Stream]) -> None:
        """Without room on the disk nothing goes on; else the other folders do."""
        if _is_full(error):
            raise error if isinstance(error, SievemdaError) else StoreTrouble(str(error)) from error
        where = self._store.namespace.format_admin(mailbox.name) if mailbox else at[0]
        if isinstance(error, FileNotFoundError):
            error = TemporaryTrouble("it has been moved or removed meanwhile; run it again")
        self._watcher.failed(where, error)
        for stream in here:
            while stream.event is not None and stream.at == at:
                stream.advance()

    def _not_made(self, where: str, error: OSError | SievemdaError) -> None:
        """What a user or a folder is to be could not be made; without room on the disk nothing goes on."""
        if _is_full(error):
            text = str(error) if isinstance(error, SievemdaError) else f"{where}: {error.strerror}"
            raise StoreTrouble(f"{text}: make room and begin again") from error
        self._watcher.failed(where, error)

    def _listed(self, at: Key, here: list[_Stream]) -> dict[str, Line] | None:
        """What a folder is to have, by unique names; None when nobody can say."""
        last = self._last
        if last not in here or not isinstance(last.event, Listing):
            return None
        self._unheard.pop(at[1], None)
        lines: dict[str, Line] | None = {}
        try:
            for line in last.event.lines():
                lines[line.unique] = line  # type: ignore[index]
        except DataError as error:
            last.tell(f"{last.event.tree.directory(last.event.folder)}: {error}")
            lines = None  # what it has not said may be wanted
        last.advance()
        return lines

    def _messages(
        self, at: Key, here: list[_Stream], lines: dict[str, Line] | None
    ) -> Iterator[tuple[Message, Line | None]]:
        """Messages that the folder is to have, with what the last archive says of them; taken out of the lines."""
        for stream in here:
            while stream.event is not None and stream.at == at:
                event = stream.event
                if isinstance(event, Message):
                    line = lines.get(event.unique) if lines is not None else None
                    if (
                        lines is None
                        or (line is not None and line.size == event.size)
                        or (line is not None and stream is self._last)
                    ):
                        yield event, None if stream is self._last else line
                        if lines is not None:
                            lines.pop(event.unique, None)
                stream.advance()

    def _put(self, taker: Filling | Trial, message: Message, line: Line | None, place: int | None) -> None:
        try:
            carried = message.carried(line)
        except DataError as error:
            self._result.damaged = True
            self._watcher.damaged(f"{message.where}: {error}")
        else:
            taker.add(carried, place)
            self._watcher.message(message.size)

    def _missing(self, of: Listing | Message, lines: dict[str, Line]) -> None:
        name = self._store.namespace.format_admin(of.tree.name(of.folder))
        for line in lines.values():
            if not line.here and len(self._streams) == 1:
                self._result.earlier += 1
                continue
            self._result.missed += 1
            if line.here:
                self._absent += 1
            else:
                self._result.damaged = True
            if len(self._result.missing) < _TOLD:
                self._result.missing.append(f"{name}: {line.unique}")


def _is_full(error: OSError | SievemdaError) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
