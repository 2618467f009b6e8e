"""What MAIL and RCPT said, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sievemda.mail.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverBy:
    """By when a message is to be delivered, and what is to be done otherwise. RFC 2852 §4."""

    until: datetime
    mode: str = "N"  # N: the sender is told; R: the message is returned
    trace: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """One accepted MAIL command (RFC 5321 §4.1.1.2, RFC 1870, RFC 2852, RFC 3461 §4.3-4.4, RFC 4954 §5, RFC 6531)."""

    reverse_path: Address | None  # None is the null reverse-path
    auth: str | None = None  # the posting identity of AUTH=, decoded; None is anonymous
    size: int = 0  # octets declared, 0 when not
    body: str = ""  # "", "7BIT" or "8BITMIME"
    smtputf8: bool = False
    ret: str = ""  # "", "FULL" or "HDRS"
    envid: str = ""  # decoded from xtext
    by: DeliverBy | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT command (RFC 5321 §4.1.1.3, RFC 3461 §4.1-4.2), with the options given to it alone."""

    address: Address
    notify: tuple[str, ...] = ()  # NEVER, or any of SUCCESS, FAILURE, DELAY
    orcpt_type: str = ""  # usually rfc822 or utf-8
    orcpt: str = ""  # the original recipient, decoded from xtext
    ignore_quota: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one script run sees: the sender and its one recipient."""

    sender: Sender
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Peer:
    """Who handed the message over, for trace headers, the journal and the log."""

    session: str  # one id per LMTP session
    helo: str = ""  # the argument of LHLO
    address: str = ""  # the client's IP address, empty on a UNIX socket
    authenticated: str = ""  # SASL identity, or "postman" on a UNIX socket
    tls: bool = False
