"""The store as the rest of the program sees it: find, make and list mailboxes, and take messages in.

Why there is no list of mailboxes: the file system is the list. A folder that an IMAP server made is found at the next
look, one that it removed is gone; a look-up is a few `lstat`, and costs the same with ten users as with a million.

Why what moves, removes and clears is imported where it is called: it is much, and commands that only look wait for none
of it. The server has it loaded before its workers begin.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from functools import partial
from os.path import islink, lexists
from pathlib import Path

from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble
from sievemda.policy.acl import Rights
from sievemda.store import creation, record, rootlist
from sievemda.store.aclfile import forget_list
from sievemda.store.annotations import Annotations, guid_of
from sievemda.store.denials import is_denied
from sievemda.store.files import is_directory, unique_name
from sievemda.store.fuzzy import nearest
from sievemda.store.groups import Groups
from sievemda.store.layout import MAILDIR, Layout, Tree
from sievemda.store.mailbox import Files, Mailbox
from sievemda.store.maildir import is_folder
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.ordered import in_order
from sievemda.store.patterns import Pattern
from sievemda.store.quota import QuotaRoot
from sievemda.store.staging import Chunk, Staged, measure, sync, write_staged

_log = logging.getLogger(__name__)
_PATIENCE = 3.0  # seconds for a folder that is moving


class MailStore:
    """Thread-safe; keeps no file open and nothing in memory but parsed control files."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.namespace = Namespace(settings)
        self.layout = Layout(settings, self.namespace)
        modes = (settings.store.message_mode, settings.store.folder_mode)
        self.groups = Groups(settings.acl.groups_file, lower=settings.site.username_tolower)
        self.files = Files.of(self.layout, self.user_tree, self.groups, modes, settings.acl)
        self.annotations = Annotations(settings.data, settings.store.message_mode)

    # -- looking up ------------------------------------------------------------------------------------------------

    @property
    def default_partition(self) -> str:
        return self.layout.default

    def find(self, name: MailboxName) -> Mailbox | None:
        """The mailbox of that name; also when its name is spelled in modified UTF-7 and nothing is there as spelled.

        With the separator `.`, one that an IMAP server has called by the `^` that users type for a dot in a name.
        """
        found = self._find(name)
        if found is None and (decoded := name.decoded()) is not None:
            found = self._find(decoded)
        if found is None and (carets := self.namespace.with_carets(name)) is not None:
            found = self._find(carets)
        return found

    def _find(self, name: MailboxName) -> Mailbox | None:
        """TemporaryTrouble when it may be on a disk that is away."""
        if name.owner is not None:
            if tree := self.user_tree(name.owner):
                found = self._in_tree(tree, name) or self._on_its_way(name)
                if not self._is_ours(tree) or (found is None and islink(tree.folder(name.path))):  # noqa: PTH114
                    self.layout.check_there()
                return found
        else:
            for tree in self.layout.shared(name.domain) if name.path else ():
                if found := self._in_tree(tree, name):
                    return found
        self.layout.check_there()
        return None

    def _on_its_way(self, name: MailboxName) -> Mailbox | None:
        """A folder that is moving to or from another partition, whose link is not there at this moment.

        TemporaryTrouble when it does not arrive soon.
        """
        from sievemda.store import journey  # noqa: PLC0415 - see above

        end = time.monotonic() + _PATIENCE
        while name.path and len(self.layout.partitions) > 1 and (tree := self.user_tree(name.owner or "")):
            if (found := self._in_tree(tree, name)) or not journey.is_shown_soon(self, tree.folder(name.path)):
                return found or self._in_tree(tree, name)
            if time.monotonic() > end:
                raise TemporaryTrouble(f"{self.namespace.format_admin(name)} is being moved: try again later")
            time.sleep(0.02)
        return None

    def _in_tree(self, tree: Tree, name: MailboxName) -> Mailbox | None:
        if not name.path:
            return Mailbox(name, tree.root, tree.partition, tree, self.files)
        found = self.layout.folder(tree, name.path)
        if found is None or not is_folder(found[0]):
            return None
        return Mailbox(name, *found, tree, self.files)

    def user_tree(self, userid: str) -> Tree | None:
        """The Maildir++ tree of a user; None when there is no such user.

        An IMAP server that looks for him on one partition alone makes him an empty home there. So a home with an INBOX
        that has been ours goes before one that has not, wherever they are. Who is in none of the places may be moving
        to one that has been looked at.
        """
        again = len(self.layout.partitions) > 1
        return self._tree_of(userid) or (self._tree_of(userid) if again else None)

    def _tree_of(self, userid: str) -> Tree | None:
        other = None
        for partition, home in self.layout.homes(userid):
            inside = self.layout.inside(home)
            root = inside and self.layout.maildir(userid, inside)
            if root and is_folder(root):
                moved = root != home / MAILDIR
                tree = Tree(userid, "", self.layout.partition_of(root) if moved else partition, root)
                if self._is_ours(tree):
                    return tree
                other = other or tree
        return other

    def _is_ours(self, tree: Tree) -> bool:
        """Whether no other INBOX of the user can be meant: he is found in one place, or has a record of ours here."""
        alone = len(self.layout.partitions) == 1 or self.settings.store.mail_home
        return bool(alone) or lexists(f"{tree.root}/{record.FILE_NAME}")

    def find_for(self, text: str, owner: str) -> Mailbox | None:
        r"""The mailbox that `owner` means by a name as in fileinto; `\Junk` is the folder with that special use.

        DataError when the name cannot be one.
        """
        if text.startswith("\\"):
            return self.special_use(owner, text)
        return self.find(self.namespace.parse_user(text, owner))

    def fuzzy(self, name: MailboxName) -> Mailbox | None:
        """The folder nearest to a name (semantics, section 2); None when not even its first component is near one."""
        path = nearest(name.path, [found.name.path for found in self.mailboxes_of(name.owner, name.domain)])
        return None if path is None else self.find(MailboxName(name.owner, path, name.domain))

    def user_exists(self, userid: str) -> bool:
        return self.user_tree(userid) is not None

    def is_damaged(self, userid: str) -> bool:
        """Whether a user who is not found has a Maildir all the same: one that is not as it must be."""
        homes = [home / MAILDIR for _, home in self.layout.homes(userid)]
        return any(lexists(maildir) and not rootlist.is_bare(maildir) for maildir in homes)

    def denies(self, userid: str, service: str) -> bool:
        """Whether an existing user is shut out of a service for a time."""
        return is_denied(self, userid, service)

    def home(self, userid: str) -> Path:
        """The home of a user, or where it would be made."""
        tree = self.user_tree(userid)
        if tree is not None and not self.settings.store.mail_home:
            return self.layout.home(userid, tree.partition)
        return self.layout.home(userid, self.layout.default)

    def special_use(self, owner: str, use: str) -> Mailbox | None:
        """The first folder by name that has the use, in any case of letters."""
        for mailbox in sorted(self.mailboxes_of(owner), key=lambda found: found.name.path):
            if use.lower() in mailbox.special_use.lower().split():
                return mailbox
        return None

    def with_id(self, owner: str, mailbox_id: str) -> Mailbox | None:
        """The user's mailbox of that identifier, ours or the one that Dovecot shows to IMAP clients (RFC 8474 §4).

        An identifier that nobody has asked for yet is nobody's.
        """
        for mailbox in self.mailboxes_of(owner):
            if mailbox_id in (self.files.records.get(mailbox.path).id, guid_of(mailbox.path)):
                return mailbox
        return None

    def rights(self, mailbox: Mailbox, identity: str | None) -> Rights:
        """What `identity` (None is anonymous) may do there; see `Mailbox.rights`."""
        return mailbox.rights(identity)

    # -- changing ----------------------------------------------------------------------------------------------------

    def create(
        self, name: MailboxName, *, partition: str = "", special_use: str = "", subscribe: bool = True
    ) -> Mailbox:
        """See `creation.create`: AlreadyExists, NotFound, DataError, OverQuota, StoreTrouble."""
        made = creation.create(self, name, partition=partition, special_use=special_use, subscribe=subscribe)
        forget_list(made.tree.root)
        return made

    def may_create(self, name: MailboxName, userid: str) -> bool:
        """Whether a user may make that mailbox: below his own INBOX anything, shared folders where he has `k` above.

        Never an INBOX, never at the top of the shared folders, never below another user (semantics, section 8).
        """
        if not name.path or name.path[0].startswith("#"):
            return False
        if name.owner is not None:
            return name.owner == userid
        above = creation.nearest_above(self, name)
        return above is not None and "k" in self.rights(above, userid)

    def delete(self, name: MailboxName) -> None:
        """See `moves.delete`: NotFound, NotPermitted, StoreTrouble."""
        from sievemda.store import moves  # noqa: PLC0415 - see above

        moves.delete(self, name)
        self._tell_shared(name.owner)

    def undelete(self, name: MailboxName, *, to: MailboxName | None = None, deletion: str = "") -> Mailbox:
        """See `undelete.undelete`: NotFound, AlreadyExists, DataError, StoreTrouble."""
        from sievemda.store import undelete  # noqa: PLC0415 - see above

        found = undelete.undelete(self, name, to=to, deletion=deletion)
        self._tell_shared(found.name.owner)
        return found

    def rename(self, old: MailboxName, new: MailboxName, *, partition: str = "") -> Mailbox:
        """See `moves.rename`: NotFound, AlreadyExists, DataError, StoreTrouble."""
        from sievemda.store import moves  # noqa: PLC0415 - see above

        renamed = moves.rename(self, old, new, partition=partition)
        self._tell_shared(*{old.owner, new.owner})
        return renamed

    def _tell_shared(self, *owners: str | None) -> None:
        """Other programs learn what somebody shares when folders of his have come or gone."""
        for owner in owners:
            if owner is None:
                continue
            tree = self.user_tree(owner)
            if tree is not None:
                forget_list(tree.root)
            if self.files.sharing:
                self.files.sharing.update(owner, tree)

    def recover(self) -> None:
        """Finish the renames of those who crashed."""
        from sievemda.store import moves  # noqa: PLC0415 - see above

        moves.recover(self)

    # -- messages ----------------------------------------------------------------------------------------------------

    def spool_path(self, partition: str) -> Path:
        """A fresh name in the stage directory of a partition, for a message that is written as it comes."""
        directory = self.layout.stage(partition)
        if not is_directory(directory):
            creation.open_partition(self, partition)
        return directory / unique_name()

    def stage(self, partition: str, chunks: Iterable[Chunk]) -> Staged:
        """Write a message (LF line ends) to the partition and sync it. OSError says why it cannot be done."""
        path = self.spool_path(partition)
        size, vsize = write_staged(path, chunks, self.files.message_mode)
        return self._staged(partition, path, size, vsize)

    def adopt(self, partition: str, path: Path, *, vsize: int | None = None) -> Staged:
        """Take a finished file at a `spool_path` over and sync it; counts its lines when `vsize` is not given."""
        if vsize is None:
            return self._staged(partition, path, *measure(path))
        sync(path)
        return self._staged(partition, path, path.stat().st_size, vsize)

    def _staged(self, partition: str, path: Path, size: int, vsize: int) -> Staged:
        links = self.settings.store.singleinstancestore
        missed = self._missed if len(self.layout.partitions) > 1 else None
        return Staged(partition, path, size, vsize, links=links, mode=self.files.message_mode, missed=missed)

    def _missed(self, name: MailboxName) -> None:
        from sievemda.store import leftovers  # noqa: PLC0415 - see above

        leftovers.missed(self, name)

    def forget_deleted(self) -> int:
        """See `clearing.forget_deleted`."""
        from sievemda.store import clearing  # noqa: PLC0415 - see above

        return sum(clearing.forget_deleted(self).values())

    def clean_stage(self, older_than: float) -> int:
        """See `clearing.clean_stage`."""
        from sievemda.store import clearing  # noqa: PLC0415 - see above

        return clearing.clean_stage(self, older_than)

    # -- listing -----------------------------------------------------------------------------------------------------

    def mailboxes_of(self, owner: str | None, domain: str = "") -> Iterator[Mailbox]:
        """The mailboxes of a user, or the shared folders of a domain, in no order."""
        trees: Iterable[Tree | None] = self.layout.shared(domain) if owner is None else [self.user_tree(owner)]
        seen = set()
        for tree in filter(None, trees):
            for path, place in tree.entries():
                try:
                    found = None if path in seen else self._entry(tree, MailboxName(owner, path, domain), place)
                except OSError as error:
                    _log.error("%s: cannot look at a folder: %s", tree.root, error)
                    continue
                if found:
                    seen.add(path)
                    yield found

    def _entry(self, tree: Tree, name: MailboxName, place: str) -> Mailbox | None:
        """A folder as its tree was read, which says where it is when nobody has to look (`Tree.entries`)."""
        if not (place and name.path):
            return self._in_tree(tree, name)
        path = Path(place)
        return Mailbox(name, path, tree.partition, tree, self.files) if is_folder(path) else None

    def list(self, pattern: str = "*") -> Iterator[Mailbox]:
        """The mailboxes that match, in the order of their names as administrators write them.

        Users are opened one after the other as their names come up, so that memory does not grow with their number.
        """
        return (mailbox for _, mailbox in self.named(pattern))

    def named(self, pattern: str = "*") -> Iterator[tuple[str, Mailbox]]:
        """As `list`, each with its name as administrators write it."""
        return in_order(self, Pattern(self.namespace, pattern), self.mailboxes_of)

    # -- quota -------------------------------------------------------------------------------------------------------

    def quota_root(self, name: MailboxName) -> QuotaRoot | None:
        """The root of exactly that name, if there is one. See `rootlist` for more."""
        return rootlist.find(self, name)

    def roots(self, pattern: str = "*") -> Iterator[QuotaRoot]:
        """The quota roots whose names match, sorted."""
        if not {"*", "%"} & set(pattern):
            root = self.quota_root(rootlist.root_name(self.namespace, pattern))
            yield from [root] if root else []
        else:
            for _, root in in_order(self, Pattern(self.namespace, pattern), partial(rootlist.roots_of, self)):
                yield root

    def make_root(self, mailbox: Mailbox) -> QuotaRoot:
        """The mailbox as a quota root, which it may become by `set_limits`."""
        return self.files.roots.at(mailbox.name, mailbox.tree)
