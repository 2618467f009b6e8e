"""Users who are shut out of a service for a time, as by Cyrus' user_deny.db (semantics, section 2, "userdeny").

An entry is a message by service, kept in the record of the user's INBOX, where no annotation of his can reach it. It
goes with the account when that is renamed or deleted. Mail for somebody who is shut out of `lmtp` stays with the MTA.

Why by service and not one switch: a mailbox that is being moved takes no mail while its owner may go on editing his
scripts, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sievemda.store.names import MailboxName
from sievemda.store.record import Record

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

SERVICES = ("lmtp", "sieve")  # as cyrus.conf calls them; the second is ManageSieve
_SECTION = "/denied"  # no user has that name


def denials_of(inbox: Mailbox) -> Mapping[str, str]:
    """The messages by service; none for who is not shut out."""
    return denials_in(inbox.store.records.get(inbox.path))


def denials_in(record: Record) -> Mapping[str, str]:
    """As `denials_of`, for who has read the record of the INBOX."""
    return record.metadata.get(_SECTION, {})


def is_denied(store: MailStore, userid: str, service: str) -> bool:
    """Whether an existing user is shut out."""
    inbox = store.find(MailboxName(userid))
    return inbox is not None and service in denials_of(inbox)


def set_denials(inbox: Mailbox, messages: Mapping[str, str | None]) -> None:
    """Shut the user out of services with these messages; None lets him in again. OSError, StoreTrouble."""

    def change(record: Record) -> Record:
        kept = {**record.metadata.get(_SECTION, {}), **messages}
        entries = {service: message for service, message in kept.items() if message is not None}
        others = {section: found for section, found in record.metadata.items() if section != _SECTION}
        return replace(record, metadata=others | ({_SECTION: entries} if entries else {}))

    inbox.store.records.update(inbox.path, change)


def everybody_denied(store: MailStore) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The users who are shut out of something, in the order of their names."""
    for userid in sorted(set(store.layout.users())):
        inbox = store.find(MailboxName(userid))
        if inbox is not None and (found := denials_of(inbox)):
            yield userid, found
