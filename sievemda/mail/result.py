"""What became of one recipient, as a value.

`Result` is the closed list of outcomes; `Receipt` adds what only this delivery knows. `lmtp.replies` turns a
receipt into the reply of the protocol, `cli.deliver` into an exit code: nobody else writes reply codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Result(Enum):
    ACCEPTED = auto()  # at RCPT: this recipient will be tried
    DELIVERED = auto()  # stored, filed, redirected, discarded, or a suppressed duplicate
    NO_SUCH_USER = auto()
    NO_SUCH_MAILBOX = auto()  # also a shared folder whose existence the poster may not know
    NOT_PERMITTED = auto()  # the poster may see the shared folder, but not post
    OVER_QUOTA = auto()
    OVER_QUOTA_PERMANENT = auto()
    USER_DENIED = auto()
    MAILBOX_BROKEN = auto()  # exists, and cannot take mail now (wrong type, damaged)
    REJECTED = auto()  # by the owner's script; `reason` is the text
    LOOP = auto()
    CONTENT_REFUSED = auto()  # NUL, malformed or 8-bit header, empty Message-ID; `reason` says which
    TOO_LARGE = auto()
    BAD_ADDRESS = auto()
    DISK_FULL = auto()
    SPOOL_FULL = auto()
    SPOOL_TROUBLE = auto()
    MEMORY_TROUBLE = auto()  # the delivery memory cannot be read and nothing is in place yet
    BUSY = auto()  # somebody else is delivering this very message, or too many at once
    TROUBLE = auto()  # anything unforeseen: temporary, always


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome for one recipient. `reason` may be shown to the peer only for REJECTED and CONTENT_REFUSED."""

    result: Result
    reason: str = ""
    journal_id: str = ""
