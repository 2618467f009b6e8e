"""One mailbox: a folder that was there when it was looked up.

Nothing is kept here but where it lies: id, ACL and quota are read from its files when asked for, so that what an IMAP
server or an administrator changes holds at once. If the folder goes away in the meantime, OSError says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sievemda.config import Acl as AclSettings
from sievemda.policy.acl import Acl, Rights
from sievemda.store.aclfile import AclFiles, forget_list
from sievemda.store.groups import Groups
from sievemda.store.keywords import Keywords
from sievemda.store.layout import Layout, Tree
from sievemda.store.names import MailboxName
from sievemda.store.quota import QuotaRoot
from sievemda.store.record import Records
from sievemda.store.roots import Roots, UserTree
from sievemda.store.sharing import Sharing


@dataclass(frozen=True, slots=True)
class Files:
    """What all mailboxes of a store share: the readers of their control files, and the modes of what is made."""

    records: Records
    acls: AclFiles
    keywords: Keywords
    roots: Roots
    message_mode: int
    folder_mode: int
    sharing: Sharing | None = None  # where other programs look up who shares folders

    @classmethod
    def of(
        cls,
        layout: Layout,
        user_tree: UserTree,
        groups: Groups,
        modes: tuple[int, int],
        rules: AclSettings,
    ) -> Files:
        """`modes` are those of messages and of folders."""
        message_mode, folder_mode = modes
        records = Records(message_mode)
        acls = AclFiles(records, message_mode, groups.of, generous=rules.acl_admin_implies_write)
        shared = rules.acl_shared_dict
        sharing = Sharing(shared, acls, message_mode) if shared else None
        roots = Roots(layout, records, message_mode, user_tree)
        return cls(records, acls, Keywords(message_mode), roots, message_mode, folder_mode, sharing)


@dataclass(frozen=True, slots=True)
class Mailbox:
    name: MailboxName
    path: Path  # where the messages are, links followed
    partition: str
    tree: Tree
    store: Files

    @property
    def id(self) -> str:
        """Stable over a rename, another one after delete and create. OSError when it must be made and cannot."""
        return self.store.records.id_of(self.path)

    @property
    def special_use(self) -> str:
        """The special uses of RFC 6154 §2, separated by spaces."""
        return self.store.records.get(self.path).special_use

    def set_special_use(self, use: str) -> None:
        self.store.records.change(self.path, special_use=use)

    def acl(self) -> Acl:
        return self.store.acls.get(self.path, self.name.owner)

    def rights(self, identity: str | None) -> Rights:
        """What somebody may do (None is anonymous); nothing when the ACL cannot be understood.

        TemporaryTrouble when his groups matter and cannot be found out.
        """
        return self.store.acls.rights(self.path, self.name.owner, identity)

    def change_acl(self, change: Callable[[Acl], Acl]) -> Acl:
        """Replace the ACL by `change` of it, with nobody in between. StoreTrouble when the file is damaged."""
        acl = self.store.acls.change(self.path, self.name.owner, change)
        forget_list(self.tree.root)
        if self.store.sharing and self.name.owner is not None:
            self.store.sharing.update(self.name.owner, self.tree)
        return acl

    def set_acl(self, acl: Acl) -> None:
        self.change_acl(lambda _: acl)

    def quota_root(self) -> QuotaRoot | None:
        return self.store.roots.nearest(self.name, self.tree)
