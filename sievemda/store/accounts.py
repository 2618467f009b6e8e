"""Whole accounts at once: INBOX, folders, quota, rights and script, in place with one rename or not at all.

An account is built in a directory beside the home that it is to be, by the same functions that make single mailboxes,
and nobody sees it there: no user has a name that begins with a dot. Then the home is renamed into place. A crash leaves
that directory behind, which is no account, and a list that is gone through again makes the account anew; `serve`
removes such directories.

Why a home that is there already is not replaced: it is somebody's, with more in it than mail. Then his `Maildir` is
what is renamed, after his scripts; without a Maildir there is no user.

Why single files are not synced while an account is built: all of it is, by one sync of the file system, before it is
renamed. That is what makes a list of thousands a matter of a minute.
"""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError, StoreTrouble
from sievemda.policy.quota import Limits
from sievemda.store import rootlist
from sievemda.store.authority import change_entries
from sievemda.store.creation import open_partition
from sievemda.store.directories import make_directory
from sievemda.store.files import sync_directory, sync_later, unique_name
from sievemda.store.layout import MAILDIR
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ACTIVE, FOLDER, ScriptStore
from sievemda.store.subscribed import subscribe

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore

_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}
UNFINISHED = ".account."  # in front of the name of a directory in which an account is built
_PARTS = (FOLDER, ACTIVE, MAILDIR)  # of a home, in the order in which they are put into one that is there


@dataclass(frozen=True, slots=True)
class Grant:
    folder: MailboxName
    identifier: str
    rights: str  # as in SETACL


@dataclass(frozen=True, slots=True)
class Account:
    """What an account is to have. None and nothing: as it is, or as it would be without saying."""

    userid: str
    folders: tuple[tuple[MailboxName, str], ...] = ()  # with their special uses
    limits: Limits | None = None
    grants: tuple[Grant, ...] = ()
    partition: str = ""
    script: tuple[str, bytes] | None = None  # name and text of the script that becomes the active one

    @property
    def inbox(self) -> MailboxName:
        return MailboxName(self.userid)


def make(store: MailStore, account: Account) -> None:
    """Make a new account.

    AlreadyExists, also when somebody else has just made it; DataError for a name or partition that cannot be; NotFound
    for a group that is granted rights and unknown; OverQuota; StoreTrouble; TemporaryTrouble. Nothing is left of what
    fails.
    """
    build(store, account.userid, lambda built: furnish(built, account), account.partition)
    tell(store, account.userid, granted=bool(account.grants))


def build(store: MailStore, userid: str, fill: Callable[[MailStore], None], partition: str = "") -> None:
    """Have a new account made by `fill`, in a store with nobody else in it, and put it in place. Raises as `make`."""
    store.namespace.check_new(MailboxName(userid))
    if store.user_exists(userid):
        raise AlreadyExists(f"user {userid} is there already")
    fixed = bool(store.settings.store.mail_home)
    if fixed and partition:
        raise DataError("mail_home decides where the homes of users lie")
    partition = store.default_partition if fixed else partition or store.layout.disks.choose()
    home = store.layout.home(userid, partition)
    try:
        if not fixed:
            open_partition(store, partition)
        make_directory(store, home.parent)
        with _beside(home, store.files.folder_mode) as directory:
            with sync_later(home.parent):
                built = _store_in(store, directory, partition)
                fill(built)
            into_place(built.layout.home(userid, partition), home)
            sync_directory(home.parent)
    except OSError as error:
        raise StoreTrouble(f"the account {userid} cannot be made: {error}") from error


def furnish(store: MailStore, account: Account) -> None:
    """Give an account what it lacks of this: an INBOX, folders, the quota, rights, the script. As `make` raises."""
    made = []
    for name, use in ((account.inbox, ""), *account.folders):
        found = store.find(name)
        if found is None:
            partition = account.partition if name.is_inbox else ""
            made.append(store.create(name, partition=partition, special_use=use, subscribe=False).name)
        elif use and found.special_use != use:
            found.set_special_use(use)
    if made:
        subscribe(store, account.userid, made)
    if account.limits is not None:
        rootlist.set_limits(store, account.inbox, account.limits)
    for folder in dict.fromkeys(grant.folder for grant in account.grants):
        mailbox = store.find(folder)
        if mailbox is not None:
            changes = [(grant.identifier, grant.rights) for grant in account.grants if grant.folder == folder]
            change_entries(store, mailbox, changes, careful=False)
    if account.script is not None:
        script, text = account.script
        files = store.files
        home = store.home(account.userid)
        scripts = ScriptStore(home, file_mode=files.message_mode, folder_mode=files.folder_mode)
        scripts.put(script, text)
        scripts.activate(script)


@contextmanager
def _beside(home: Path, mode: int) -> Iterator[Path]:
    directory = home.parent / f"{UNFINISHED}{unique_name()}"
    directory.mkdir(mode=mode)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def clean_unfinished(store: MailStore, older_than: float, *, dry: bool = False) -> int:
    """Remove accounts that somebody began to make more than so many seconds ago and did not put in place; how many.

    A `dry` run says how many that would be.
    """
    limit, count = time.time() - older_than, 0
    for directory in {home.parent for userid in store.layout.users() for _, home in store.layout.homes(userid)}:
        with suppress(OSError):
            for left in [path for path in directory.iterdir() if path.name.startswith(UNFINISHED)]:
                if not left.is_symlink() and left.stat().st_mtime <= limit:
                    if not dry:
                        shutil.rmtree(left, ignore_errors=True)
                    count += 1
    return count


def _store_in(store: MailStore, directory: Path, partition: str) -> MailStore:
    """A store of its own in a directory, with the settings of the site but for where mail lies."""
    settings = store.settings
    places = settings.store.with_changes(
        partitions={partition: directory / "mail"}, defaultpartition=partition, mail_home=""
    )
    rights = settings.acl.with_changes(acl_shared_dict=None)
    return type(store)(settings.with_changes(data=directory, store=places, acl=rights))


def into_place(built: Path, home: Path) -> None:
    """Rename a home, or what is ours in it when there is one; AlreadyExists when that is taken."""
    if not home.exists():
        try:
            built.rename(home)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
        else:
            return
    for part in _PARTS:
        source, target = built / part, home / part
        if not source.exists():
            continue
        if target.exists() or target.is_symlink():
            if part == MAILDIR:
                raise AlreadyExists(f"{target} is in the way: it is no mailbox that can be used")
            continue  # scripts that he has made himself
        source.rename(target)
    sync_directory(home)


def tell(store: MailStore, userid: str, *, granted: bool) -> None:
    """Who looks after more than one account learns of the new one; `granted`: others have got rights in it."""
    if store.files.sharing and granted:
        store.files.sharing.update(userid, store.user_tree(userid))
    domain = userid.partition("@")[2]
    if domain and (root := rootlist.find(store, MailboxName(None, (), domain))):
        root.changed()
