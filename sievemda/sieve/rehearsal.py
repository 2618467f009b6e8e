"""A dry run: the message and the envelope that a script sees when no mail server is there to say.

The same derivation serves `sieve run` and the test language: MAIL FROM is the first address of Return-Path, Sender or
From, RCPT TO the first of Envelope-To or To.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sievemda.mail.address import Address
from sievemda.mail.annotation import canonical
from sievemda.mail.message import Message
from sievemda.sieve.facts import Unknown
from sievemda.sieve.listnames import DEFAULT_BOOK, normal_name
from sievemda.sieve.problems import RunError
from sievemda.sieve.program import Program
from sievemda.sieve.surroundings import standard

SENDER_FIELDS = ("Return-Path", "Sender", "From")
RECIPIENT_FIELDS = ("Envelope-To", "To")
DEFAULT_SENDER = Address("sender", "example.com")
DEFAULT_RECIPIENT = Address("recipient", "example.com")
_HANDLE = re.compile(r"\A(?:[^\\:]|\\.)*+:", re.DOTALL)  # in front of what identifies a message, with its colon
_ITEMS = {**standard("localhost"), "vnd.dovecot.default-mailbox": "INBOX"}


@dataclass(frozen=True)
class Imagined(Unknown):
    """Facts of a world that is only imagined: a clock that stands still, and the mailboxes that are said to exist."""

    clock: datetime
    mailboxes: frozenset[str] = frozenset({"INBOX"})
    addresses: frozenset[str] = frozenset()
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)  # external lists by name, beside an empty default
    uses: Mapping[str, frozenset[str]] = field(default_factory=dict)  # special uses by mailbox
    ids: frozenset[str] = frozenset()  # identifiers that a mailbox has
    annotations: Mapping[tuple[str, str], str] = field(default_factory=dict)  # by mailbox ("": the server) and entry
    items: Mapping[str, str] = field(default_factory=dict)  # of the environment, by name in lower case
    past: frozenset[str] = frozenset()  # identifiers that the duplicate test has seen, with any handle or none
    scripts: Callable[[str, str], Program | None] | None = None  # those to include, by location and name

    def now(self) -> datetime:
        return self.clock

    def mailbox_exists(self, name: str) -> bool:
        return name in self.mailboxes or name.upper() == "INBOX"

    def mailbox_with_id(self, mailbox_id: str) -> bool:
        return mailbox_id in self.ids

    def special_use_exists(self, mailbox: str | None, uses: Sequence[str]) -> bool:
        wanted = {use.lower() for use in uses}
        if mailbox is not None:
            found = (use for name, uses in self.uses.items() if _same_mailbox(name, mailbox) for use in uses)
            return wanted <= {use.lower() for use in found}
        return wanted <= {use.lower() for found in self.uses.values() for use in found}

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        known = ((name, value) for (name, key), value in self.annotations.items() if key == canonical(entry))
        return next((value for name, value in known if _same_mailbox(name, mailbox or "")), None)

    def own_addresses(self) -> frozenset[str]:
        return self.addresses

    def environment(self, item: str) -> str | None:
        return self.items.get(item, _ITEMS.get(item))

    def seen(self, key: str) -> bool:
        return key in self.past or _HANDLE.sub("", key, count=1) in self.past

    def included(self, location: str, name: str) -> Program | None:
        return self.scripts(location, name) if self.scripts else None

    def has_list(self, name: str) -> bool:
        return name == DEFAULT_BOOK or name in self._lists

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        members = {member.lower(): member for member in self._lists.get(name, ())}
        return next((members[value.lower()] for value in values if value.lower() in members), None)

    def list_members(self, name: str, most: int) -> Sequence[str]:
        members = self._lists.get(name, ())
        if len(members) > most:
            raise RunError(f"the list has {len(members)} members: the limit is {most}")
        return members

    @property
    def _lists(self) -> dict[str, Sequence[str]]:
        return {normal_name(name) or name: members for name, members in self.lists.items()}

    def has_calendar(self, identifier: str) -> bool:
        return True


def _same_mailbox(one: str, other: str) -> bool:
    """INBOX is one in any case of letters. RFC 9051 §5.1."""
    return one == other or one.upper() == other.upper() == "INBOX"


def message_of(data: bytes) -> Message:
    """A message file as delivery would hold it: line ends LF, a lone CR gone, no `From ` line of an mbox."""
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    return Message(data.replace(b"\r", b""))


def sender_of(message: Message) -> Address | None:
    """The sender that the header suggests; a Return-Path of `<>` is the null reverse-path."""
    if any(raw.strip() == b"<>" for raw in message.raw_values("Return-Path")):
        return None
    return _first(message, SENDER_FIELDS) or DEFAULT_SENDER


def recipient_of(message: Message) -> Address:
    return _first(message, RECIPIENT_FIELDS) or DEFAULT_RECIPIENT


def _first(message: Message, names: tuple[str, ...]) -> Address | None:
    for name in names:
        for addresses in message.addresses(name):
            if addresses and not isinstance(addresses, str):
                return addresses[0]
    return None
