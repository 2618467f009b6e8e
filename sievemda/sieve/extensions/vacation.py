"""vacation: answer the sender, at most once in a while. RFC 5230; vacation-seconds, RFC 6131.

Whether an answer is proper is decided here, and a reply that must not go out says why in words (`Respond.suppressed`).
Whether this sender was answered lately is asked by who sends it, with `Respond.key`.

Why the tests are stricter than RFC 5230 §4.6 asks: each of them is one that Cyrus or Pigeonhole makes, and an answer
too many (to a list, to another robot) does harm, one too few does not.

The message that is looked at and answered is always the one that came, whatever a script or a program has made of it:
RFC 5293 §7, external programs §6.1. An edit can make no list, robot or stranger one that is answered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from sievemda.mail.address import Address
from sievemda.mail.addresslist import mailboxes
from sievemda.mail.compose import field, mailbox, one_line, structured, text_part
from sievemda.mail.header import unfold
from sievemda.mail.message import Message
from sievemda.sieve.effects import Effect, Respond
from sievemda.sieve.limits import DAY, Limits
from sievemda.sieve.node import Command, Context, Fault, Option, node
from sievemda.sieve.run import Run
from sievemda.sieve.senders import own_addresses, owner
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension

LIST_FIELDS = (
    "List-Id", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Post", "List-Owner", "List-Archive",
)  # fmt: skip
RECIPIENT_FIELDS = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")
_ROBOT = re.compile(r"(?:mailer-daemon|listserv|majordomo)\b|owner-|.*-request", re.IGNORECASE | re.DOTALL)
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_REFERENCES = 20  # identifiers kept of a long thread: the first and the last ones; RFC 5322 §3.6.4
_SUBJECT = 256  # characters
_LINE = 998  # characters, RFC 5322 §2.1.1


@node
class Vacation(Command):
    """vacation [":days" number] [":subject" string] [":from" string] [":addresses" string-list] [":mime"]
    [":handle" string] <reason: string>, RFC 5230 §4.
    """

    keyword = "vacation"
    days: int | None = None
    subject: Text | None = None
    from_: Text | None = None
    addresses: Texts | None = None
    mime: bool = False
    handle: Text | None = None
    reason: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        sender = self.from_
        if sender is not None and sender.constant and not _authors(sender.source):
            yield sender, f"invalid address in ':from': {sender.source[:80]!r}"
        elif self.days is not None and any(isinstance(option, Seconds) for option in self.options):
            yield "':days' and ':seconds' cannot be used together"
        elif self.mime and self.reason.constant and not _header_of(self.reason.source).isascii():
            yield self.reason, "the header of a ':mime' reason must be ASCII"

    def warnings(self, context: Context) -> Iterator[Fault]:
        limits = context.limits
        if self.days is not None and self.days * DAY != _clamped(self.days * DAY, limits):
            least, most = limits.vacation_minimum // DAY, limits.vacation_maximum // DAY
            yield f"':days {self.days}' is out of range: {least} to {most} days are possible here"

    def execute(self, run: Run) -> None:
        sender = run.envelope.sender.reverse_path
        mine = own_addresses(run, run.texts(self.addresses) if self.addresses else ())
        named = addressed_to(run.original, mine)
        checked = run.limits.options.vacation_check_recipient
        suppressed = never_answer(run.original, sender, mine) or (
            "" if named or not checked else "not addressed to you"
        )
        subject, reason = self._subject(run), run.text(self.reason)
        seconds = run.limits.vacation_default if self.days is None else max(self.days, 1) * DAY  # RFC 6131 §2: not 0
        effect: Effect = Respond(
            to=str(sender) if sender else "",
            subject=subject,
            reason=reason,
            text=b"" if suppressed else self._compose(run, subject, reason, named or owner(run)),
            key=self._key(run, sender),
            return_path=str(run.envelope.recipient.address) if run.limits.options.vacation_send_from_recipient else "",
            seconds=_clamped(seconds, run.limits),
            suppressed=suppressed,
            line=self.line,
        )
        run.add(self.amended(effect, run))

    def _subject(self, run: Run) -> str:
        """RFC 5230 §5.3."""
        options, original = run.limits.options, run.original.values("Subject")
        if self.subject is not None:
            text = run.text(self.subject)
        elif original:
            text = (options.vacation_subject_template or "Auto: %{subject}").replace("%{subject}", original[0])
        else:
            text = options.vacation_default_subject or "Automated reply"
        line = one_line(text)
        return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1] + "…"

    def _key(self, run: Run, sender: Address | None) -> str:
        """What was answered, to whom: the handle, or the arguments before variables were filled in. RFC 5230 §4.2."""
        if self.handle is not None:
            parts = ["handle", run.text(self.handle)]
        else:
            given = (self.subject, self.from_, self.reason)
            parts = ["text", str(self.mime), *("-" if text is None else f"={text.source}" for text in given)]
        parts.append(str(sender).lower())
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def _compose(self, run: Run, subject: str, reason: str, named: str) -> bytes:
        """The reply but for Date and Message-ID. RFC 5230 §5, RFC 3834 §3.1."""
        sender = run.envelope.sender.reverse_path
        assert sender is not None  # the null reverse-path is never answered
        given = "" if self.from_ is None else run.text(self.from_)
        own = _authors(given)
        if self.from_ is not None and not own:  # §4.3: said, and no reason not to answer
            run.note(f"vacation: invalid address in ':from': {given[:80]!r}, the owner's stands for it")
        return b"".join([
            structured("From", [mailbox(*one) for one in own] if own else [named], ","),
            structured("To", [_answered(run, sender)]),
            field("Subject", subject),
            _thread(run.original),
            b"Auto-Submitted: auto-replied (vacation)\nX-Sieve-Action: vacation\nMIME-Version: 1.0\n",
            _entity(reason) if self.mime else text_part(reason),
        ])  # fmt: skip


@node
class Seconds(Option):
    """:seconds <number> in place of :days, RFC 6131 §2; bounded like it."""

    keyword = "seconds"
    extends = ("vacation",)
    seconds: int

    def amend(self, effect: Effect, run: Run) -> Effect:
        return replace(effect, seconds=_clamped(self.seconds, run.limits)) if isinstance(effect, Respond) else effect


def _authors(text: str) -> tuple[tuple[str, Address], ...] | None:
    """The addresses of `:from`; `None` when one is wrong, or for a text that no header line could hold."""
    return mailboxes(text) if len(text) <= _LINE else None


def _clamped(seconds: int, limits: Limits) -> int:
    """RFC 5230 §4.1, RFC 6131 §2."""
    return max(limits.vacation_minimum, min(seconds, limits.vacation_maximum))


def addressed_to(message: Message, mine: frozenset[str]) -> str:
    """The first of these addresses that the message is addressed to, as it is written there; else empty."""
    for name in RECIPIENT_FIELDS:
        for addresses in message.addresses(name):
            for address in addresses if not isinstance(addresses, str) else ():
                if str(address).lower() in mine:
                    return str(address)
    return ""


def never_answer(message: Message, sender: Address | None, mine: frozenset[str]) -> str:
    """Why nobody would want an answer to this, in words; empty when nothing speaks against it. RFC 5230 §4.6."""
    if sender is None:
        return "the sender is the null reverse-path"
    if str(sender).lower() in mine:
        return "the sender is you"
    if _ROBOT.match(sender.local):
        return "the sender is a robot"
    for name in LIST_FIELDS:
        if message.raw_values(name):
            return f"message is from a mailing list ({name})"
    return _robot_field(message)


def _robot_field(message: Message) -> str:
    """Fields by which programs ask not to be answered. RFC 3834 §5 for Auto-Submitted; the others by custom."""
    for name in ("Auto-Submitted", "X-IgnoreVacation"):
        for value in message.values(name):
            if re.split(r"[;( \t]", value.lower(), maxsplit=1)[0] != "no":
                return f"message was sent by a program ({name}: {value[:80]})"
    for value in message.values("Precedence"):
        if value.lower() in {"junk", "bulk", "list"}:
            return f"message is bulk mail (Precedence: {value})"
    for value in message.values("X-Auto-Response-Suppress"):
        if {word.strip().lower() for word in value.split(",")} & {"all", "oof"}:
            return "the sender asks for no automatic answers (X-Auto-Response-Suppress)"
    return ""


def _answered(run: Run, sender: Address) -> str:
    """Who is answered, with the name that he goes by in the message, or as a site may want it: who wrote."""
    for name in ("Sender", "Resent-From", "From"):
        for raw in run.original.raw_values(name):
            for phrase, address in mailboxes(unfold(raw)) or ():
                wanted = run.limits.options.vacation_to_header_ignore_envelope
                if wanted or str(address).lower() == str(sender).lower():
                    return mailbox(phrase, address)
    return str(sender)


def _thread(message: Message) -> bytes:
    """In-Reply-To and References; nothing when the message has no identifier. RFC 5230 §5.8, RFC 5322 §3.6.4."""
    own = [found for value in message.values("Message-ID") for found in _MESSAGE_ID.findall(value)][:1]
    if not own:
        return b""
    before = [found for value in message.values("References") for found in _MESSAGE_ID.findall(value)]
    if not before:
        parents = [found for value in message.values("In-Reply-To") for found in _MESSAGE_ID.findall(value)]
        before = parents if len(parents) == 1 else []
    if len(before) > _REFERENCES:
        before = [before[0], *before[-_REFERENCES + 1 :]]
    return structured("In-Reply-To", own) + structured("References", [*before, *own])


def _header_of(reason: str) -> str:
    text = reason.replace("\r\n", "\n")
    return "" if text.startswith("\n") else text.partition("\n\n")[0]


def _entity(reason: str) -> bytes:
    """The MIME entity of a `:mime` reason: its MIME fields and its body, nothing that could pose as ours. §4.4."""
    data = reason.replace("\r\n", "\n").replace("\0", "").encode("utf-8", "surrogateescape")
    entity = Message(data)
    kept = [item for item in entity.fields if item.name.lower().startswith("content-") and item.raw.isascii()]
    if not kept and not data.startswith(b"\n"):
        return text_part(reason)
    head = b"".join(item.name.encode() + b":" + item.raw + b"\n" for item in kept)
    body = data[entity.header_end :]
    if not body.isascii() and not entity.raw_values("Content-Transfer-Encoding"):  # RFC 2045 §6.1: else it were 7bit
        head += b"Content-Transfer-Encoding: 8bit\n"
    return head + b"\n" + body + (b"" if body.endswith(b"\n") else b"\n")


EXTENSIONS = (
    Extension("vacation", "RFC 5230", commands=(Vacation,)),
    Extension("vacation-seconds", "RFC 6131", options=(Seconds,), implies=("vacation",)),
)
