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
    def partition(self) -> str:
        return self.mailbox.partition
