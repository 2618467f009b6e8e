"""What a script may ask while it is tried out: as at a delivery, but asking has no effect on anybody.

The time is that of the message's arrival, so that a rule for the evening catches what came in the evening. Nothing has
been seen before: the `duplicate` test is false, and a vacation reply is due. A program of the administrator's is not
run, and counts as one that failed; that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sievemda.delivery.facts import DeliveryFacts, Included
from sievemda.delivery.job import Job, Parts
from sievemda.mail.dates import LocalZone
from sievemda.sieve.facts import Executed
from sievemda.state.memory import Key


class _Fresh:
    """A memory of nothing, which holds up nobody."""

    def seen(self, key: Key) -> bool:  # noqa: ARG002 - whatever it is
        return False


class TryoutFacts(DeliveryFacts):
    """Answers for one message that came at that time, in seconds since 1970."""

    def __init__(self, parts: Parts, job: Job, included: Included, arrived: float) -> None:
        super().__init__(parts, job, _Fresh(), included)
        self._now = datetime.fromtimestamp(arrived, UTC).astimezone(LocalZone())
        self.not_run: set[str] = set()  # names of programs

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:  # noqa: ARG002
        if self._parts.programs.find(kind, program) is None:
            return None
        self.not_run.add(program)
        return Executed(ok=False)
