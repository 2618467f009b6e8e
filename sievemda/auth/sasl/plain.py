"""PLAIN (RFC 4616) and LOGIN, which send the password: for connections that nobody listens to."""

from __future__ import annotations

from sievemda.auth.client import Client
from sievemda.auth.sasl.steps import MAX_NAME, MAX_PASSWORD, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users


class Plain:
    def __init__(self, users: Users, client: Client) -> None:
        self._users = users
        self._client = client

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"")
        try:
            authzid, name, password = response.decode().split("\0")
        except ValueError:  # not UTF-8, or not three parts
            return Refused("", "malformed")
        return _checked(self._users, self._client, name, password, authzid)


class Login:
    """No standard, but some old clients know nothing else; draft-murchison-sasl-login.

    The name is asked for first, and nothing is said of it before the password has come. An initial response is the
    name.
    """

    def __init__(self, users: Users, client: Client) -> None:
        self._users = users
        self._client = client
        self._name: bytes | None = None

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"Username:")
        if self._name is None:
            self._name = response
            return Challenge(b"Password:")
        try:
            name, password = self._name.decode(), response.decode()
        except UnicodeDecodeError:
            return Refused("", "malformed")
        if "\0" in name + password:
            return Refused("", "malformed")
        return _checked(self._users, self._client, name, password, "")


def _checked(users: Users, client: Client, name: str, password: str, authzid: str) -> Step:
    too_long = max(len(name.encode()), len(authzid.encode())) > MAX_NAME or len(password.encode()) > MAX_PASSWORD
    if not name or not password or too_long:
        return Refused(name, "malformed")
    user = users.check_password(name, password, client)
    return Refused(name, "credentials") if user is None else authorised(users, name, user, authzid)
