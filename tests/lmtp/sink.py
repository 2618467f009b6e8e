"""A delivery for tests of the protocol: the local part of a recipient says what becomes of it."""

import threading
from dataclasses import dataclass, field

from sievemda.mail.result import Receipt, Result

AT_RCPT = {
    "nobody": Receipt(Result.NO_SUCH_USER),
    "hidden": Receipt(Result.NO_SUCH_MAILBOX),
    "board": Receipt(Result.NOT_PERMITTED),
    "full": Receipt(Result.OVER_QUOTA),
    "": Receipt(Result.NO_SUCH_USER),
}
AT_DATA = {
    "rejecting": Receipt(Result.REJECTED, "No, thank you.\nNot today."),
    "unicode": Receipt(Result.REJECTED, "Nein, möchte ich nicht"),
    "late": Receipt(Result.OVER_QUOTA),
    "trouble": Receipt(Result.TROUBLE),
}


@dataclass
class Target:
    local: str


@dataclass
class Content:
    data: bytes
    message_id: str = "<id@test>"


@dataclass
class Sink:
    """`deliveries` has (sender, peer, local parts, message). `gate`, when cleared, holds deliveries up."""

    deliveries: list = field(default_factory=list)
    verified: list = field(default_factory=list)
    intakes: list = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    fail_feed: Exception | None = None
    keep: bool = True

    def __post_init__(self):
        self.gate.set()

    def verify(self, sender, recipient, peer):
        local = recipient.address.local
        self.verified.append((threading.get_ident(), sender, recipient, peer))
        if local == "verify-bug":
            raise RuntimeError("/secret/path")
        return AT_RCPT.get(local) or Target(local)

    def intake(self, sender, peer, targets):
        intake = Intake(self)
        self.intakes.append(intake)
        return intake

    def deliver(self, sender, peer, targets, content, refused):
        self.entered.set()
        self.gate.wait(60)
        names = [t.local for t in targets]
        self.deliveries.append((sender, peer, names, content.data))
        if "bug" in names:
            raise RuntimeError("/secret/path")
        if "short" in names:
            return [Receipt(Result.DELIVERED)]
        return [AT_DATA.get(name) or Receipt(Result.DELIVERED, journal_id="j1") for name in names]


class Intake:
    def __init__(self, sink):
        self.sink = sink
        self.blocks = []
        self.size = 0
        self.largest = 0
        self.aborted = False

    def feed(self, block):
        if self.sink.fail_feed:
            raise self.sink.fail_feed
        self.size += len(block)
        self.largest = max(self.largest, len(block))
        if self.sink.keep:
            self.blocks.append(block)

    def finish(self):
        return Content(b"".join(self.blocks))

    def abort(self):
        self.aborted = True
