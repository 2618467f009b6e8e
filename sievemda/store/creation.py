"""Making mailboxes (semantics, sections 1, 5 and 6).

A folder is built aside, complete with its ACL and its id, and renamed into place: an IMAP server never sees half of it.
"""

from __future__ import annotations

import errno
import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError, NotFound, SievemdaError, StoreTrouble
from sievemda.policy.acl import ALL_RIGHTS, Acl
from sievemda.policy.quota import OverQuota
from sievemda.store import aclfile, links, record, subscriptions
from sievemda.store.directories import make_directory
from sievemda.store.files import sync_directory, unique_name, write_new
from sievemda.store.layout import MAILDIR, Tree
from sievemda.store.maildir import is_folder, make_parts
from sievemda.store.names import MAX_FILE_NAME, MailboxName
from sievemda.store.partitions import STAGE
from sievemda.store.spelling import from_disk, to_disk

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

SPECIAL_USES = (
    "All",
    "Archive",
    "Drafts",
    "Flagged",
    "Important",
    "Junk",
    "Memos",
    "Scheduled",
    "Sent",
    "Snoozed",
    "Trash",
)
MOVED = "moved."  # begins the names of folders that are on their way and nowhere else
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Having:
    """What a new mailbox has from the moment it is there. None and nothing: what it gets without saying."""

    acl: Acl | None = None
    id: str = ""
    limits: dict[str, int] | None = None  # by the field names of policy.quota.Limits; makes it a quota root
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)  # as in its record
    known: bool = False  # a folder of that name has been there: it may be one that only an IMAP server makes


def special_uses(text: str) -> str:
    """Special uses as they are written (RFC 6154 §2, RFC 8457 and Cyrus'); DataError for an unknown one."""
    known = {f"\\{use}".lower(): f"\\{use}" for use in SPECIAL_USES}
    found = []
    for word in text.split():
        use = known.get(word.lower()) or known.get(f"\\{word}".lower())
        if use is None:
            raise DataError(f"{word!r} is not a special use (known are {' '.join(known.values())})")
        found.append(use)
    return " ".join(found)


def known_use(word: str) -> str:
    """A special use as it is written, or nothing when it is none that we know."""
    try:
        return special_uses(word)
    except DataError:
        return ""


def nearest_above(store: MailStore, name: MailboxName) -> Mailbox | None:
    """The nearest ancestor that exists, at any distance."""
    above = name.parent
    while above is not None:
        if found := store.find(above):
            return found
        above = above.parent
    return None


def create(
    store: MailStore,
    name: MailboxName,
    *,
    partition: str = "",
    special_use: str = "",
    subscribe: bool = True,
    having: Having = Having(),
) -> Mailbox:
    """Make a mailbox, as an administrator may. `subscribe`: its owner's mail clients are to show it.

    AlreadyExists; NotFound when the user to whom the folder would belong does not exist; DataError for a name, a
    partition or a special use that cannot be; OverQuota when the limit on folders is reached; StoreTrouble;
    TemporaryTrouble when the partition is away.
    """
    name = name if having.known else name.decoded() or name
    if not (having.known and _can_be(store, name)):
        store.namespace.check_new(name)
    use = special_uses(special_use)
    shown = store.namespace.format_admin(name)
    if store.find(name):
        raise AlreadyExists(f"{shown} is there already")
    above = nearest_above(store, name)
    if name.owner is not None and name.path and above is None:
        raise NotFound(f"no user {name.owner}, so there can be no {shown}")
    if name.is_inbox and (use or (partition and store.settings.store.mail_home)):
        raise DataError("an INBOX has no special use" if use else "mail_home decides where the homes of users lie")
    check_folder_quota(store, name, above)
    partition = partition or (above.partition if above else store.layout.disks.choose())
    if having.acl is None:
        having = replace(having, acl=above.acl() if above else initial_acl(store, name))
    try:
        open_partition(store, partition)
        tree = tree_for(store, name, above, partition)
        if name.path:
            links.clear_dangling(store, tree.folder(name.path))
        before = store.files.records.get(tree.folder(name.path)).limits  # of a quota root that was here
        having = replace(having, limits=before if having.limits is None else having.limits)
        _place(store, tree, name, partition, having, use)
    except OSError as error:
        raise StoreTrouble(f"{shown} cannot be made: {error}") from error
    if subscribe:
        _subscribe(store, tree, name)
    found = store.find(name)
    if found is None:
        raise StoreTrouble(f"{shown} was made and is not found")
    return found


def _can_be(store: MailStore, name: MailboxName) -> bool:
    """Whether a user's folder of that name is found again in its tree."""
    if name.owner is None or not name.path or store.namespace.userid(name.owner) != name.owner:
        return False
    on_disk = to_disk(name.path)
    return len(on_disk.encode()) <= MAX_FILE_NAME and from_disk(on_disk) == name.path


def _place(store: MailStore, tree: Tree, name: MailboxName, partition: str, having: Having, use: str) -> None:
    """Make the directory, and on another partition than the tree's what shows it.

    A tree that has moved since it was found is not made anew: FileNotFoundError.
    """
    place, seen = place_of(store, tree, name, partition), tree.folder(name.path)
    if place.parent != tree.root or name.owner is None:
        make_directory(store, place.parent)
    if place == seen:
        build(store, place, name, having, use)
        return
    with links.alone(tree):
        if is_folder(seen):  # somebody was quicker
            raise AlreadyExists(f"{seen} is there already")
        place = links.vacant(store, tree, store.namespace.format_admin(name), place)
        build(store, place, name, having, use)
        try:
            links.link(seen, place)
        except OSError:
            shutil.rmtree(place, ignore_errors=True)  # nobody has seen it
            raise


def initial_acl(store: MailStore, name: MailboxName) -> Acl:
    """Without an ancestor: an owner has everything; a shared folder has the setting `defaultacl`."""
    if name.owner is not None:
        return Acl(((name.owner, ALL_RIGHTS),))
    return Acl.parse(store.settings.acl.defaultacl, store.settings.acl.deleteright)


def check_folder_quota(store: MailStore, name: MailboxName, above: Mailbox | None) -> None:
    """The limit MAILBOX holds where a folder gets a parent (semantics, section 7)."""
    root = store.files.roots.nearest(name, above.tree) if above else None
    limit = root.limits().mailboxes if root else None
    if root is not None and limit is not None and root.mailboxes() + 1 > limit:
        where = store.namespace.format_admin(root.name)
        raise OverQuota(f"there may be no more than {limit} folders at and below {where}")


def tree_for(store: MailStore, name: MailboxName, above: Mailbox | None, partition: str) -> Tree:
    """The tree in which a new mailbox belongs, its directory made when there is none."""
    layout = store.layout
    if above is not None:
        return above.tree
    if name.owner is not None:
        home = layout.home(name.owner, partition)
        tree = Tree(name.owner, "", layout.partition_of(home), home / MAILDIR)
        make_directory(store, home)
        return tree
    tree = next(layout.shared(name.domain))
    if not tree.root.is_dir():
        open_partition(store, tree.partition)
        make_directory(store, tree.root)
    return tree


def open_partition(store: MailStore, partition: str) -> None:
    """Make what a partition needs that is used for the first time. TemporaryTrouble when its disk is away."""
    root = store.layout.partition(partition)
    store.layout.disks.check(partition, root)
    make_directory(store, root / STAGE)
    store.layout.disks.opened(partition)


def place_of(store: MailStore, tree: Tree, name: MailboxName, partition: str) -> Path:
    """Where the messages of a folder of `tree` lie when it is on that partition."""
    store.layout.partition(partition)
    if partition == tree.partition or not name.path:
        return tree.folder(name.path)
    return store.layout.place(name.owner, name.domain, name.path, partition)


def build(store: MailStore, place: Path, name: MailboxName, having: Having, use: str) -> None:
    """Make the directory of a folder with everything in it."""
    temporary = workshop(store, place) / f"new.{unique_name()}"
    temporary.mkdir(mode=store.files.folder_mode)
    try:
        mode = store.files.message_mode
        if name.path:
            write_new(temporary / "maildirfolder", b"", mode)
        file, recorded = store.files.acls.written(having.acl or Acl(), name.owner)
        write_new(temporary / aclfile.FILE_NAME, file, mode)
        content = record.Record(
            having.id or record.new_id(),
            special_use=use,
            limits=having.limits,
            metadata=having.metadata,
            **recorded,
        )
        write_new(temporary / record.FILE_NAME, content.encode(), mode)
        make_parts(temporary, store.files.folder_mode)
        _into_place(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_directory(place.parent)


def workshop(store: MailStore, place: Path) -> Path:
    """Where to make what is then renamed to a place: the stage of its partition, where what crashes leave is removed.

    Where that is on another file system (see mail_home) it is the directory above the one of the place.
    """
    stage = store.layout.stage(store.layout.partition_of(place))
    near = place.parent
    try:
        if stage.stat().st_dev == near.stat().st_dev:
            return stage
    except FileNotFoundError:
        pass
    return near.parent if near.name == MAILDIR else near


def _into_place(temporary: Path, place: Path) -> None:
    try:
        temporary.rename(place)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    else:
        return
    if is_folder(place):  # somebody was quicker
        raise AlreadyExists(f"{place} is there already")
    for entry in sorted(temporary.iterdir(), key=lambda found: found.name == "cur"):  # `cur` makes it a folder
        if not (place / entry.name).is_dir():
            entry.rename(place / entry.name)


def _subscribe(store: MailStore, tree: Tree, name: MailboxName) -> None:
    if name.owner is None:
        return
    try:
        subscriptions.subscribe(tree.root, [name.path], store.files.message_mode)
    except (OSError, SievemdaError) as error:
        _log.error("%s: cannot subscribe: %s", tree.root, error)
