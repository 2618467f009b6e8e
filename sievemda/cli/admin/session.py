"""Who acts on which store in the shell, and where the output goes.

Names in the shell are those of administrators, in the hierarchy separator of the settings, whoever acts: the
alternative namespace is for mail clients. `INBOX` is that of a user who acts himself.
"""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass, field
from typing import TextIO

from sievemda.cli.main import discard
from sievemda.cli.terminal import clean
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound, SievemdaError
from sievemda.policy.acl import Rights
from sievemda.store.authority import ADMIN_RIGHTS, Authority, is_admin
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.names import INBOX, MailboxName

CYRUS = "cyrus"
WILDCARDS = frozenset("*%")


class Refused(SievemdaError):
    """What the server of cyradm would have answered, in its words."""

    def __init__(self, text: str, code: int = DataError.exit_code) -> None:
        super().__init__(text)
        self.exit_code = code


class Administrators(Authority):
    """Whoever starts the shell without naming himself: any of the administrators.

    Why all of them: he may write to the files, and which of their names an ACL has is no matter of his.
    """

    def __init__(self, store: MailStore, names: tuple[str, ...]) -> None:
        super().__init__(store, names[0], admin=True, everywhere=True)
        self._names = names
        self._all = store

    def rights(self, mailbox: Mailbox) -> Rights:
        return ADMIN_RIGHTS.union(*(self._all.rights(mailbox, name) for name in self._names))


def administrators(store: MailStore) -> tuple[str, ...]:
    """The setting admins; where it names nobody, the usual names and that of whoever starts the shell."""
    named = tuple(store.namespace.identifier(name) for name in store.settings.site.admins)
    return named or (CYRUS, "admin", _login())


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody has this number
        return CYRUS


@dataclass
class Session:
    settings: Settings
    store: MailStore
    authority: Authority
    host: str
    connected: bool = True
    status: int = 0  # of the last command
    ended: bool = False
    verbose: bool = False
    trusted: bool = True  # may act as anybody: it was an administrator who started the shell
    line_open: bool = False  # what is being done stands on the line, how it ended does not yet
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def prompt(self) -> str:
        return f"{self.host if self.connected else 'cyradm'}> "

    def say(self, line: str, end: str = "\n") -> None:
        self.line_open = not end
        self.out.write(f"{clean(line)}{end}")

    def complain(self, line: str) -> None:
        """Where nobody can be told, the status still tells."""
        self.out.flush()
        try:
            self.err.write(f"{clean(line)}\n")
            self.err.flush()
        except OSError:
            discard(self.err)

    # -- names -----------------------------------------------------------------------------------------------------

    def name(self, text: str) -> MailboxName:
        """DataError when there can be no such mailbox."""
        top, separator, below = text.partition(self.store.namespace.separator)
        if top.upper() == INBOX and self.authority.userid and not self.authority.is_admin:
            inbox = MailboxName(self.authority.userid)
            return inbox.child(*self.store.namespace.split(below)) if separator else inbox
        return self.store.namespace.parse_admin(text)

    def pattern(self, text: str) -> str:
        """A pattern with the name of the INBOX in place of the word."""
        if text[:5].upper() != INBOX or text[5:6] not in {"", "*", "%", self.store.namespace.separator}:
            return text
        if not self.authority.userid or self.authority.is_admin:
            return text
        name, at, domain = self.shown(MailboxName(self.authority.userid)).partition("@")
        return name + text[5:] + at + domain

    def existing_name(self, text: str) -> MailboxName:
        """A name of which it is asked what is there; NotFound when there can be nothing."""
        try:
            return self.name(text)
        except DataError as error:
            raise NotFound(str(error)) from error

    def new_name(self, text: str) -> MailboxName:
        """Refused when no mailbox can have that name."""
        try:
            return self.name(text)
        except DataError as error:
            raise Refused("Invalid mailbox name") from error

    def shown(self, name: MailboxName) -> str:
        return self.store.namespace.format_admin(name)

    def matching(self, pattern: str) -> list[MailboxName]:
        """The mailboxes that the acting user sees and that match, sorted."""
        try:
            found = list(self.store.list(self.pattern(pattern)))
        except DataError:
            return []
        return [mailbox.name for mailbox in found if self.sees(mailbox)]

    def sees(self, mailbox: Mailbox) -> bool:
        return self.authority.administers(mailbox.name) or self.authority.sees(mailbox)


def acting(store: MailStore, user: str) -> Authority:
    """The authority of `user`, of the administrators when it is empty. DataError for what is no user's name."""
    names = administrators(store)
    if not user:
        return Administrators(store, names)
    userid = store.namespace.userid(user)
    nobody_named = not store.settings.site.admins and userid in names
    return Authority(store, userid, admin=nobody_named or is_admin(store, userid))
