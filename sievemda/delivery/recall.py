"""The delivery memory as one job uses it: ask, holding what is asked for, and remember when it is done.

If the memory cannot be read before anything is in place, that is the receipt's business: TemporaryTrouble. Once a
mailbox has the message, a look-up that fails counts as "not done yet", and a record that cannot be written is only
logged: the message is safe, and an error would have the MTA bring another copy.
"""

from __future__ import annotations

import logging
import time

from sievemda.errors import TemporaryTrouble
from sievemda.logs import words
from sievemda.state.holds import Hold
from sievemda.state.memory import Key, Memory, Record

log = logging.getLogger(__name__)


def duplicate_key(whose: str, key: str) -> Key:
    """What the `duplicate` test of these scripts has seen; see `Target.remembers`."""
    return Key("duplicate", key, f".{whose}.sieve.")


class Recall:
    """Used by one thread, while `hold` is held."""

    def __init__(self, memory: Memory, hold: Hold, session: str) -> None:
        self._memory = memory
        self._hold = hold
        self._session = session
        self._now = time.time()
        self._done: list[Record] = []
        self.in_place = False  # whether a mailbox has the message

    def seen(self, key: Key) -> bool:
        """Whether it has been done; nobody else does it from now on. Raises Busy, and TemporaryTrouble as above."""
        self._hold.take(str(key))
        try:
            return self._memory.seen(key, self._now)
        except TemporaryTrouble as e:
            if not self.in_place:
                raise
            self._complain("memory not read, delivered anyway", e)
            return False

    def done(self, key: Key, seconds: int) -> None:
        """To be remembered for so long, at the next `save`."""
        self._done.append(Record(key, int(self._now) + seconds))

    def save(self) -> None:
        """Remember what is done, in one transaction."""
        records, self._done = self._done, []
        if records:
            try:
                self._memory.remember(records, self._now)
            except TemporaryTrouble as e:
                self._complain("memory not written", e)

    def forget(self, key: Key) -> None:
        try:
            self._memory.forget(key)
        except TemporaryTrouble as e:
            self._complain("memory not written", e)

    def _complain(self, event: str, error: TemporaryTrouble) -> None:
        log.error("%s %s", event, words(session=self._session, error=error))
