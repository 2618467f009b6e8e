"""The world around a test file, as far as the language may know it: mailboxes, annotations, and where mail goes.

Why a protocol, and the world itself elsewhere: what a script decided is carried out by the code that delivers, into a
store of its own kind; the language is below both. Whoever runs test files hands in a world that is made of them, and it
is only made when a file first needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sievemda.mail.envelope import Envelope
from sievemda.mail.message import Message
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.facts import Executed
from sievemda.sieve.testing.site import Programs


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be carried out, on which message. `fallback` is the keep that is due when a `:try` comes to nothing.

    `clock`: the time that mails of ours bear; `None` is that of the machine.
    """

    message: Message
    envelope: Envelope
    effects: tuple[Effect, ...]
    fallback: Store
    programs: Mapping[str, Programs]
    clock: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a mailbox."""

    data: bytes
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was sent to one recipient; `sender` is empty for the null reverse-path."""

    sender: str
    recipient: str
    data: bytes


class NoMailbox(Exception):
    """There is no mailbox of that name."""


class World(Protocol):
    """One user and his mail. Names of mailboxes are as he writes them in a script."""

    @property
    def sent(self) -> Sequence[Letter]:
        """What was sent since it was last forgotten, in order."""
        ...

    def forget_sent(self) -> None:
        """Begin a new list of what was sent."""
        ...

    def mailbox_exists(self, name: str) -> bool:
        """Whether there is one."""
        ...

    def create_mailbox(self, name: str) -> None:
        """Make one; one that is there, or cannot be, is left as it is."""
        ...

    def delete_mailbox(self, name: str) -> None:
        """Remove it with its messages. Raises NoMailbox."""
        ...

    def stored(self, mailbox: str, index: int) -> Stored | None:
        """A message by the order of arrival, from 0; `None` when there are fewer. Raises NoMailbox."""
        ...

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        """An annotation of a mailbox, for `None` of the server."""
        ...

    def annotate(self, mailbox: str | None, entry: str, value: str) -> None:
        """Set one. Raises NoMailbox."""
        ...

    def execute(
        self,
        envelope: Envelope,
        programs: Mapping[str, Programs],
        kind: str,
        program: str,
        arguments: Sequence[str],
        data: bytes,
    ) -> Executed | None:
        """Run a program that is there for that kind of use; `None`: it is not."""
        ...

    def carry_out(self, due: Due) -> str:
        """All of it, and an empty text; or nothing but a keep of the message as it came, and why."""
        ...

    def close(self) -> None:
        """Give up what was only made for this file."""
        ...


MakeWorld = Callable[[], World]
