"""What a script can do: a closed sum.

Every action of every extension comes down to these. `delivery.commit` and the printers match them exhaustively, so
a new effect is a design event that the type checker announces. The absence of effects is a discarded message only
when the implicit keep was cancelled.

`message` is set only when a script has edited the message before the action; otherwise the message as it came is meant
(RFC 5293 §4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sievemda.mail.envelope import DeliverBy
from sievemda.mail.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Where a script says so: the line, 0 for the implicit keep, and the script when it is not the user's own."""

    line: int = 0
    script: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooze:
    """When a snoozed message comes back, and how it does then. Snooze draft §3."""

    awakens: datetime
    mailbox: str | None  # where to; None: the INBOX
    mailbox_id: str = ""
    special_use: str = ""
    create: bool = False
    add_flags: tuple[str, ...] = ()
    remove_flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Said):
    """keep (mailbox is None: the place that the address names, else INBOX) or fileinto. RFC 5228 §4.1, §4.3.

    `mailbox_id` and `special_use` name a better place; where there is no such, `mailbox` counts (RFC 9042 §3, RFC 8579
    §4). With `snooze` the message lies in the mailbox for snoozed mail until it awakens.
    """

    mailbox: str | None = None
    mailbox_id: str = ""
    special_use: str = ""
    snooze: Snooze | None = None
    flags: tuple[str, ...] = ()
    create: bool = False
    copy: bool = False
    implicit: bool = False
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Said):
    """redirect. RFC 5228 §4.2; `notify` and `ret` as in RFC 6009 §6, where empty says nothing.

    `return_path` is the envelope sender, "" for nobody; `None` keeps that of the message. `mark` is
    the owner's address, by which he knows the message when it comes back. `suppressed` says why the
    message must not be sent on; it then is kept as without a redirect. To a list, `address` is its name and `members`
    are those who get the message, one or more. RFC 6134 §2.3.
    """

    address: str
    members: tuple[str, ...] = ()
    copy: bool = False
    notify: tuple[str, ...] = ()
    ret: str = ""
    by: DeliverBy | None = None
    return_path: str | None = None
    mark: str = ""
    suppressed: str = ""
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Said):
    """discard. RFC 5228 §4.4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Said):
    """reject (extended=False) or ereject (extended=True). RFC 5429."""

    reason: str
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond(Said):
    """A vacation reply, to be sent when `key` has not been answered within `seconds`. RFC 5230.

    `text` is the complete reply (LF line ends) but for its Date and Message-ID, which whoever sends it adds.
    `suppressed` says why no reply must go out, in words for the user; then `text` is empty.
    `return_path` is the envelope sender, "" for nobody.
    """

    to: str
    subject: str
    reason: str
    text: bytes
    key: str
    seconds: int
    return_path: str = ""
    fcc: Store | None = None
    suppressed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Said):
    """A notification. RFC 5435 §3.

    For a mailto method `text` is the complete mail (LF line ends) but for its Date and Message-ID, and `recipients` who
    gets it, from the envelope sender `return_path`, "" for nobody. For any other method `text` is a mail that holds the
    notification, for the copy to keep (RFC 8580 §4). `identifier` is what an old script calls it. `suppressed` says why
    none must go out.
    """

    method: str  # the URI
    message: str
    sender: str = ""  # `:from` as the script gave it
    importance: int = 2  # 1 high, 2 normal, 3 low
    options: tuple[tuple[str, str], ...] = ()
    text: bytes = b""
    recipients: tuple[str, ...] = ()
    return_path: str = ""
    identifier: str = ""
    fcc: Store | None = None
    suppressed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Said):
    """An abuse report (ARF, RFC 5965) to an address, from nobody.

    It is `head`, the message it is about (the whole, or its header), and `tail`; but for its Date and Message-ID.
    `suppressed` says why none must go out; then there is no text.
    """

    to: str
    feedback_type: str
    reason: str
    head: bytes
    about: Message
    whole: bool = True
    tail: bytes = b""
    suppressed: str = ""

    @property
    def text(self) -> bytes:
        return self.head + (self.about.data[:] if self.whole else self.about.head) + self.tail if self.head else b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe(Said):
    """Hand the message to a program that the administrator has listed. With `optional`, failing is no failure."""

    program: str
    arguments: tuple[str, ...] = ()
    copy: bool = False
    optional: bool = False
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCalendar(Said):
    """processcalendar: what became of it (RFC 9671 §4.7, §4.8), and what is to be written.

    Each object goes where there is one of its UID, else into the calendar.
    """

    outcome: str
    reason: str = ""
    objects: tuple[tuple[str, bytes], ...] = ()  # UID and iCalendar text; empty text removes the object
    calendar: str = ""  # identifier of the calendar for what is new; empty: the default one


Effect = Store | Redirect | Discard | Refuse | Respond | Notify | Report | Pipe | UpdateCalendar


@dataclass(frozen=True, slots=True)
class Remember:
    """To be remembered when the whole script succeeded: `Facts.seen` is then true of it. RFC 7352 §3."""

    key: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Note:
    """A line that a script wrote to its log, or that says what was quietly put right."""

    line: int
    text: str
    script: str = ""
    error: bool = False  # of the script, which goes on all the same
