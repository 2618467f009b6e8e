"""Whether somebody who is in may stay: what was looked at when he logged in is looked at before each command.

The user whose scripts they are may be renamed, deleted, moved to another host or shut out at any time. The session is
told so and ends, whoever works in it; who logs in again learns what holds now. RFC 5804 §1.2 (BYE).

Why the id of his INBOX: it goes with him when he is renamed or moved to another partition, and whoever is made under
his name afterwards has another one, and scripts of his own. Why files alone, and no SQL: it is a few `lstat` for each
command, of what the command looks at in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.managesieve.reply import Reply

if TYPE_CHECKING:
    from sievemda.managesieve.service import Service

_GONE = Reply("BYE", "there is no mailbox for this user any more")
_DENIED = Reply("BYE", "this user is not allowed in now")


@dataclass(frozen=True, slots=True)
class Stay:
    """With the scripts of `owner`, whose INBOX had this id when he came; none for scripts that have no INBOX."""

    service: Service
    owner: str
    inbox: str

    def over(self) -> Reply | None:
        """What he is told when he may stay no longer. StoreTrouble, TemporaryTrouble when that cannot be told now."""
        if elsewhere := self.service.departed(self.owner):
            return elsewhere
        if self.service.inbox_of(self.owner) != self.inbox:
            return _GONE
        return _DENIED if self.service.is_denied(self.owner) else None
