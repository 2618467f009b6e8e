"""Notices about mail that was not delivered, as multipart/report.

    rejection   an MDN (RFC 3798) to the sender of a message that a script refused with `reject`; RFC 5429 §2.2.1
    bounce      a DSN (RFC 3464) to the sender of a redirected message that could not be handed on

Neither is ever made for the null reverse-path, and both go out from it, so that notices about notices cannot be.
"""

from __future__ import annotations

import quopri
from dataclasses import dataclass
from secrets import token_hex

from sievemda.config import Settings
from sievemda.delivery.header import without_return_path
from sievemda.delivery.outgoing import Kind, Outgoing
from sievemda.delivery.trace import engine, new_message_id, now_field
from sievemda.mail.address import Address
from sievemda.mail.envelope import Peer, Recipient
from sievemda.mail.message import Message

_MAX_QUOTED = 1 << 16  # octets of a header quoted in a bounce


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message could not be handed on."""

    status: str  # RFC 3463
    text: str


def rejection(
    settings: Settings,
    message: Message,
    message_id: str,
    sender: Address,
    recipient: Recipient,
    peer: Peer,
    reason: str,
) -> Outgoing:
    """The MDN for `reject`, with the whole original. RFC 5429 §2.2.1, RFC 3798 §3."""
    text = (
        "Your message was automatically rejected by the mail filtering program of its\nrecipient. "
        f"The following reason was given:\n\n{reason.strip()}\n"
    )
    who = f"rfc822; {recipient.address}"
    original = f"Original-Recipient: {recipient.orcpt_type}; {recipient.orcpt}\n" if recipient.orcpt else ""
    if settings.sieve.sieve_mdn_private:
        who, original = f"x-sievemda-session; {peer.session}", ""
    machine = (
        f"Reporting-UA: {settings.site.servername}; {engine(settings)}\n{original}Final-Recipient: {who}\n"
        f"Original-Message-ID: {message_id}\nDisposition: automatic-action/MDN-sent-automatically; deleted\n"
    )
    report = _Report(
        settings,
        kind="reject",
        sender=f"Mail Sieve Subsystem <{postmaster(settings)}>",
        to=str(sender),
        subject="Automatically rejected mail",
        automatic="auto-replied (rejected)",
        refers_to=message_id,
        text=text,
        machine_type="disposition-notification",
        machine=machine,
    )
    header = without_return_path(message.data[: message.header_end])
    return report.outgoing("message/rfc822", header, message, message.header_end)


def bounce(settings: Settings, sender: str, recipient: str, header: bytes, failure: Failure) -> Outgoing:
    """The DSN for a message from `sender` that could not be handed on. RFC 3464 §2."""
    text = (
        f"This is the mail system at {settings.site.servername}.\n\nYour message was forwarded by its recipient, and "
        f"could not be delivered to\n\n  {recipient}\n\nThe reason given was: {failure.text}\n"
    )
    diagnostic = " ".join(failure.text.split())[:400]
    machine = (
        f"Reporting-MTA: dns; {settings.site.servername}\n\nFinal-Recipient: rfc822; {recipient}\nAction: failed\n"
        f"Status: {failure.status}\nDiagnostic-Code: smtp; {diagnostic}\n"
    )
    message = Message(header[:_MAX_QUOTED])
    report = _Report(
        settings,
        kind="bounce",
        sender=f"Mail Delivery System <{postmaster(settings)}>",
        to=sender,
        subject="Undelivered mail returned to sender",
        automatic="auto-replied",
        refers_to=next(iter(message.values("message-id")), ""),
        text=text,
        machine_type="delivery-status",
        machine=machine,
    )
    return report.outgoing("text/rfc822-headers", header[:_MAX_QUOTED], Message(b""), 0)


def postmaster(settings: Settings) -> str:
    name = settings.site.postmaster
    return name if "@" in name else f"{name}@{settings.site.servername}"


@dataclass(frozen=True, slots=True)
class _Report:
    """A multipart/report (RFC 3462) with its three parts: for people, for machines, and the message it is about."""

    settings: Settings
    kind: Kind
    sender: str
    to: str
    subject: str
    automatic: str
    refers_to: str
    text: str
    machine_type: str
    machine: str

    def outgoing(self, quoted_type: str, quoted: bytes, source: Message, start: int) -> Outgoing:
        boundary = f"=_{token_hex(16)}"
        parts = (
            ("text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", self._printable()),
            (f"message/{self.machine_type}", _clean(self.machine)),
            (f"{quoted_type}\nContent-Transfer-Encoding: 8bit", ""),
        )
        text = self._header(boundary)
        text += "".join(f"\n--{boundary}\nContent-Type: {kind}\n\n{content}" for kind, content in parts)
        head = text.encode("utf-8", "replace") + quoted
        return Outgoing(self.kind, "", self.to, head, source.data, start, f"\n--{boundary}--\n".encode())

    def _header(self, boundary: str) -> str:
        about = f"In-Reply-To: {self.refers_to}\nReferences: {self.refers_to}\n" if _is_plain(self.refers_to) else ""
        return (
            f"Date: {now_field()}\nMessage-ID: {new_message_id(self.settings)}\nFrom: {self.sender}\nTo: <{self.to}>\n"
            f"Subject: {self.subject}\n{about}Auto-Submitted: {self.automatic}\nMIME-Version: 1.0\n"
            f'Content-Type: multipart/report; report-type={self.machine_type};\n\tboundary="{boundary}"\n'
            "Content-Transfer-Encoding: 8bit\n\nThis is a report in MIME format.\n"
        )

    def _printable(self) -> str:
        text = self.text.replace("\r\n", "\n").replace("\r", "\n")
        return quopri.encodestring(text.encode("utf-8", "replace")).decode()


def _is_plain(value: str) -> bool:
    """Whether a Message-ID may stand in a header of ours as it is."""
    return 0 < len(value) < 900 and value.isascii() and value.isprintable()


def _clean(fields: str) -> str:
    """Fields of a machine-readable part: no control character can make a field of its own, none is not ASCII."""
    kept = "".join(c if c == "\n" or c.isprintable() else "?" for c in fields)
    return kept.encode("ascii", "replace").decode()
