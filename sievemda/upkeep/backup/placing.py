"""Where what comes out of an archive goes: mailboxes that are there, and those that are made as they were.

A user who is not there is made whole, with folders, rights, quota and scripts, before he is in place; so is a folder.
Whoever was killed and begins again finds nothing half made. What is there already keeps what it has: somebody may
have changed it since, on purpose. Only who says so gives it rights, quota and the rest as they were.

Why the ids of folders come back: they say which folder of the next backup is which, and scripts may name them. One that
another mailbox has is not given twice.

Why a folder may have a name here that nobody may give to a new one: an IMAP server made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.errors import AlreadyExists, DataError, SievemdaError
from sievemda.policy.acl import Acl, Rights
from sievemda.policy.quota import Limits
from sievemda.scripts.keeper import Keeper
from sievemda.scripts.opening import keeper_of, on_command_line, open_versions, script_store
from sievemda.state.credentials import credentials_of
from sievemda.state.past import Past
from sievemda.store import accounts, subscriptions
from sievemda.store.aclfile import forget_list
from sievemda.store.annotations import LARGEST, octets
from sievemda.store.creation import Having, create, known_use
from sievemda.store.keywords import ROOM
from sievemda.store.names import MailboxName
from sievemda.upkeep.backup.describing import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.entries import FolderEntry, TreeEntry
    from sievemda.upkeep.backup.histories import Gathered
    from sievemda.upkeep.backup.mapping import Renaming

_ALL = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Manner:
    """How things come back."""

    acl: bool = True
    dry_run: bool = False
    settings: bool = False  # what is there already gets rights, quota, annotations, scripts as they were
    ignore_quota: bool = False


class Placing:
    """Mailboxes for the folders of an archive. What cannot be made is told, and None."""

    def __init__(
        self,
        store: MailStore,
        renaming: Renaming,
        manner: Manner,
        failed: Callable[[str, OSError | SievemdaError], None],
    ) -> None:
        self.made: list[str] = []  # as administrators write them
        self._store = store
        self._renaming = renaming
        self._manner = manner
        self._failed = failed
        self._ids: set[str] | None = None
        self._roots: set[MailboxName] = set()  # quota roots that were made

    def name(self, tree: TreeEntry, folder: FolderEntry) -> MailboxName:
        """What a folder is to be called. DataError when that cannot be.

        A user id, or a domain, comes as it is written here: without the default domain, for one.
        """
        name, namespace = self._renaming.after(tree.name(folder)), self._store.namespace
        if name.owner is not None:
            return MailboxName(namespace.userid(name.owner), name.path)
        if not name.path:
            raise DataError("a shared folder without a name")
        return MailboxName(None, name.path, namespace.domain(name.domain))

    def has_made(self, mailbox: Mailbox) -> bool:
        """Whether the quota root of a mailbox came out of the archive just now: what was in it has its room, though it
        were more than the limit allows.
        """
        root = mailbox.quota_root()
        return root is not None and root.name in self._roots

    def tree(
        self, tree: TreeEntry, folders: list[FolderEntry], history: Gathered | None = None
    ) -> dict[str, Mailbox | None]:
        """The mailboxes of these folders, by key, all made; None where one would be made.

        `history`: what has become of the user's scripts, for who is made, and for who has the INBOX of that id.
        """
        names = self._names(tree, folders)
        inbox = next((names[folder.key] for folder in folders if not folder.path and folder.key in names), None)
        if tree.whole and inbox is not None and inbox.is_inbox:
            pairs = [(folder, names[folder.key]) for folder in folders if folder.key in names]
            self._user(tree, inbox.owner or "", pairs, history)
        found: dict[str, Mailbox | None] = {}
        for folder in sorted(folders, key=lambda one: one.path):
            if folder.key in names:
                try:
                    found[folder.key] = self._mailbox(tree, folder, names[folder.key])
                except (OSError, SievemdaError) as error:
                    self._failed(self._shown(names[folder.key]), error)
        return found

    def _names(self, tree: TreeEntry, folders: list[FolderEntry]) -> dict[str, MailboxName]:
        names = {}
        for folder in folders:
            try:
                names[folder.key] = self.name(tree, folder)
            except SievemdaError as error:
                self._failed(f"{tree.place}: {'/'.join(folder.path)}"[:400], error)
        return names

    def _shown(self, name: MailboxName) -> str:
        return self._store.namespace.format_admin(name)

    # -- users -------------------------------------------------------------------------------------------------------

    def _user(
        self,
        tree: TreeEntry,
        userid: str,
        folders: list[tuple[FolderEntry, MailboxName]],
        history: Gathered | None,
    ) -> None:
        """Make a user who is not there; give one who is there what is his, if that is wanted."""
        if self._manner.dry_run:
            return
        try:
            if self._store.user_exists(userid):
                self._join(tree, userid, history)
                if self._manner.settings:
                    self._furnish(self._store, tree, userid)
                    self._let_in(tree, userid)
                return

            partition = next(self._partition(folder) for folder, name in folders if name == MailboxName(userid))
            his = [(folder, name) for folder, name in folders if name.owner == userid]
            near = [pair for pair in his if self._partition(pair[0]) in {"", partition}]  # the others follow one by one
            accounts.build(self._store, userid, lambda built: self._fill(built, tree, userid, near), partition)
            self.made += [self._shown(name) for _, name in near]
            self._arrived(userid, history)
            accounts.tell(self._store, userid, granted=True)
            self._let_in(tree, userid)
        except AlreadyExists:  # somebody else is restoring him
            return
        except (OSError, SievemdaError) as error:
            self._failed(self._shown(MailboxName(userid)), error)

    def _fill(
        self, built: MailStore, tree: TreeEntry, userid: str, folders: list[tuple[FolderEntry, MailboxName]]
    ) -> None:
        made = []
        for folder, name in sorted(folders, key=lambda pair: len(pair[1].path)):
            try:
                made.append((folder, self._make(built, tree, folder, name)))
            except DataError as error:
                self._failed(self._shown(name), error)
        for folder, mailbox in made:  # he may have more folders than he may make
            self._limit(built, mailbox, folder)
        self._furnish(built, tree, userid)

    def _furnish(self, store: MailStore, tree: TreeEntry, userid: str) -> None:
        """Subscriptions and scripts; what is as it was is not touched, so that it makes no version."""
        root = store.user_tree(userid)
        if root is not None and tree.subscriptions:
            lines = [line for line in tree.subscriptions if line.isprintable() or "\t" in line]
            subscriptions.add(root.root, [line for line in lines if "\n" not in line], store.files.message_mode)
        there = store is self._store
        scripts = self._keeper(userid) if there else script_store(store.settings, store, userid)
        files = scripts.store if isinstance(scripts, Keeper) else scripts
        for name, text in tree.scripts.items():
            octets = text.encode("utf-8", "surrogateescape")
            if files.read(name) != octets:
                scripts.put(name, octets)
        active = tuple(name for name in tree.active.split("\n") if name in tree.scripts)
        if active and files.state().active != active:
            scripts.set_active(active)

    def _keeper(self, userid: str) -> Keeper:
        settings = self._store.settings
        return keeper_of(settings, self._store, open_versions(settings), userid, on_command_line("restore"))

    def _join(self, tree: TreeEntry, userid: str, history: Gathered | None) -> None:
        """What is kept of him gets what the archive has more, unless he is another one who is called the same."""
        inbox = self._store.find(MailboxName(userid))
        folder = next(folder for folder in tree.folders if not folder.path)
        if history is not None and inbox is not None and self._store.files.records.get(inbox.path).id == folder.key:
            self._keeper(userid).take_in(history.past, history.text)

    def _arrived(self, userid: str, history: Gathered | None) -> None:
        """Scripts of somebody who was made are versions behind those that he had."""
        keeper = self._keeper(userid)
        try:
            keeper.take_in(history.past if history else Past(), history.text if history else _none, afresh=True)
        except SievemdaError as error:
            self._failed(f"the history of the scripts of {userid}", error)
        keeper.look(ours=True)

    def _let_in(self, tree: TreeEntry, userid: str) -> None:
        """His password, if he has none and is called as he was."""
        credentials = credentials_of(self._store.settings)
        if tree.credentials and tree.owner == userid and (self._manner.settings or not credentials.of(userid)):
            credentials.replace(userid, tree.credentials)

    # -- folders -----------------------------------------------------------------------------------------------------

    def _mailbox(self, tree: TreeEntry, folder: FolderEntry, name: MailboxName) -> Mailbox | None:
        found = self._store.find(name)
        if found is None:
            if not self._manner.dry_run:
                if name.owner is not None and name.path and not self._store.user_exists(name.owner):
                    self._store.create(MailboxName(name.owner))
                    self.made.append(self._shown(MailboxName(name.owner)))
                try:
                    found = self._make(self._store, tree, folder, name)
                    self._limit(self._store, found, folder)
                except AlreadyExists:
                    return self._store.find(name)
            self.made.append(self._shown(name))
        elif self._manner.settings and not self._manner.dry_run:
            self._set(found, tree, folder)
        return found

    def _limit(self, store: MailStore, mailbox: Mailbox, folder: FolderEntry) -> None:
        if folder.limits is not None:
            _limit(store, mailbox, folder)
            self._roots.add(mailbox.name)

    def _make(self, store: MailStore, tree: TreeEntry, folder: FolderEntry, name: MailboxName) -> Mailbox:
        having = Having(
            self._acl(tree, folder, name),
            self._id(tree, folder, name),
            metadata=self._metadata(tree, folder, name),
            known=True,
        )
        partition = "" if name.is_inbox or store is not self._store else self._partition(folder)
        use = "" if name.is_inbox else _uses(folder)
        made = create(store, name, partition=partition, special_use=use, subscribe=False, having=having)
        if folder.keywords:  # so that they have the letters that they had
            store.files.keywords.letters(made.path, folder.keywords[:ROOM])
        forget_list(made.tree.root)
        if store.files.sharing is not None and name.owner is not None:
            store.files.sharing.update(name.owner, made.tree)
        return made

    def _set(self, mailbox: Mailbox, tree: TreeEntry, folder: FolderEntry) -> None:
        acl = self._acl(tree, folder, mailbox.name)
        if acl is not None:
            mailbox.set_acl(acl)
        metadata = self._metadata(tree, folder, mailbox.name)
        use = "" if mailbox.name.is_inbox else _uses(folder)
        mailbox.store.records.change(mailbox.path, metadata=metadata, special_use=use)
        _limit(self._store, mailbox, folder)

    def _acl(self, tree: TreeEntry, folder: FolderEntry, name: MailboxName) -> Acl | None:
        if not self._manner.acl or folder.acl is None:
            return None
        entries = ((who, Rights(letter for letter in rights if letter in _ALL)) for who, rights in folder.acl)
        acl = Acl(tuple((who, rights) for who, rights in entries if who and rights and who.isprintable()))
        if tree.owner and name.owner and tree.owner != name.owner:
            acl = acl.renamed(tree.owner, name.owner)
        return acl

    def _metadata(self, tree: TreeEntry, folder: FolderEntry, name: MailboxName) -> dict[str, dict[str, str]]:
        """Annotations by user; none when they are more than a folder can have."""
        owners = {tree.owner: name.owner} if tree.owner and name.owner else {}
        found = {owners.get(section) or section: dict(entries) for section, entries in folder.metadata.items()}
        if (
            sum(octets(entry) + octets(value) for entries in found.values() for entry, value in entries.items())
            > LARGEST
        ):
            self._failed(self._shown(name), DataError("its annotations are too long, and are left out"))
            return {}
        return found

    def _id(self, tree: TreeEntry, folder: FolderEntry, name: MailboxName) -> str:
        """Nothing: a new one."""
        if name != tree.name(folder) or not folder.key.isalnum():
            return ""
        if self._ids is None:
            self._ids = {self._store.files.records.get(mailbox.path).id for mailbox in self._store.list()}
        if folder.key in self._ids:
            return ""
        self._ids.add(folder.key)
        return folder.key

    def _partition(self, folder: FolderEntry) -> str:
        """Where it was, if there is such a partition here."""
        known = not self._store.settings.store.mail_home and folder.partition in self._store.layout.partitions
        return folder.partition if known else ""


def _none(_digest: str) -> None:
    """There are no texts."""


def _uses(folder: FolderEntry) -> str:
    return " ".join(use for use in map(known_use, folder.special_use.split()) if use)


def _limit(store: MailStore, mailbox: Mailbox, folder: FolderEntry) -> None:
    """Make it the quota root that it was."""
    if folder.limits is None:
        return
    found = folder.limits
    limits = Limits(**{name: found[name] for name in LIMITS if 0 <= found.get(name, -1) < 1 << 62})
    store.make_root(mailbox).set_limits(limits)
