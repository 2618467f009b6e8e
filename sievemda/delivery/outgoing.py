"""Mail that leaves because of a delivery: what it looks like. How it leaves is the outbox's business.

A redirected message is the stored one without its Return-Path, behind `X-Sieve-Action: redirect` and
`X-Sieve-Redirected-From`, which names the owner of the script that sent it on. It keeps every octet of its own, so that
signatures survive, and its envelope sender unless the script or the site wants another.

Why X-Sieve-Redirected-From: the memory knows that a message was redirected, not whether what comes in now is the
retry of a delivery or a message that went round in a circle. The first has been dealt with, the second would be lost
if it were treated so. A message that carries its recipient's own mark has come back, and is kept.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sievemda.config import Settings
from sievemda.delivery.header import without_return_path
from sievemda.delivery.trace import engine, new_message_id, now_field
from sievemda.mail.envelope import DeliverBy, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.base.actions import MARK
from sievemda.sieve.effects import Notify, Redirect, Report, Respond

Kind = Literal["redirect", "vacation", "reject", "bounce", "success", "notify", "report", "webhook"]

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class DsnOptions:
    """What the sender wants to know of a message that is sent on, and how (RFC 3461 §4), and by when (RFC 2852 §4).

    `notify` and `ret` are as the next host is told; empty, it is not told.
    """

    failure: bool = True  # to be told when it fails
    full: bool = False  # with the whole message
    envid: str = ""
    orcpt: str = ""  # TYPE;ADDRESS
    notify: str = ""
    ret: str = ""
    by_until: int = 0  # seconds since the epoch; 0: there is no limit
    by_mode: str = ""  # N or R
    by_trace: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message for one recipient. Its text is `head`, `source` from `start` on, `tail`; line ends are LF.

    A webhook is one too: its recipient is a URL, its text what is posted.
    """

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


def redirected(
    settings: Settings, message: Message, sender: Sender, recipient: Recipient, redirect: Redirect
) -> Outgoing:
    """`message`, which came from `sender` for `recipient`, sent on. RFC 5228 §4.2.

    What a message here has always had, and a script has taken out, comes back: whoever gets it needs a Message-ID.
    """
    mark = redirect.mark or str(recipient.address)
    marks = f"X-Sieve-Action: redirect\n{MARK}: {mark}\n"
    marks += "" if message.raw_values("X-Sieve") else f"X-Sieve: {engine(settings)}\n"
    marks += "" if message.raw_values("Message-ID") else f"Message-ID: {new_message_id(settings)}\n"
    head = marks.encode("utf-8", "replace") + without_return_path(message.data[: message.header_end])
    who = str(sender.reverse_path or "") if redirect.return_path is None else redirect.return_path
    options = _asked_for(redirect) if redirect.notify or redirect.ret or redirect.by else dsn_options(sender, recipient)
    return Outgoing("redirect", who, redirect.address, head, message.data, message.header_end, dsn=options)


def dsn_options(sender: Sender, recipient: Recipient) -> DsnOptions:
    """What the sender of a message wants, for whoever gets it in place of its recipient.

    Notices of success are ours to send (RFC 3461 §5.2.2), so the next host is not asked for them.
    """
    notify = ",".join(word for word in recipient.notify if word != "SUCCESS") or ("NEVER" if recipient.notify else "")
    return _with_limit(
        sender.by,
        failure=not recipient.notify or "FAILURE" in recipient.notify,
        full=sender.ret == "FULL",
        envid=sender.envid,
        orcpt=f"{recipient.orcpt_type};{recipient.orcpt}" if recipient.orcpt else "",
        notify=notify,
        ret=sender.ret,
    )


def _asked_for(redirect: Redirect) -> DsnOptions:
    """What the script wants to know, in whose owner's name the message leaves. RFC 6009 §6, §7."""
    return _with_limit(
        redirect.by,
        failure=not redirect.notify or "FAILURE" in redirect.notify,
        full=redirect.ret == "FULL",
        notify=",".join(redirect.notify),
        ret=redirect.ret,
    )


def _with_limit(
    by: DeliverBy | None, *, failure: bool, full: bool, notify: str, ret: str, envid: str = "", orcpt: str = ""
) -> DsnOptions:
    until, mode, trace = (int(by.until.timestamp()), by.mode, by.trace) if by else (0, "", False)
    return DsnOptions(failure, full, envid, orcpt, notify, ret, until, mode, trace)


def _dated(settings: Settings, text: bytes) -> bytes:
    """A mail of our own, with what it lacks."""
    return f"Date: {now_field()}\nMessage-ID: {new_message_id(settings)}\n".encode() + text


def answer(settings: Settings, respond: Respond) -> Outgoing:
    """A vacation reply. RFC 5230 §5: from the null reverse-path, lest two answer each other; or as the site wants.

    §5.1: nobody wants to hear what became of it.
    """
    never = DsnOptions(failure=False, notify="NEVER")
    return Outgoing("vacation", respond.return_path, respond.to, _dated(settings, respond.text), dsn=never)


def notification(settings: Settings, notify: Notify, owner: str) -> tuple[bytes, tuple[Outgoing, ...]]:
    """A notification as a mail, and what is to leave: a mail to each who is told, or a webhook. RFC 5436 §2.7.

    A webhook leaves as JSON; its mail is what a copy is made of (RFC 8580 §4).
    """
    text = _dated(settings, notify.text)
    if not notify.recipients:
        return text, (Outgoing("webhook", "", notify.method, _posted(settings, notify, owner)),)
    return text, tuple(Outgoing("notify", notify.return_path, to, text) for to in notify.recipients)


def _posted(settings: Settings, notify: Notify, owner: str) -> bytes:
    """What a webhook is told: RFC 5435 §3.8 wants to know when, and who is behind it."""
    told = {
        "message": notify.message,
        "importance": notify.importance,
        "from": notify.sender,
        "options": dict(notify.options),
        "time": now_field(),
        "owner": owner,
        "host": settings.site.servername,
    }
    return json.dumps(told, ensure_ascii=True).encode("ascii")


def complaint(settings: Settings, report: Report) -> Outgoing:
    """An abuse report, from nobody: it is never worth a bounce."""
    head = _dated(settings, report.head)
    if not report.whole:
        return Outgoing("report", "", report.to, head + report.about.head, tail=report.tail)
    return Outgoing("report", "", report.to, head, report.about.data, 0, report.tail)
