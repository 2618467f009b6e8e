"""Messages that nobody has any more and that can be brought back: discarded by a script, or expired.

    HOME/withdrawn./ID          a message, as it would lie in its folder
    HOME/withdrawn./ID.entry    JSON: the mailbox, flags, when and why, and what tells people which message it is

HOME is beside the Maildir, so that no IMAP server sees it, no quota counts it, and it moves and goes with the user;
those of shared folders lie beside their tree. A message gets there by a link or by renaming its file.

Without an entry a message is not there: what a crash leaves is removed with the old ones. Who brings a message back
puts it into the folder first, so that a crash makes one copy too many, never one too few.

Why in the home and not in one place for all: whoever takes the name of a user who was deleted must not find his mail.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sievemda.errors import NotFound
from sievemda.store.files import open_directory, read_control_file, unique_name, write_new
from sievemda.store.messages import known_flags
from sievemda.store.staging import Staged, measure

if TYPE_CHECKING:
    from sievemda.store.layout import Tree
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

AREA = "withdrawn."
END_OF_TIME = 1 << 37  # seconds since 1970 that every calendar has
_ENTRY = ".entry"
_ABANDONED = 86400.0  # seconds after which a message without an entry belongs to nobody
_LONGEST = 1000  # characters of a text in an entry
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
    content = json.dumps(asdict(entry)).encode()
    try:
        write_new(entry.id + _ENTRY, content, mailbox.store.message_mode, dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            drop(directory, entry.id)
        raise


# -- looking -----------------------------------------------------------------------------------------------------------


def entries(tree: Tree) -> list[Withdrawn]:
    """What can be brought back into the folders of a tree, the oldest first."""
    try:
        directory = open_directory(area(tree))
    except FileNotFoundError:
        return []
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - a descriptor
        found = [read_entry(directory, name) for name in names if name + _ENTRY in names]
    finally:
        os.close(directory)
    return sorted(filter(None, found), key=lambda entry: (entry.when, entry.id))


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
    mailbox = to or _home_of(store, tree, entry)
    path = area(tree) / entry.id
    os.close(open_directory(path.parent))
    try:
        size, vsize = measure(path)
    except FileNotFoundError as error:
        raise NotFound(f"no message {entry.id} can be brought back") from error
    staged = Staged(tree.partition, path, size, vsize, links=True, mode=store.files.message_mode)
    came = path.stat().st_mtime_ns
    file = staged.deliver(mailbox, known_flags(entry.flags), last=True)
    staged.discard()
    with suppress(OSError):  # an IMAP server has moved it already
        os.utime(file, ns=(came, came), follow_symlinks=False)
    _remove(path.parent, [entry.id])
    return mailbox, file


def _home_of(store: MailStore, tree: Tree, entry: Withdrawn) -> Mailbox:
    name = store.namespace.parse_admin(entry.mailbox)
    found = store.find(name) if (name.owner, name.domain) == (tree.owner, tree.domain) else None
    if found is None and tree.owner is not None:
        found = store.find(replace(name, owner=tree.owner, path=(), domain=""))
    if found is None:
        raise NotFound(f"there is no mailbox {entry.mailbox} any more: say where the message is to go")
    return found


# -- removing for good -------------------------------------------------------------------------------------------------


def prune(tree: Tree, older_than: float, size: int, *, dry: bool = False) -> int:
    """Remove what was withdrawn more than so many seconds ago, and the oldest beyond `size` octets; how many.

    A `dry` run says how many that would be.
    """
    try:
        directory = open_directory(area(tree))
    except FileNotFoundError:
        return 0
    except OSError as error:
        _log.error("%s: %s", area(tree), error)
        return 0
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - a descriptor
        abandoned = [name for name in names if _is_abandoned(directory, name, names)]
    finally:
        os.close(directory)
    limit, kept, old = time.time() - older_than, 0, []
    for entry in reversed(entries(tree)):
        kept += entry.size
        if entry.when <= limit or kept > size:
            old.append(entry.id)
    if not dry:
        _remove(area(tree), [*old, *abandoned])
    return len(old)


def _is_abandoned(directory: int, name: str, names: set[str]) -> bool:
    """A message without a readable entry, or an entry without its message, that has been so for long."""
    partner = name.removesuffix(_ENTRY) if name.endswith(_ENTRY) else name + _ENTRY
    message = name.removesuffix(_ENTRY)
    if partner in names and read_entry(directory, message) is not None:
        return False
    with suppress(OSError):
        return os.stat(name, dir_fd=directory, follow_symlinks=False).st_ctime < time.time() - _ABANDONED
    return False


def drop(directory: int, name: str) -> None:
    """Remove one from the open directory. The entry last: without its message it is nothing to bring back."""
    for each in (name, name + _ENTRY):
        with suppress(FileNotFoundError):
            os.unlink(each, dir_fd=directory)


def _remove(path: Path, ids: Sequence[str]) -> None:
    if not ids:
        return
    directory = open_directory(path)
    try:
        for name in ids:
            drop(directory, name)
    finally:
        os.close(directory)
