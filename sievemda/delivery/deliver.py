"""One message, all its recipients, one receipt each: the whole flow.

    verify    at RCPT: address -> Target, or why not                                     resolve
    intake    blocks of DATA -> Content in its stored form                               content
    deliver   for each target in order: script -> Outcome -> plan -> commit -> Receipt   facts, plan, commit

Everything here may be called from any thread. `deliver` is total: whatever happens to one recipient becomes that
recipient's receipt, is logged with its traceback and the session, and never touches the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.config import Settings
from sievemda.delivery.content import Content, Intake
from sievemda.delivery.resolve import Target
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt
from sievemda.store.mailstore import MailStore


class Deliverer:
    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._store = store

    def verify(self, sender: Sender, recipient: Recipient, peer: Peer) -> Target | Receipt:
        """At RCPT: who that is, or the receipt with which to refuse. Never raises."""

    def intake(self, sender: Sender, peer: Peer, targets: Sequence[Target]) -> Intake:
        """Where the blocks of DATA go: dot-unstuffed, divided anywhere. There must be a target."""
        return Intake(self._settings, self._store, sender, peer, targets[0].partition)

    def deliver(self, sender: Sender, peer: Peer, targets: Sequence[Target], content: Content) -> list[Receipt]:
        """One receipt per target, in order, and the content closed. Never raises."""
