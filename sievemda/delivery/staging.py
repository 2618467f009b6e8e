"""One file per partition and transaction, linked to every recipient who gets the message as it came.

Made when somebody first needs it: a message that everybody discards or refuses never touches the disk. A message that
was spooled on its way in is already there.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path

from sievemda.delivery.content import Content
from sievemda.mail.message import Message
from sievemda.store import withdrawn
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.staging import Staged
from sievemda.store.withdrawn import Withdrawn

_ARRIVAL = re.compile(rb"^x-deliveredinternaldate[ \t]*+:([^\n]*+)", re.IGNORECASE | re.MULTILINE)


class Staging:
    """For one transaction, in one thread. `close` removes what nobody was given."""

    def __init__(self, store: MailStore, content: Content) -> None:
        self._store = store
        self._content = content
        self._staged: dict[str, Staged] = {}
        self._spooled = content.spooled

    def put(
        self, mailbox: Mailbox, flags: tuple[str, ...], message: Message | None, *, last: bool, unique: str = ""
    ) -> Path:
        """Put the message, or an edited one, into a mailbox, durably. `last`: nobody else is going to need it.

        `unique`: see `Staged.deliver`.
        """
        if message is not None and message is not self._content.message:
            return self._put_edited(mailbox, flags, message, unique)
        staged = self._staged.get(mailbox.partition) or self._stage(mailbox.partition)
        path = staged.deliver(mailbox, flags, last=last, unique=unique)
        self._date(path, self._content.message)
        if last:
            self._done(mailbox.partition)
        return path

    def withhold(self, mailbox: Mailbox, entry: Withdrawn, *, last: bool) -> None:
        """Keep the message, which nobody gets, where it can be brought back from. OSError."""
        staged = self._staged.get(mailbox.partition) or self._stage(mailbox.partition)
        withdrawn.put(mailbox, staged, entry, last=last)
        if last:
            self._done(mailbox.partition)

    def close(self) -> None:
        for staged in self._staged.values():
            staged.discard()
        self._staged.clear()

    def _done(self, partition: str) -> None:
        """Nobody else needs the stage file; where only a copy would do, it is still there."""
        self._staged.pop(partition).discard()

    @staticmethod
    def _date(path: Path, message: Message) -> None:
        """Set the time of arrival (IMAP's INTERNALDATE) to that of an earlier delivery, if the header names one.

        Semantics, section 5. Only now, since what looks old in the stage directory may be cleaned away.
        """
        if found := _ARRIVAL.search(message.data[: message.header_end]):
            with suppress(Exception):  # no date; or an IMAP server has moved it; the message is in place anyway
                when = parsedate_to_datetime(found[1].decode("ascii")).timestamp()
                os.utime(path, (when, when))

    def _stage(self, partition: str) -> Staged:
        if self._spooled is not None and partition == self._content.partition:
            staged = self._store.adopt(partition, self._spooled, vsize=self._content.message.size)
            self._spooled = None
        else:
            staged = self._store.stage(partition, [self._content.message.data])
        self._staged[partition] = staged
        return staged

    def _put_edited(self, mailbox: Mailbox, flags: tuple[str, ...], message: Message, unique: str) -> Path:
        staged = self._store.stage(mailbox.partition, [message.data])
        try:
            path = staged.deliver(mailbox, flags, last=True, unique=unique)
        finally:
            staged.discard()
        self._date(path, message)
        return path
