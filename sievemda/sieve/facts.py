"""The read-only questions that a script may ask of the world around it.

Whoever runs a script answers them, from one view of the world per run. Asking never changes anything: remembering
is part of the outcome, carried out only when the whole script succeeded. (The one exception is a program that the
administrator has listed: it runs when it is asked.)

`Unknown` is the world of which nothing is known. Whoever answers starts from it, so that a new question is answered
everywhere at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from sievemda.sieve.listnames import DEFAULT_BOOK

if TYPE_CHECKING:
    from sievemda.sieve.program import Program


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a program that was run: whether it succeeded, and what it wrote."""

    ok: bool
    output: bytes = b""


class Facts(Protocol):
    def now(self) -> datetime:
        """The time of this delivery, with its zone; the same at every call of one run."""
        ...

    def mailbox_exists(self, name: str) -> bool:
        """Whether the owner may deliver into the mailbox of that name (RFC 5490 §3.1)."""
        ...

    def own_addresses(self) -> frozenset[str]:
        """Addresses, lower case, that are known to be the owner's beside the envelope recipient (RFC 5230 §4.5)."""
        ...

    def mailbox_with_id(self, mailbox_id: str) -> bool:
        """Whether there is a mailbox of that identifier into which the owner may deliver (RFC 9042 §4)."""
        ...

    def special_use_exists(self, mailbox: str | None, uses: Sequence[str]) -> bool:
        """Whether each use is that of the named mailbox, or for `None` of one of the owner's own (RFC 8579 §3)."""
        ...

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        """The value of an annotation of a mailbox, for `None` of the server; `None` when it has none (RFC 5490)."""
        ...

    def environment(self, item: str) -> str | None:
        """An item of the environment, its name in lower case; `None` when it is not known (RFC 5183 §4)."""
        ...

    def seen(self, key: str) -> bool:
        """Whether the owner's delivery memory holds this key (RFC 7352 §3)."""
        ...

    def included(self, location: str, name: str) -> Program | None:
        """The script to include; `location` is "personal" or "global". `None`: there is none. Raises `ScriptError`."""
        ...

    def has_list(self, name: str) -> bool:
        """Whether there is an external list of that name, in its normal form, that the owner may use. RFC 6134 §2.5."""
        ...

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        """The member of the list, as it stands there, that the first value in the list matched (RFC 6134 §2.2).

        Raises `RunError` when that cannot be found out.
        """
        ...

    def list_members(self, name: str, most: int) -> Sequence[str]:
        """The members of a list; more than `most`, or a list that cannot be enumerated, is a `RunError`."""
        ...

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:
        """Run a program of the administrator's list for `kind` ("filter", "execute", "convert"); `None`: not listed.

        For "convert" the program has the name of the two media types, with a dash for each slash, in lower case
        (`image-tiff-to-image-jpeg`), and the transcoding parameters of RFC 6558 §3 as arguments (`pix-x=320`).
        """
        ...

    def calendar(self, uid: str) -> bytes | None:
        """The owner's calendar object of that UID, as iCalendar text (RFC 9671)."""
        ...

    def has_calendar(self, identifier: str) -> bool:
        """Whether the owner has a calendar of that identifier; empty is the default one (RFC 9671 §4.4)."""
        ...


# What is known of the IMAP event that has a script run when none has. RFC 6785 §4.2, §4.5.
NO_EVENT = {"imap.user": "", "imap.email": "", "imap.changedflags": ""}


class Unknown:
    """Answers every question of `Facts` as if nothing were there."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def mailbox_exists(self, name: str) -> bool:
        return name.upper() == "INBOX"

    def own_addresses(self) -> frozenset[str]:
        return frozenset()

    def mailbox_with_id(self, mailbox_id: str) -> bool:
        return False

    def special_use_exists(self, mailbox: str | None, uses: Sequence[str]) -> bool:
        return False

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        return None

    def environment(self, item: str) -> str | None:
        return NO_EVENT.get(item)

    def seen(self, key: str) -> bool:
        return False

    def included(self, location: str, name: str) -> Program | None:
        return None

    def has_list(self, name: str) -> bool:
        return name == DEFAULT_BOOK  # which must always be there, RFC 6134 §2.5

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        return None

    def list_members(self, name: str, most: int) -> Sequence[str]:
        return ()

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:
        return None

    def calendar(self, uid: str) -> bytes | None:
        return None

    def has_calendar(self, identifier: str) -> bool:
        return False
