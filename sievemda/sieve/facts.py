"""The read-only questions that a script may ask of the world around it.

Whoever runs a script answers them, from one view of the world per run. Asking never changes anything: remembering
is an effect, carried out only when the whole script succeeded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


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
