"""EXTERNAL (RFC 4422, appendix A): who the client is has been shown already, by the connection.

By a certificate in TLS, or at a UNIX socket by the kernel, which says whose process the other end is.
"""

from __future__ import annotations

from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users


class External:
    def __init__(self, users: Users, name: str) -> None:
        self._users = users
        self._name = name

    def step(self, response: bytes | None) -> Step:
        """The response is the authorization identity, empty for the user himself."""
        if response is None:
            return Challenge(b"")
        try:
            authzid = response.decode()
        except UnicodeDecodeError:
            return Refused(self._name, "malformed")
        if "\0" in authzid or len(response) > MAX_NAME:
            return Refused(self._name, "malformed")
        return authorised(self._users, self._name, self._users.authorise(self._name, "") or "", authzid)
