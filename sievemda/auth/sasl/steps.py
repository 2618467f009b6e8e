"""What an exchange is made of, whatever the mechanism.

A mechanism is stepped with each response of the client; the first step gets None when there was no initial response.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sievemda.auth.users import Users

MAX_NAME = 1024  # octets of a name before SASLprep; what may stay of it is less
MAX_PASSWORD = 1024  # octets


@dataclass(frozen=True, slots=True)
class Challenge:
    """`verdict` is how it will end, whatever the client says to this, or that he says nothing more."""

    data: bytes
    verdict: Refused | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """`user` has proved who he is, and may act as `owner`."""

    user: str
    owner: str


@dataclass(frozen=True, slots=True)
class Refused:
    """`user` as the client spelled it, for the log.

    `reason` is one word: malformed, credentials, token, ticket, realm, binding (of the channel), authzid.
    """

    user: str
    reason: str


Step = Challenge | Accepted | Refused


class Mechanism(Protocol):
    """One exchange."""

    def step(self, response: bytes | None) -> Step:
        """Raises TemporaryTrouble when the credentials cannot be read."""
        ...


def authorised(users: Users, name: str, user: str, authzid: str) -> Step:
    """`name` was recognised as `user`; whether he may act as `authzid`, or as himself when that is empty."""
    owner = users.authorise(user, authzid) if user else None
    return Refused(name, "authzid") if not owner else Accepted(user, owner)
