"""What the scripts look at: the current message and its envelope.

The envelope follows from the header whenever a message becomes current, and is then set part by part.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import replace

from sievemda.mail.address import Address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.testing.paths import smtp_path

UNSET = Recipient(Address(""))
DEFAULT_MESSAGE = b"From: sender@example.com\nTo: recipient@example.org\nSubject: Test\n\nTest message.\n"


class Subject:
    """`log` is told of paths that are none."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self.message = Message(b"")
        self.envelope = Envelope(Sender(None), UNSET)
        self.flags: tuple[str, ...] = ()  # that the message has in its mailbox
        self.set_message(DEFAULT_MESSAGE)

    def set_message(self, raw: bytes, flags: tuple[str, ...] = ()) -> None:
        """A new current message, and an envelope that follows from its header."""
        self.message = Message(raw.replace(b"\r\n", b"\n"))
        self.flags = flags
        sender = self._first_address("Return-Path", "Sender", "From") or Address("sender", "example.com")
        recipient = self._first_address("Envelope-To", "To") or Address("recipient", "example.com")
        self.envelope = Envelope(Sender(sender, auth=user_name()), _to(recipient))

    def _first_address(self, *fields: str) -> Address | None:
        for field in fields:
            for found in self.message.addresses(field):
                if not isinstance(found, str) and found:
                    return found[0]
        return None

    def set_sender(self, path: str) -> None:
        """A path that is none leaves the sender unset, which is like the null reverse-path."""
        address = None if path in {"", "<>"} else self._path(path)
        self.envelope = replace(self.envelope, sender=replace(self.envelope.sender, reverse_path=address))

    def set_recipient(self, path: str) -> None:
        """The recipient, and the original one. A path that is none leaves both unset."""
        address = self._path(path, bare=True)
        self.envelope = replace(self.envelope, recipient=_to(address) if address else UNSET)

    def set_original(self, path: str) -> None:
        address = self._path(path, bare=True)
        changed = replace(self.envelope.recipient, orcpt_type="rfc822", orcpt=str(address) if address else "")
        self.envelope = replace(self.envelope, recipient=changed)

    def set_identity(self, identity: str) -> None:
        self.envelope = replace(self.envelope, sender=replace(self.envelope.sender, auth=identity))

    def _path(self, path: str, *, bare: bool = False) -> Address | None:
        address = smtp_path(path, bare=bare)
        if address is None:
            self._log(f"invalid envelope address '{path[:256]}'")
        return address


def _to(address: Address) -> Recipient:
    return Recipient(address, orcpt_type="rfc822", orcpt=str(address))


def user_name() -> str:
    """Who runs the command; some name where the system does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"
