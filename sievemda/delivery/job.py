"""What belongs to one message for one recipient, and what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sievemda.config import Settings
from sievemda.delivery.content import Content
from sievemda.delivery.lists.catalogue import Lists
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.places import Places
from sievemda.delivery.programs import Programs
from sievemda.delivery.steps import NotDone
from sievemda.delivery.target import Target
from sievemda.mail.envelope import Peer, Sender
from sievemda.sieve.effects import Said
from sievemda.state.memory import Memory
from sievemda.store.mailstore import MailStore


@dataclass(frozen=True, slots=True)
class Parts:
    """What every delivery of this process shares."""

    settings: Settings
    store: MailStore
    memory: Memory
    outbox: Outbox
    places: Places = field(init=False)
    lists: Lists = field(init=False)
    programs: Programs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lists", Lists(self.settings))
        object.__setattr__(self, "programs", Programs(self.settings))
        object.__setattr__(self, "places", Places(self.settings, self.store))


@dataclass(frozen=True, slots=True)
class Job:
    """One message for one recipient."""

    sender: Sender
    peer: Peer
    target: Target
    content: Content
    last: bool  # of the transaction


UNSAID = Said()  # what no script asked for


@dataclass(slots=True)
class Account:
    """What became of a job, for the journal and the log."""

    done: list[dict[str, Any]] = field(default_factory=list)
    not_done: list[NotDone] = field(default_factory=list)
    failure: str = ""  # why the script could not be followed to its end

    def did(self, action: str, said: Said = UNSAID, **details: object) -> None:
        where = {"script": said.script} if said.script else {}
        self.done.append({"action": action, "line": said.line, **details, **where})

    def left(self, action: str, said: Said, why: str) -> None:
        self.not_done.append(NotDone(action, said.line, why, said.script))
