"""Hands the message to the programs that `pipe` names: once the copies are safe, before anything leaves the house.

A program that has had the message is remembered when it has ended well, as a redirect is: what the MTA brings again is
not handed over again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sievemda.delivery.job import Account, Job, Parts
from sievemda.delivery.programs import about
from sievemda.delivery.recall import Recall
from sievemda.delivery.steps import Feed, Step, where
from sievemda.state.memory import Key

_DAY = 86_400


class Feeding:
    """For one job. `taken` says whether a program is responsible for the message now."""

    def __init__(self, parts: Parts, job: Job, recall: Recall, account: Account) -> None:
        self._parts = parts
        self._job = job
        self._recall = recall
        self._account = account
        self.taken = False

    def is_due(self, step: Feed) -> bool:
        """Whether the program has not had it yet; asked before anything is done."""
        if not self._recall.seen(self._key(step)):
            return True
        self._account.left("pipe", step, f"{step.pipe.program} has had it already")
        self.taken = self.taken or not step.pipe.copy
        return False

    def feed_all(self, steps: Sequence[Step]) -> bool:
        """False when a program fails that was not only tried: the script has failed, and no more are run."""
        return all(self._feed(step) for step in steps if isinstance(step, Feed))

    def _feed(self, step: Feed) -> bool:
        pipe = step.pipe
        environment = about(self._job.sender, self._job.target, self._parts.store.home)
        result = self._parts.programs.run("pipe", pipe.program, pipe.arguments, bytes(step.message.data), environment)
        if result is not None and result.ok:
            self.taken = self.taken or not pipe.copy
            self._recall.done(self._key(step), self._parts.settings.delivery.memory_days * _DAY)
            self._recall.save()
            self._account.did("pipe", step, program=pipe.program, arguments=list(pipe.arguments))
            return True
        why = "there is no such program" if result is None else "it did not succeed"
        self._account.left("pipe", step, f"failed to pipe to the program '{pipe.program}': {why}")
        if not pipe.optional:
            self._account.failure = f"{where(step)}failed to pipe to the program '{pipe.program}': {why}"
        return pipe.optional

    def _key(self, step: Feed) -> Key:
        called = "\0".join((step.pipe.program, *step.pipe.arguments)).encode("utf-8", "surrogateescape")
        content = self._job.content
        place = f".{self._job.target.recipient.address}.pipe."
        return Key("redirect", f"{content.message_id}-{hashlib.sha256(called).hexdigest()}", place, content.date)
