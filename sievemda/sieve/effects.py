"""What a script can do: a closed sum.

Every action of every extension comes down to these. `delivery.commit` and the printers match them exhaustively, so
a new effect is a design event that the type checker announces. The absence of effects is a discarded message only
when the implicit keep was cancelled.

`line` is the line of the action in the script, 0 for the implicit keep. `message` is set only when a script has
edited the message before the action; otherwise the message as it came is meant (RFC 5293 §4).
"""

from __future__ import annotations

from dataclasses import dataclass

from sievemda.mail.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """keep (mailbox is None: the place that the address names, else INBOX) or fileinto. RFC 5228 §4.1, §4.3."""

    mailbox: str | None = None
    flags: tuple[str, ...] = ()
    create: bool = False
    copy: bool = False
    implicit: bool = False
    line: int = 0
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    address: str
    copy: bool = False
    line: int = 0
    message: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """reject (extended=False) or ereject (extended=True). RFC 5429."""

    reason: str
    extended: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """A vacation reply, to be sent when `key` has not been answered within `seconds`. RFC 5230.

    `text` is the complete reply (LF line ends) but for its Date and Message-ID, which whoever sends it adds.
    `suppressed` says why no reply must go out, in words for the user; then `text` is empty.
    """

    to: str
    subject: str
    reason: str
    text: bytes
    key: str
    seconds: int
    fcc: Store | None = None
    suppressed: str = ""
    line: int = 0


Effect = Store | Redirect | Discard | Refuse | Respond
