"""Mail that leaves because of a delivery: what it looks like. How it leaves is the outbox's business.

A redirected message is the stored one without its Return-Path, behind `X-Sieve-Action: redirect` and
`X-Sieve-Redirected-From`, which names the recipient who sent it on. It keeps its envelope sender and every octet of
its own, so that signatures survive.

Why X-Sieve-Redirected-From: the memory knows that a message was redirected, not whether what comes in now is the
retry of a delivery or a message that went round in a circle. The first has been dealt with, the second would be lost
if it were treated so. A message that carries its recipient's own mark has come back, and is kept.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sievemda.config import Settings
from sievemda.delivery.header import without_return_path
from sievemda.delivery.trace import new_message_id, now_field
from sievemda.mail.address import Address
from sievemda.mail.envelope import Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.effects import Respond

MARK = "X-Sieve-Redirected-From"
Kind = Literal["redirect", "vacation", "reject", "bounce", "success"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class DsnOptions:
    """What the sender wants to know of a message that is sent on, and how (RFC 1891 §5)."""

    failure: bool = True  # to be told when it fails
    full: bool = False  # with the whole message
    envid: str = ""
    orcpt: str = ""  # TYPE;ADDRESS


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for one recipient. Its text is `head`, `source` from `start` on, `tail`; line ends are LF."""

    kind: Kind
    sender: str  # "" is the null reverse-path
    recipient: str
    head: bytes
    source: bytes | mmap.mmap = b""
    start: int = 0
    tail: bytes = b""
    dsn: DsnOptions = DsnOptions()

    def blocks(self) -> Iterator[bytes]:
        yield self.head
        for position in range(self.start, len(self.source), _BLOCK):
            yield self.source[position : position + _BLOCK]
        if self.tail:
            yield self.tail


def redirected(message: Message, sender: Sender, recipient: Recipient, to: str) -> Outgoing:
    """`message`, which came from `sender` for `recipient`, sent on. RFC 5228 §4.2."""
    marks = f"X-Sieve-Action: redirect\n{MARK}: <{recipient.address}>\n".encode("utf-8", "replace")
    head = marks + without_return_path(message.data[: message.header_end])
    who = str(sender.reverse_path or "")
    options = dsn_options(sender, recipient)
    return Outgoing("redirect", who, to, head, message.data, message.header_end, dsn=options)


def dsn_options(sender: Sender, recipient: Recipient) -> DsnOptions:
    return DsnOptions(
        failure=not recipient.notify or "FAILURE" in recipient.notify,
        full=sender.ret == "FULL",
        envid=sender.envid,
        orcpt=f"{recipient.orcpt_type};{recipient.orcpt}" if recipient.orcpt else "",
    )


def has_come_back(message: Message, recipient: Address) -> bool:
    """Whether this recipient has sent this message on before."""
    own = f"<{recipient}>".lower()
    return any(value.lower() == own for value in message.values(MARK))


def answer(settings: Settings, respond: Respond) -> Outgoing:
    """A vacation reply, with what it lacks. RFC 5230 §5: from the null reverse-path, lest two answer each other."""
    head = f"Date: {now_field()}\nMessage-ID: {new_message_id(settings)}\n".encode() + respond.text
    return Outgoing("vacation", "", respond.to, head)
