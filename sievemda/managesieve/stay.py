"""Whether somebody who is in may stay: what was looked at when he logged in is looked at before each command.

The user whose scripts they are may be renamed, deleted, moved to another host or shut out at any time. The session is
told so and ends, whoever works in it; who logs in again learns what holds now. RFC 5804 §1.2 (BYE).

Why the id of his INBOX: it goes with him when he is renamed or moved to another partition, and whoever is made under
his name afterwards has another one, and scripts of his own. Why files alone, and no SQL: it is a few `lstat` for each
command, of what the command looks at in any case.

The password of who has logged in, himself or an administrator, may be changed or taken away: because somebody else
knows it, who must not go on. Where it is kept here (ours, passwd-file) that is looked at some seconds after the last
look, not for each command, for it may be a question to a database. One that does not answer ends no session.
"""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from sievemda.errors import TemporaryTrouble
from sievemda.managesieve.reply import Reply

if TYPE_CHECKING:
    from sievemda.auth.client import Client
    from sievemda.managesieve.service import Service

_GONE = Reply("BYE", "there is no mailbox for this user any more")
_DENIED = Reply("BYE", "this user is not allowed in now")
_CHANGED = Reply("BYE", "your password has been changed; log in again")
_PAUSE = 5.0  # seconds between two looks at the password
_PAUSE_IN_TROUBLE = 60.0  # the same while a database does not answer, for each look may have to wait


class Stay:
    """Of `user`, with the scripts of `owner`, whose INBOX had this id when he came; none for what has no INBOX."""

    def __init__(self, service: Service, owner: str, inbox: str, user: str, client: Client) -> None:
        self.service = service
        self.owner = owner
        self.inbox = inbox
        self._user = user
        self._client = client
        self._next_look = monotonic() + _PAUSE
        self._mark = ""
        with suppress(TemporaryTrouble):  # he is in by other means
            self._mark = service.users.mark(user, client)

    def over(self) -> Reply | None:
        """What he is told when he may stay no longer. StoreTrouble, TemporaryTrouble when that cannot be told now."""
        if elsewhere := self.service.departed(self.owner):
            return elsewhere
        if self.service.inbox_of(self.owner) != self.inbox:
            return _GONE
        if self.service.is_denied(self.owner):
            return _DENIED
        return _CHANGED if self._changed() else None

    def _changed(self) -> bool:
        if not self._mark or monotonic() < self._next_look:
            return False
        try:
            if self.service.users.mark(self._user, self._client) != self._mark:
                return True  # and whoever asks again is told the same
            self._next_look = monotonic() + _PAUSE
        except TemporaryTrouble:
            self._next_look = monotonic() + _PAUSE_IN_TROUBLE
        return False
