"""Sender, recipient and client of a message that lies in a mailbox, as they were when it was delivered.

The journal knows them, as long as it keeps the delivery. Else the fields tell that final delivery adds, Return-Path and
Received, and those in which mail servers write down the recipient; else To and Cc, where an address of the user stands.
Of several addresses the first that is the user's counts, whatever its detail; without any it is the user at his domain.

Why the identity of who posts is read from Received, too: it decides whether a folder that the address names takes the
message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sievemda.config import Settings
from sievemda.delivery.identity import posting_identity
from sievemda.delivery.resolve import Resolver
from sievemda.delivery.target import Target
from sievemda.errors import TemporaryTrouble
from sievemda.mail.address import Address, parse_address
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.rehearsal import sender_of
from sievemda.state.journal import Journal
from sievemda.store.mailbox import Mailbox

_FIELDS = ("Delivered-To", "Envelope-To", "X-Original-To", "X-Envelope-To", "To", "Cc")
_MOST = 200  # addresses of a message that are looked at
_RECEIVED = re.compile(r"from (\S{1,255}) \((?:\[([0-9A-Fa-f:.]{2,45})\]|[^)]{0,255})\)")
_POSTER = re.compile(r"\(authenticated user=([^\s()]{1,255}) bits=0\)")


@dataclass(frozen=True, slots=True)
class Handed:
    """How a message came."""

    sender: Sender
    peer: Peer
    target: Target


class Envelopes:
    """For the messages of one user. `journal` is None when the site keeps none."""

    def __init__(self, settings: Settings, resolver: Resolver, journal: Journal | None, inbox: Mailbox) -> None:
        self._settings = settings
        self._resolver = resolver
        self._journal = journal
        self._inbox = inbox
        self._owner = inbox.name.owner or ""

    def of(self, message: Message) -> Handed:
        received = next(iter(message.values("Received")), "") if message.raw_values("X-Sieve") else ""
        found, posted = _RECEIVED.match(received), _POSTER.search(received)
        auth = posted[1] if posted else None
        helo, client = found.groups("") if found else ("", "")
        peer = Peer("tryout", helo, client)
        sender, poster = sender_of(message), posting_identity(self._settings, auth)
        addresses = _addresses(message)
        if known := self._journalled(message):
            sender = parse_address(known[0]) if known[0] else None
            addresses = iter((known[1],))
        for address in (*addresses, self._plain()):
            recipient = Recipient(address, ignore_quota=True)
            target = self._resolver.stored_for(self._owner, self._inbox, recipient, poster)
            if target is not None:
                return Handed(Sender(sender, auth), peer, target)
        return Handed(Sender(sender, auth), peer, Target(recipient, self._owner, self._inbox, poster=poster))

    def _plain(self) -> Address:
        local, _, domain = self._owner.partition("@")
        return Address(local, domain or self._settings.domain)

    def _journalled(self, message: Message) -> tuple[str, Address] | None:
        """Sender and recipient of the delivery to this user; None when the journal does not know or cannot be read."""
        identifier = next(iter(message.values("Message-ID")), "")
        if self._journal is None or not identifier:
            return None
        try:
            entries = self._journal.find(identifier)
        except TemporaryTrouble:
            return None
        for entry in reversed(entries):
            address = parse_address(str(entry.get("to", "")))
            if entry.get("user") == self._owner and entry.get("result") == "delivered" and address is not None:
                return str(entry.get("from", "")), address
        return None


def _addresses(message: Message) -> Iterator[Address]:
    left = _MOST
    for name in _FIELDS:
        for found in message.addresses(name):
            for address in () if isinstance(found, str) else found:
                if left > 0 and isinstance(address, Address):
                    left -= 1
                    yield address
