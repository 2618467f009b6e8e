"""Who may do what to mailboxes: the rules of administration, for everybody who acts in a user's name (semantics, 6).

An `Authority` is somebody who asks: a user, or an administrator, who may look up and administer everything, create and
set quotas, and still needs the right `x` to delete. Each `check_*` returns when he may and raises when he may not;
where a mailbox is needed it returns the mailbox. Whoever may not know that a mailbox exists (no right `l`) is told
`NotFound`, the same word for word as when there is none; everybody else `NotPermitted`.

Checked here is authority alone. Whether a name can be, whether a limit is reached, whether a folder has others below
it, the store says when it does the work: check first, so that nobody learns by another error what he may not see.

Why one module: the shell, scripts and services of later days must not have rules of their own; the errors of Cyrus'
past were `:create` and `:fcc` acting with the server's rights instead of their owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from sievemda.config import Acl as AclSettings
from sievemda.errors import AlreadyExists, NotFound, NotPermitted
from sievemda.policy.acl import ANYONE, Acl, Rights, UnknownGroup, check_identifier, parse_rights
from sievemda.store.creation import nearest_above
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName

ADMIN_RIGHTS = Rights("la")  # what an administrator has everywhere


Changes = Sequence[tuple[str, str | None]]  # identifiers with what is to become of their rights; None deletes
About = Callable[[str, str | None], AbstractContextManager[None]]  # entered while one of them is done


def _nothing(_identifier: str, _change: str | None) -> AbstractContextManager[None]:
    return nullcontext()


class Disabled(NotPermitted):
    """Nobody may do that here, administrators neither."""


class Authority:
    """What `userid` may do; None is anonymous. `admin` says whether he is an administrator: else the setting admins.

    An administrator whose name has a domain is one for the mailboxes of that domain; `everywhere` says otherwise.
    """

    def __init__(
        self, store: MailStore, userid: str | None, *, admin: bool | None = None, everywhere: bool = False
    ) -> None:
        self._store = store
        self._settings = store.settings.acl
        self.userid = userid
        self.is_admin = is_admin(store, userid) if admin is None else admin
        self._domain = "" if everywhere else (userid or "").partition("@")[2]

    # -- rights --------------------------------------------------------------------------------------------------------

    def administers(self, name: MailboxName) -> bool:
        """Whether he is an administrator of that mailbox, be it there or not."""
        domain = name.domain if name.owner is None else name.owner.partition("@")[2]
        return self.is_admin and self._domain in ("", domain)

    def rights(self, mailbox: Mailbox) -> Rights:
        """The rights that decide."""
        rights = self._store.rights(mailbox, self.userid)
        return rights | ADMIN_RIGHTS if self.administers(mailbox.name) else rights

    def shown_rights(self, mailbox: Mailbox) -> Rights:
        """The rights as MYRIGHTS tells them: an owner always sees the implicit ones. RFC 4314 §3.5."""
        return self.rights(mailbox) | self._implicit(mailbox)

    def sees(self, mailbox: Mailbox) -> bool:
        """Whether it is listed for him."""
        return "l" in self.shown_rights(mailbox)

    # -- mailboxes -----------------------------------------------------------------------------------------------------

    def check_see(self, name: MailboxName) -> Mailbox:
        """To look at it, subscribe to it."""
        return self._with(name, "l")

    def check_create(self, name: MailboxName, *, partition: str = "") -> None:
        """AlreadyExists when he may know that it does; NotPermitted.

        Owners may create anything below their INBOX; others need the right `k` on the nearest mailbox above. Only
        administrators make users, mailboxes at the top, and choose a partition.
        """
        found = self._store.find(name)
        if found is not None and self.sees(found):
            raise AlreadyExists(f"{self._shown(name)} is there already")
        above = nearest_above(self._store, name)
        if name.owner is not None and name.path and above is None:  # for nobody: there is no such user
            raise self._refusal(f"there is no user to have {self._shown(name)}")
        if not self.administers(name) and (found or partition or not self._may_create_below(name, above)):
            raise self._refusal(f"you may not create {self._shown(name)}")

    def check_delete(self, name: MailboxName) -> Mailbox:
        """`x` is needed, by administrators too; nobody deletes his own INBOX, and users only administrators."""
        mailbox = self._with(name, "x")
        if mailbox.name.is_inbox and (not self.administers(name) or mailbox.name.owner == self.userid):
            raise self._refusal(f"you may not delete the INBOX {self._shown(name)}")
        return mailbox

    def check_rename(self, old: MailboxName, new: MailboxName, *, partition: str = "") -> Mailbox:
        """`x` on the old one and the right to create the new one; administrators need neither.

        Whole users are renamed, and partitions chosen, by administrators alone, users only with `allowusermoves`.
        """
        mailbox = self._with(old, "" if self.administers(old) else "x")
        if mailbox.name.is_inbox or new.is_inbox:
            moves = new != mailbox.name
            if not self.administers(old) or (moves and not self._store.settings.store.allowusermoves):
                raise self._refusal("whole users are not to be renamed (allowusermoves)")
        if new != mailbox.name:
            self.check_create(new, partition=partition)
        elif partition and not self.administers(old):
            raise self._refusal("you may not choose a partition")
        return mailbox

    def check_administer(self, name: MailboxName | None = None) -> None:
        """For what administrators alone do: reconstruct, set quotas; look at everything, when no mailbox is named."""
        if not (self.is_admin and not self._domain if name is None else self.administers(name)):
            raise self._refusal("only an administrator may do that")

    # -- access control lists ------------------------------------------------------------------------------------------

    def check_read_acl(self, name: MailboxName) -> Mailbox:
        """`a`, or being its owner. RFC 4314 §4."""
        return self._with(name, "a", owner=True)

    def check_change_acl(self, name: MailboxName, identifier: str) -> Mailbox:
        """`a`; and for `anyone` the setting anyoneuseracl, when he is no administrator. Disabled, NotFound."""
        if not self._settings.allowsetacl:
            raise Disabled("ACLs are not to be changed here (allowsetacl)")
        mailbox = self._with(name, "a")
        if identifier == ANYONE and not (self.administers(name) or self._settings.anyoneuseracl):
            raise self._refusal("you may not give rights to anyone (anyoneuseracl)")
        return mailbox

    def change_acl(self, name: MailboxName, identifier: str, change: str | None) -> Acl:
        """Set the rights of an identifier as Cyrus' SETACL does (`lrs`, `+p`, `-p`), or with None delete it.

        Returns the new ACL. BadIdentifier, also for a group that nobody knows; DataError for what are no rights;
        NotFound, NotPermitted, StoreTrouble. Nobody but an administrator can take the right `a` from the owner.
        """
        who = self._store.namespace.identifier(identifier)
        mailbox = self.check_change_acl(name, who)
        return change_entries(self._store, mailbox, [(who, change)], careful=not self.administers(name))

    def change_acls(self, name: MailboxName, changes: Changes, about: About) -> None:
        """The same for several identifiers, all of them or none, with one write."""
        for identifier, change in changes:
            with about(identifier, change):
                mailbox = self.check_change_acl(name, self._store.namespace.identifier(identifier))
        if changes:
            change_entries(self._store, mailbox, changes, careful=not self.administers(name), about=about)

    # -- quotas and annotations ----------------------------------------------------------------------------------------

    def check_see_quota(self, name: MailboxName) -> Mailbox:
        """To see the quota root of a mailbox and what is used of it: `r`, or being an administrator."""
        return self._with(name, "" if self.administers(name) else "r")

    def check_see_annotations(self, name: MailboxName) -> Mailbox:
        """`l`, and one of the rights that let do something there. RFC 5464 §3.3."""
        mailbox = self._with(name, "l")
        if not self.rights(mailbox) & set("rswipa"):
            raise self._refusal(f"you may not look at the annotations of {self._shown(name)}")
        return mailbox

    def check_annotate(self, name: MailboxName, *, private: bool) -> Mailbox:
        """For one's own entries as for seeing them; for those that all share `w`. RFC 5464 §3.3."""
        if private or self.administers(name):
            return self.check_see_annotations(name)
        return self._with(name, "w")

    # -- how it is decided ---------------------------------------------------------------------------------------------

    def _with(self, name: MailboxName, right: str, *, owner: bool = False) -> Mailbox:
        """The mailbox, if he has that right on it; as its `owner` the implicit ones count, too."""
        mailbox = self._store.find(name)
        if mailbox is None:
            raise self._unknown(name)
        rights = self.rights(mailbox) | (self._implicit(mailbox) if owner else Rights())
        if right and right not in rights:
            if not self.sees(mailbox):
                raise self._unknown(name)
            raise self._refusal(f"you need the right {right} on {self._shown(name)}")
        return mailbox

    def _may_create_below(self, name: MailboxName, above: Mailbox | None) -> bool:
        if above is None or not name.path or name.path[0].startswith("#"):
            return False
        return name.owner == self.userid is not None or "k" in self.rights(above)

    def _implicit(self, mailbox: Mailbox) -> Rights:
        if self.userid is None or mailbox.name.owner != self.userid:
            return Rights()
        return parse_rights(self._settings.implicit_owner_rights)

    def _shown(self, name: MailboxName) -> str:
        return self._store.namespace.format_admin(name)

    def _unknown(self, name: MailboxName) -> NotFound:
        return NotFound(f"no mailbox {self._shown(name)}")

    def _refusal(self, why: str) -> NotPermitted:
        return NotPermitted(f"permission denied: {why}")


def is_admin(store: MailStore, userid: str | None) -> bool:
    """Whether the setting admins names that user."""
    namespace = store.namespace
    return userid is not None and userid in {namespace.identifier(name) for name in store.settings.site.admins}


def change_entries(
    store: MailStore, mailbox: Mailbox, changes: Changes, *, careful: bool, about: About = _nothing
) -> Acl:
    """Change entries, all of them or none, whoever asks; see `Authority.change_acl`. Owners keep their implicit rights.

    `careful` is for changes by people who are no administrators; `about` may say in an error whose entry it is.
    """
    wanted = [(store.namespace.identifier(identifier), change) for identifier, change in changes]
    for identifier, change in wanted:
        if change is not None:
            check_grantee(store, identifier)

    def changed(acl: Acl) -> Acl:
        for identifier, change in wanted:
            with about(identifier, change):
                acl = _changed(store.settings.acl, acl, mailbox.name.owner, identifier, change, careful=careful)
        return acl

    return mailbox.change_acl(changed)


def change_entry(store: MailStore, mailbox: Mailbox, identifier: str, change: str | None, *, careful: bool) -> Acl:
    return change_entries(store, mailbox, [(identifier, change)], careful=careful)


def _changed(rules: AclSettings, old: Acl, owner: str | None, who: str, change: str | None, *, careful: bool) -> Acl:
    acl = old.without(who) if change is None else old.changed(who, change, rules.deleteright)
    if careful and owner is not None:
        if who == owner and "a" not in acl.get(owner):
            raise NotPermitted(f"permission denied: you may not take the right a from {owner}, the owner")
        if who == f"-{owner}":
            acl = acl.having(who, acl.get(who) - {"a"})
    implicit = parse_rights(rules.implicit_owner_rights)
    if owner is not None and who == owner:  # his entry keeps its place even if it would have vanished
        return old.having(owner, acl.get(owner) | implicit)
    return acl.kept_for(owner, who, implicit)


def check_grantee(store: MailStore, identifier: str) -> None:
    """BadIdentifier when nobody can have that identifier in an ACL, UnknownGroup when nobody knows that group."""
    check_identifier(identifier)
    group = identifier.removeprefix("-").partition("group:")[2]
    if group and not store.groups.exists(group):
        raise UnknownGroup(f"there is no group {group} (groups_file says where groups are looked for)")
