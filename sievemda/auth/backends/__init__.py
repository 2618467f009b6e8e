"""Places where credentials are kept. Each answers for one user; `auth.users` asks them in their order.

A back end says one of three things of a password: right, wrong, or that it has no such user (or cannot tell that from
a wrong password). What it must never do is to guess: one that does not answer, answers nonsense, or has an entry that
cannot be read raises TemporaryTrouble, which a client sees as TRYLATER.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol

from sievemda.auth.client import Client
from sievemda.auth.passwords import Verifier

_NONE: Mapping[str, Verifier] = MappingProxyType({})


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # no such user here, or a back end that does not tell him from a wrong password


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    userid: str = ""  # who he is when that is another name than was asked for; not canonical


@dataclass(frozen=True, slots=True)
class Kept:
    """What a back end keeps of a user that mechanisms want which do not send the password."""

    verifiers: Mapping[str, Verifier] = field(default_factory=lambda: _NONE)  # by the name of the SCRAM mechanism
    plain: str | None = field(default=None, repr=False)  # the password itself
    userid: str = ""  # as in Answer
    mark: str = field(default="", repr=False, compare=False)  # another one when his password is another; see `mark_of`


def mark_of(secret: bytes) -> str:
    """What a session may remember of what is kept of a password: nothing to log in with."""
    return sha256(secret).hexdigest()


class Backend(Protocol):
    """Every method may block for as long as `auth_timeout`, and raises TemporaryTrouble when it cannot answer."""

    @property
    def name(self) -> str:
        """As in the setting auth_backends."""
        ...

    @property
    def looks(self) -> bool:
        """Whether `mechanisms` may have to read a file."""
        ...

    def check(self, userid: str, password: str, client: Client) -> Answer:
        """Whether the password is right. An unknown user costs as much as a known one, where we do the hashing."""
        ...

    def kept(self, userid: str, client: Client) -> Kept | None:
        """What is kept of the user; None when he is not known here, or nothing is ever kept."""
        ...

    def mechanisms(self) -> frozenset[str]:
        """The mechanisms beside PLAIN that every user of this back end can log in by."""
        ...

    def keeps_passwords(self) -> bool:
        """Whether there may be users of whom the password itself is kept."""
        ...

    def sample(self, mechanism: str, number: int) -> Verifier | None:
        """Somebody's verifier, chosen by `number`: those made up for unknown users take its form. None: no such."""
        ...

    def probe(self) -> None:
        """Ask whether it would answer, without a user."""
        ...
