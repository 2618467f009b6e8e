"""Messages that nobody has any more and that can be brought back: discarded by a script, or expired.

    HOME/withdrawn./ID          a message, as it would lie in its folder
    HOME/withdrawn./ID.entry    JSON: the mailbox, flags, when and why, and what tells people which message it is
    HOME/withdrawn./ID.gathered/    messages that left one folder together, see `gathered`

HOME is beside the Maildir, so that no IMAP server sees it, no quota counts it, and it moves and goes with the user;
those of shared folders lie beside their tree. A message gets there by a link or by renaming its file.

They are listed by the time that their identifiers begin with, as they are read, so that memory hardly grows with them.
Without an entry a message is not there for those who look; it stays as long as the others, by the time that its
identifier says, since nobody knows how it has lost it: `reconstruct` brings it back. Who brings a message back
puts it into the folder first, so that a crash makes one copy too many, never one too few.

Why in the home and not in one place for all: whoever takes the name of a user who was deleted must not find his mail.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.errors import DataError, NotFound
from sievemda.store.files import open_directory, read_control_file, unique_name, write_new
from sievemda.store.messages import known_flags
from sievemda.store.names import MailboxName
from sievemda.store.staging import Staged, measure

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

AREA = "withdrawn."
END_OF_TIME = 1 << 37  # seconds since 1970 that every calendar has
_ENTRY = ".entry"
_ABANDONED = 86400.0  # seconds after which what has no entry, or is one without a message, was left by a crash
_LONGEST = 1000  # characters of a text in an entry
_TIME = re.compile(r"(\d{1,10})\.M(\d{1,6})P")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One message."""

    id: str
    mailbox: str  # where it was or would have gone, as administrators write it
    why: str  # "discard", "expire"
    when: float  # seconds since 1970
    message_id: str = ""
    sender: str = ""  # of the envelope
    to: str = ""
    subject: str = ""
    flags: tuple[str, ...] = ()
    size: int = 0  # octets
    file: str = ""  # where it lies below the area, if its identifier does not say that

    @classmethod
    def now(cls, mailbox: str, why: str, **more: Any) -> Withdrawn:
        """One that is withdrawn at this moment."""
        given: dict[str, Any] = {
            name: value[:_LONGEST] if isinstance(value, str) else value for name, value in more.items()
        }
        return cls(unique_name(), mailbox, why, time.time(), **given)

    def is_named(self, text: str) -> bool:
        """Whether somebody means it by its identifier or its Message-ID, with or without the brackets."""
        return text == self.id or (bool(self.message_id) and text.strip("<>") == self.message_id.strip("<>"))


def area(tree: Tree) -> Path:
    """Where the messages of a tree lie; it need not be there."""
    return tree.root.parent / AREA


# -- putting away ------------------------------------------------------------------------------------------------------


def put(mailbox: Mailbox, staged: Staged, entry: Withdrawn, *, last: bool) -> None:
    """Keep a message that is in no folder, durably; `last` gives the stage file itself away. OSError."""
    directory = open_area(mailbox)
    try:
        if not staged.give(directory, entry.id, last=last):
            staged.copy(directory, directory, entry.id)
        write_entry(mailbox, directory, replace(entry, size=staged.size))
        os.fsync(directory)
    finally:
        os.close(directory)


def open_area(mailbox: Mailbox) -> int:
    """A descriptor of where its messages go that nobody has any more. OSError."""
    path = area(mailbox.tree)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    return open_directory(path)


def write_entry(mailbox: Mailbox, directory: int, entry: Withdrawn) -> None:
    """Write down what a message is that has been put into the open directory. OSError: it is not there any more."""
    content = json.dumps({name: value for name, value in asdict(entry).items() if name != "file"}).encode()
    try:
        write_new(entry.id + _ENTRY, content, mailbox.store.message_mode, dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            drop(directory, entry.id)
        raise


# -- looking -----------------------------------------------------------------------------------------------------------


def entries(*trees: Tree, brief: bool = False, latest_first: bool = False) -> Iterator[Withdrawn]:
    """What can be brought back into the folders of these trees, the oldest first. OSError.

    `brief`: perhaps without what tells people which message it is.
    """
    from sievemda.store import gathered  # noqa: PLC0415 - a delivery has no use for it

    found = [(_order(name), number, name) for number, tree in enumerate(trees) for name in _names(tree)]
    found.sort(reverse=latest_first)
    for _, number, name in found:
        try:
            directory = open_directory(area(trees[number]))
        except FileNotFoundError:
            continue
        try:
            if name.endswith(gathered.ENDING):
                yield from gathered.entries(directory, name, brief=brief, latest_first=latest_first)
            elif (entry := read_entry(directory, name)) is not None:
                yield entry
        finally:
            os.close(directory)


def _names(tree: Tree) -> list[str]:
    """Of messages that have an entry, and of directories of them."""
    from sievemda.store import gathered  # noqa: PLC0415

    try:
        directory = open_directory(area(tree))
    except FileNotFoundError:
        return []
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - a descriptor
    finally:
        os.close(directory)
    return [name for name in names if name.endswith(gathered.ENDING) or name + _ENTRY in names]


def _order(name: str) -> float:
    """When it was withdrawn, as its identifier says."""
    found = _TIME.match(name)
    return int(found[1]) + int(found[2]) / 1_000_000 if found else 0.0


def read_entry(directory: int, name: str) -> Withdrawn | None:
    """The entry of that identifier in the open directory; None when it is not there, or damaged."""
    try:
        found: dict[str, Any] = json.loads(read_control_file(name + _ENTRY, dir_fd=directory) or b"")
        texts = {key: str(found[key]) for key in ("mailbox", "why", "message_id", "sender", "to", "subject")}
        flags = tuple(str(flag) for flag in found["flags"])
        when = float(found["when"])
        if not 0 <= when < END_OF_TIME:
            raise ValueError(f"{when} is no time")
        return Withdrawn(name, when=when, size=int(found["size"]), flags=flags, **texts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        _log.warning("%s%s in %s is damaged", name, _ENTRY, AREA)
        return None


def trees(store: MailStore) -> Iterator[Tree]:
    """Every tree that may have such messages, in no order."""
    for userid in set(store.layout.users()):
        if tree := store.user_tree(userid):
            yield tree
    for domain in store.layout.domains():
        yield from store.layout.shared(domain)


# -- bringing back -----------------------------------------------------------------------------------------------------


def restore(store: MailStore, tree: Tree, entry: Withdrawn, to: Mailbox | None = None) -> tuple[Mailbox, Path]:
    """Put a message into the folder where it belongs, else the INBOX, or into another: that, and its file there.

    NotFound when somebody was quicker or there is no such folder any more; OSError.
    """
    from sievemda.store import gathered  # noqa: PLC0415

    mailbox = to or _home_of(store, tree, entry)
    with ExitStack() as stack:
        try:
            directory, name = stack.enter_context(gathered.opened(area(tree), entry.file or entry.id))
            path = Path(f"/proc/self/fd/{directory}/{name}")
            size, vsize = measure(path)
        except FileNotFoundError as error:
            raise NotFound(f"no message {entry.id} can be brought back") from error
        staged = Staged(tree.partition, path, size, vsize, links=True, mode=store.files.message_mode)
        came = path.lstat().st_mtime_ns
        file = staged.deliver(mailbox, known_flags(entry.flags), last=True)
        with suppress(OSError):  # an IMAP server has moved it already
            os.utime(file, ns=(came, came), follow_symlinks=False)
        drop(directory, name)
    return mailbox, file


def _home_of(store: MailStore, tree: Tree, entry: Withdrawn) -> Mailbox:
    found = None
    with suppress(DataError):  # its entry is damaged, or names are written otherwise now
        name = store.namespace.parse_admin(entry.mailbox)
        found = store.find(name) if (name.owner, name.domain) == (tree.owner, tree.domain) else None
    if found is None and tree.owner is not None:
        found = store.find(MailboxName(tree.owner))
    if found is None:
        raise NotFound(f"there is no mailbox {entry.mailbox} any more: say where the message is to go")
    return found


# -- removing for good -------------------------------------------------------------------------------------------------


def prune(tree: Tree, older_than: float, size: int, *, dry: bool = False) -> int:
    """Remove what was withdrawn more than so many seconds ago, and the oldest beyond `size` octets; how many.

    A `dry` run says how many that would be.
    """
    limit, kept, count = time.time() - older_than, 0, 0
    try:
        for entry in entries(tree, brief=True, latest_first=True):
            kept += entry.size
            if entry.when <= limit or kept > size:
                count += 1
                if not dry:
                    _remove(tree, entry)
        if not dry:
            _clear(tree, limit)
    except OSError as error:
        _log.error("%s: %s", area(tree), error)
    return count


def _remove(tree: Tree, entry: Withdrawn) -> None:
    from sievemda.store import gathered  # noqa: PLC0415

    with suppress(FileNotFoundError), gathered.opened(area(tree), entry.file or entry.id) as (directory, name):
        drop(directory, name)


def _clear(tree: Tree, limit: float) -> None:
    """Remove what has been of no use for long; messages without an entry when they were withdrawn before the limit."""
    from sievemda.store import gathered  # noqa: PLC0415

    try:
        directory = open_directory(area(tree))
    except FileNotFoundError:
        return
    before = time.time() - _ABANDONED
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - a descriptor
        for name in names:
            if name.endswith(gathered.ENDING):
                gathered.clear(directory, name, before)
            elif _is_abandoned(directory, name, names, before, limit):
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=directory)
    finally:
        os.close(directory)


def _is_abandoned(directory: int, name: str, names: set[str], before: float, limit: float) -> bool:
    """An entry without its message that has been so since `before`; a message without one that was withdrawn long ago.

    One whose entry is damaged stays: `reconstruct` brings it back.
    """
    lone = name.endswith(_ENTRY)
    if (name.removesuffix(_ENTRY) if lone else name + _ENTRY) in names:
        return False
    with suppress(OSError):
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        old = lone or (_order(name) or found.st_ctime) < limit
        return old and not stat.S_ISDIR(found.st_mode) and found.st_ctime < before
    return False


def drop(directory: int, name: str) -> None:
    """Remove one from the open directory. The entry last: without its message it is nothing to bring back."""
    for each in (name, name + _ENTRY):
        with suppress(FileNotFoundError):
            os.unlink(each, dir_fd=directory)
