"""One accepted recipient, from RCPT to the end of DATA."""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.mail.envelope import Recipient
from sievemda.store.mailbox import Mailbox
from sievemda.store.names import MailboxName


@dataclass(frozen=True, slots=True)
class Target:
    """Opaque to whoever carries it."""

    recipient: Recipient
    owner: str | None  # the user; None for a bulletin board
    mailbox: Mailbox  # his INBOX, or the board
    detail: MailboxName | None = None  # the folder that the address names, which need not exist
    poster: str | None = None  # the posting identity; None is anonymous

    @property
    def identity(self) -> str | None:
        """In whose name a script acts: its owner's, on a bulletin board the poster's (semantics, section 8)."""
        return self.poster if self.owner is None else self.owner

    @property
    def scripts_of(self) -> str:
        """Whose scripts may be included: the user's, or those of a domain as `@domain`; "" is the default one."""
        domain = self.mailbox.name.domain
        return self.owner or (f"@{domain}" if domain else "")

    @property
    def remembers(self) -> str:
        """Under what name is remembered what scripts have done: the user, or a board as no user is called."""
        name = self.mailbox.name
        return self.owner or f"+{'/'.join(name.path)}@{name.domain}"

    @property
    def partition(self) -> str:
        return self.mailbox.partition
