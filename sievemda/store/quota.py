"""A quota root: a folder, or a domain, that limits what lies at and below it (semantics, section 7).

Its limits and its usage stand in `maildirsize` (see `maildirsize`), which IMAP servers read and write too. Limits stand
in the folder's record as well: some the format cannot say (0, folders, annotations), and other programs remove the file
when they want it counted. Folders and annotations are counted when somebody asks.

Why a lock where Maildir++ has none: a message that arrives while another process counts would be counted twice or not
at all. Deliveries hold a shared lock on the root's directory from the link to the line, a count holds it alone. IMAP
servers know nothing of it; against them the time stamps of the folders are compared as Maildir++ asks for, and what is
left of a race is found by the next count: a file is believed without one only when no folder has changed since it was
counted.

Why a changed folder has the messages counted though it may have been flags only: nothing cheaper tells the two apart.

Why the root of a domain lets its file grow beyond what Maildir++ has counted anew: nobody but us writes it, and a count
goes through all users of the domain. Its lines are added up instead.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sievemda.policy.quota import Limits, Usage, exceeded
from sievemda.store import maildirsize, quota_state
from sievemda.store.annotations import guid_of
from sievemda.store.annotationsize import dovecot_octets
from sievemda.store.files import MAX_CONTROL_FILE
from sievemda.store.maildir import contents
from sievemda.store.maildirsize import MAX_SIZE, Sizes
from sievemda.store.names import MailboxName
from sievemda.store.record import Records
from sievemda.store.rootlock import is_held, locked
from sievemda.store.survey import Folder, stamps_of
from sievemda.store.uidlist import is_read_by_dovecot

_ATTEMPTS = 5
_FIELDS = ("storage", "messages", "mailboxes", "annotation")
_NO_LIMITS = Limits()
_NEAR = Usage(1 << 20, 10)  # what is so near to its limit that every folder is looked at
_log = logging.getLogger(__name__)


def is_limiting(folder: Path, records: Records) -> bool:
    """Whether a directory is a quota root: it has limits, or had some that were lifted.

    It is none when it has only a file without a limit, in which an IMAP server counts.
    """
    if records.get(folder).limits is not None:
        return True
    return maildirsize.exists(folder) and maildirsize.read(folder).limits is not None


def _meant(theirs: int | None, ours: int | None) -> int | None:
    """A limit by the file and the record: of a 0 the file can say 1 at best."""
    return 0 if ours == 0 and theirs in (None, maildirsize.ALMOST_NONE) else theirs


def _folders(below: list[Below]) -> list[Folder]:
    return [folder for each in below for folder in each.folders]


def _is_apart(below: list[Below]) -> bool:
    return any(each.apart for each in below)


def _is_settled(sizes: Sizes, below: list[Below]) -> bool:
    return sizes.settled(_stamps(_folders(below)), apart=_is_apart(below))


def _stamps(folders: Iterable[Folder]) -> list[int]:
    return [stamp for folder in folders for stamp in folder.stamps]


def _stamps_now(folders: Iterable[Folder]) -> list[int]:
    return [stamp for folder in folders for stamp in stamps_of(folder.place) or (0, 0)]


def _annotations(below: Below) -> int:
    theirs = dovecot_octets(below.tree) if below.folders else {}
    ours = sum(folder.annotations for folder in below.folders)
    return ours + (sum(theirs.get(guid_of(folder.place), 0) for folder in below.folders) if theirs else 0)


@dataclass(frozen=True, slots=True)
class Below:
    """Those folders of one tree for which a root counts."""

    tree: Path
    folders: list[Folder]
    apart: bool = False  # whether IMAP servers would count more: at the root of a user, below which there are others


@dataclass(frozen=True, slots=True)
class Count:
    """What a count has found, and what the file said before; None where there was nothing to believe."""

    usage: Usage
    before: Usage | None
    below: list[Below]


@dataclass(frozen=True)
class QuotaRoot:
    name: MailboxName  # without owner and path it is the root of a domain
    path: Path  # where its files are
    look: Callable[[], Iterable[Below]]  # the folders for which it counts, tree by tree
    outer: Callable[[], QuotaRoot | None]  # the root that would count if this were none
    records: Records
    mode: int
    counter: Path | None = None  # a directory below in which an IMAP server counts without limiting anything
    seen: Below | None = None  # what was below it when it was found among others

    @property
    def is_domain(self) -> bool:
        return self.name.owner is None and not self.name.path

    # -- what it says ------------------------------------------------------------------------------------------------

    def _read(self) -> Sizes:
        return maildirsize.read(self.path, MAX_CONTROL_FILE if self.is_domain else MAX_SIZE)

    def limits(self) -> Limits:
        return self._with_record(self._read())

    def _with_record(self, sizes: Sizes) -> Limits:
        """The file's limits go first: whoever changed them there meant it. A file without a limit is what a program
        writes that finds none.
        """
        ours = self.records.get(self.path).limits or {}
        if sizes.limits is None:
            return Limits(**{field: ours.get(field) for field in _FIELDS})
        return Limits(
            storage=_meant(sizes.limits.storage, ours.get("storage")),
            messages=_meant(sizes.limits.messages, ours.get("messages")),
            mailboxes=ours.get("mailboxes"),
            annotation=ours.get("annotation"),
        )

    def usage(self, *, fresh: bool = False) -> Usage:
        """Octets and messages as the file has them; `fresh`: counted, with folders and annotations."""
        if fresh:
            found = self.count()
            return replace(found.usage, annotation=sum(map(_annotations, found.below)))
        return self._read().usage or self.recount()

    def limits_and_usage(self) -> tuple[Limits, Usage]:
        """Both as the file has them, in one look."""
        sizes = self._read()
        return self._with_record(sizes), sizes.usage or self.recount()

    def known(self) -> Usage:
        """The same as fresh, without counting messages when no folder has changed since they were counted."""
        below = [self.seen] if self.seen else list(self.look())
        sizes, folders = self._read(), _folders(below)
        if sizes.usage is None or not _is_settled(sizes, below):
            return self.usage(fresh=True)
        return replace(sizes.usage, mailboxes=len(folders), annotation=sum(map(_annotations, below)))

    def would_accept(self, size: int = 0, messages: int = 0) -> bool:
        """Whether `size` octets in so many messages may come (nothing given: the soft rule of a delivery).

        What the file says is enough to accept when no folder has changed since it was written to; else the messages
        are counted, for an IMAP server that keeps no quota may have added some. So they are before any root refuses,
        because it may have removed some; but not when they were counted last and no folder has changed since, lest mail
        to a full account cost the more the fuller it is.
        """
        sizes = self._read()
        limits, delta = self._with_record(sizes), Usage(size, messages)
        if limits.annotation is not None and self.annotations() > limits.annotation:
            return False
        limits = replace(limits, mailboxes=None, annotation=None)
        if limits == _NO_LIMITS:
            return True
        if sizes.usage is not None and not exceeded(limits, sizes.usage, delta):
            near = bool(exceeded(limits, sizes.usage, delta + _NEAR))
            # A delivery of ours that is between its message and its line explains a difference, too.
            if self._is_kept_up(sizes, near) or is_held(self.path) or self._is_kept_up(self._read(), near):
                self._compact()
                return True
        if _is_settled(sizes, list(self.look())):
            return False
        return not exceeded(limits, self.recount(), delta)

    def _is_kept_up(self, sizes: Sizes, near: bool) -> bool:
        """Whether nobody has changed a folder without telling the file, as far as it is looked at.

        Why only the INBOX stands for all folders of a user who has room: to look at each costs more than the rest of
        the question, and who works in others works in the INBOX as well. Of a domain nothing can be said.
        """
        if self.is_domain:
            return True
        inbox = not self.name.path and not near
        return sizes.kept_up(list(stamps_of(str(self.path)) or ()) if inbox else _stamps(self.folders()))

    # -- what lies below ---------------------------------------------------------------------------------------------

    def mailboxes(self) -> int:
        """The number of folders at and below the root."""
        return sum(1 for _ in self.folders())

    def annotations(self) -> int:
        """Octets of the annotations of the folders at and below the root."""
        return sum(map(_annotations, self.look()))

    def folders(self) -> Iterator[Folder]:
        """The folders whose nearest root this is."""
        for below in self.look():
            yield from below.folders

    # -- counting ----------------------------------------------------------------------------------------------------

    def recount(self) -> Usage:
        """Count the messages and write the file anew, so that no delivery of ours is missed or counted twice."""
        return self.count().usage

    def count(self, *, write: bool = True) -> Count:
        """As `recount`, and what the file said before. Not to `write` leaves the file as it is."""
        with locked(self.path, fcntl.LOCK_EX):
            return self._count(write=write)

    def _count(self, *, write: bool = True) -> Count:
        first = sizes = self._read()
        limits = self._with_record(sizes)
        for _ in range(_ATTEMPTS):
            below = list(self.look())
            folders = _folders(below)
            before = _stamps(folders)
            total = count = 0
            for folder in folders:
                size, number = contents(folder.place)
                total, count = total + size, count + number
            wrong = sizes.limits is None or sizes.usage != Usage(total, count)
            if write and (wrong or not _is_settled(sizes, below)):
                self._write(limits, maildirsize.counted(Usage(total, count), apart=_is_apart(below)))
                sizes = self._read()
            if before == _stamps_now(folders):
                break
        else:
            if write:
                self._write(limits, maildirsize.UNKNOWN)  # somebody else is busy here: whoever asks next counts again
        return Count(Usage(total, count, len(folders)), first.usage, below)

    def _write(self, limits: Limits, lines: str) -> None:
        maildirsize.write(self.path, limits, lines, self.mode)

    @contextmanager
    def recording(self, size: int, messages: int = 1) -> Iterator[None]:
        """Around the arrival of a message, or some: add the line when they have come, counted or not counted as one."""
        with locked(self.path, fcntl.LOCK_SH):
            yield
            self._add(self.path, size, messages)
        if self.counter is not None:
            self._add(self.counter, size, messages)

    def _add(self, folder: Path, size: int, messages: int) -> None:
        """The messages have arrived: nothing here may make that a failure."""
        try:
            maildirsize.add(folder, size, messages)
        except OSError as error:
            _log.error("%s: a delivery could not be added: %s", folder / maildirsize.FILE_NAME, error)

    def _compact(self) -> None:
        """Add the lines of a file up that has become long."""
        if not self.is_domain or self._length() < MAX_SIZE:
            return
        with locked(self.path, fcntl.LOCK_EX):
            sizes = self._read()
            if sizes.usage is not None and self._length() >= MAX_SIZE:
                self._write(self._with_record(sizes), f"{sizes.usage.storage} {sizes.usage.messages}\n0 0\n0 0\n")

    def _length(self) -> int:
        try:
            return (self.path / maildirsize.FILE_NAME).lstat().st_size
        except FileNotFoundError:
            return 0

    # -- changing it -------------------------------------------------------------------------------------------------

    def set_limits(self, limits: Limits) -> None:
        """Replace all limits; the directory becomes a root when it is none. The usage is counted."""
        with locked(self.path, fcntl.LOCK_EX):
            new = not is_limiting(self.path, self.records)
            kept = {field: value for field in _FIELDS if (value := getattr(limits, field)) is not None}
            self.records.change(self.path, limits=kept)
            if limits.storage is None and limits.messages is None:
                self._free()
            self._write(limits, maildirsize.UNKNOWN)
            moved = self._count().usage
        quota_state.limits_changed(self.path, self.mode, lifted=limits == _NO_LIMITS)
        if new and moved.messages:
            self._recount_outer()

    def _recount_outer(self) -> None:
        """The root above has lost or got what is counted here."""
        outer = self.outer()
        if outer:
            outer.changed()

    def changed(self) -> None:
        """Folders with mail have come or gone. A domain is counted when somebody asks: many users may go at once."""
        if not self.is_domain:
            self.recount()
            return
        with locked(self.path, fcntl.LOCK_EX):
            self._write(self.limits(), maildirsize.UNKNOWN)

    def remove(self) -> None:
        """It is no root any longer."""
        with locked(self.path, fcntl.LOCK_EX):
            self.records.change(self.path, limits=None)
            self._free()
            (self.path / quota_state.FILE_NAME).unlink(missing_ok=True)
        self._recount_outer()

    def _free(self) -> None:
        """The file says no limit any longer.

        Where Dovecot counts it stays: a session that does not find it would write it anew with the limits it remembers.
        """
        if self.name.is_inbox and maildirsize.exists(self.path) and is_read_by_dovecot(self.path):
            maildirsize.write_free(self.path, self._count(write=False).usage, self.mode)
        else:
            (self.path / maildirsize.FILE_NAME).unlink(missing_ok=True)
