"""Notices about what became of a message, as multipart/report.

    rejection   an MDN (RFC 3798) to the sender of a message that a script refused with `reject`; RFC 5429 §2.2.1
    bounce      a DSN (RFC 3464) to the sender of a redirected message that could not be handed on
    not_yet     a DSN to its sender when a time that was set is over, or goes unheeded from here on
    success     a DSN to a sender who asked with NOTIFY=SUCCESS: an MTA to which we announce DSN leaves that to us

None is ever made for the null reverse-path, and all go out from it, so that notices about notices cannot be.
"""

from __future__ import annotations

import quopri
from dataclasses import dataclass
from secrets import token_hex
from typing import Literal

from sievemda.config import Settings
from sievemda.delivery.header import without_return_path
from sievemda.delivery.outgoing import DsnOptions, Kind, Outgoing, dsn_options
from sievemda.delivery.trace import engine, new_message_id, now_field
from sievemda.mail.address import Address
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.message import Message

_MAX_QUOTED = 1 << 16  # octets of a header that is returned
MAX_RETURNED = 1 << 20  # octets of a message that is returned in full; RFC 1891 §7.2 allows a bound
Action = Literal["delivered", "relayed"]
Unfinished = Literal["delayed", "relayed"]


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
    named = f"Original-Message-ID: {message_id}\n" if message_id else ""
    machine = (
        f"Reporting-UA: {settings.site.servername}; {engine(settings)}\n{original}Final-Recipient: {who}\n"
        f"{named}Disposition: automatic-action/MDN-sent-automatically; deleted\n"
    )
    report = _Report(
        settings,
        kind="reject",
        sender=f"Postmaster <{postmaster(settings)}>",
        to=str(sender),
        subject="Automatically rejected mail",
        automatic="auto-replied (rejected)",
        refers_to=message_id,
        text=text,
        machine_type="disposition-notification",
        machine=machine,
    )
    return report.outgoing_whole(message)


def bounce(
    settings: Settings, sender: str, recipient: str, message: Message, options: DsnOptions, failure: Failure
) -> Outgoing:
    """The DSN for a message from `sender` that could not be handed on. RFC 3464 §2."""
    text = (
        f"This is the mail system at {settings.site.servername}.\n\nYour message was forwarded by its recipient, and "
        f"could not be delivered to\n\n  {recipient}\n\nThe reason given was: {failure.text}\n"
    )
    diagnostic = f"Diagnostic-Code: smtp; {' '.join(failure.text.split())[:400]}\n"
    fields = _status_fields(settings, options, recipient, "failed", failure.status) + diagnostic
    report = _status_report(settings, "bounce", sender, "Undelivered mail returned to sender", message, text, fields)
    whole = options.full and message.stored_size <= MAX_RETURNED
    return report.outgoing_whole(message) if whole else report.outgoing_header(message)


def not_yet(
    settings: Settings,
    sender: str,
    recipient: str,
    message: Message,
    options: DsnOptions,
    action: Unfinished,
    reason: str,
) -> Outgoing:
    """The DSN for a redirected message that does not keep to its time. RFC 2852 §4, §5."""
    text = (
        f"This is the mail system at {settings.site.servername}.\n\nYour message was forwarded by its recipient to\n\n"
        f"  {recipient}\n\n{reason}\n"
    )
    fields = _status_fields(settings, options, recipient, action, "4.4.7" if action == "delayed" else "2.0.0")
    subject = "Delayed mail" if action == "delayed" else "Mail handed on without its time limit"
    return _status_report(settings, "bounce", sender, subject, message, text, fields).outgoing_header(message)


def success(settings: Settings, message: Message, sender: Sender, recipient: Recipient, action: Action) -> Outgoing:
    """The DSN for a message that has arrived, or was sent on to where no notices come from. RFC 1891 §6.2.3, §7.2."""
    what = "was delivered to" if action == "delivered" else "was forwarded by"
    text = (
        f"This is the mail system at {settings.site.servername}.\n\nYour message {what}\n\n  {recipient.address}\n\n"
        + ("" if action == "delivered" else "You may not hear of it again, whether it arrives or not.\n")
    )
    fields = _status_fields(settings, dsn_options(sender, recipient), str(recipient.address), action, "2.0.0")
    to = str(sender.reverse_path)
    report = _status_report(settings, "success", to, "Successful mail delivery report", message, text, fields)
    return report.outgoing_header(message)


def _status_fields(settings: Settings, options: DsnOptions, recipient: str, action: str, status: str) -> str:
    """The machine-readable part of a DSN about one recipient. RFC 3464 §2.2, §2.3, RFC 1891 §7.3."""
    envid = f"Original-Envelope-Id: {options.envid}\n" if options.envid else ""
    original = f"Original-Recipient: {options.orcpt}\n" if options.orcpt else ""
    return (
        f"Reporting-MTA: dns; {settings.site.servername}\n{envid}\n{original}"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
    )


def _status_report(
    settings: Settings, kind: Kind, to: str, subject: str, about: Message, text: str, fields: str
) -> _Report:
    return _Report(
        settings,
        kind=kind,
        sender=f"Mail Delivery System <{postmaster(settings)}>",
        to=to,
        subject=subject,
        automatic="auto-replied",
        refers_to=next(iter(about.values("message-id")), ""),
        text=text,
        machine_type="delivery-status",
        machine=fields,
    )


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

    def outgoing_whole(self, message: Message) -> Outgoing:
        """About a message that is returned in full."""
        header = without_return_path(message.data[: message.header_end])
        return self._outgoing("message/rfc822", header, message, message.header_end)

    def outgoing_header(self, message: Message) -> Outgoing:
        """About a message of which the header is returned. RFC 3462 §2."""
        header = without_return_path(message.data[: message.header_end])[:_MAX_QUOTED]
        return self._outgoing("text/rfc822-headers", header, Message(b""), 0)

    def _outgoing(self, quoted_type: str, quoted: bytes, source: Message, start: int) -> Outgoing:
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
