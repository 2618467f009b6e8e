"""CRAM-MD5 (RFC 2195): the password proves itself by a digest over what the server has sent.

For old sites alone: it wants passwords that are kept in plain text, and whoever listens can try out passwords.
"""

from __future__ import annotations

import hmac
import secrets

from sievemda.auth.client import Client
from sievemda.auth.sasl.steps import MAX_NAME, Challenge, Refused, Step, authorised
from sievemda.auth.users import Users


class CramMd5:
    """`host` stands in the challenge."""

    def __init__(self, users: Users, client: Client, host: str) -> None:
        self._users = users
        self._client = client
        self._host = host
        self._challenge = b""

    def step(self, response: bytes | None) -> Step:
        """The server speaks first: a client that does is not understood (RFC 4422 §3)."""
        if not self._challenge:
            if response is not None:
                return Refused("", "malformed")
            self._challenge = f"<{secrets.randbits(64)}.{secrets.randbits(32)}@{self._host}>".encode()
            return Challenge(self._challenge)
        try:
            name, blank, digest = (response or b"").decode().rpartition(" ")
        except UnicodeDecodeError:
            return Refused("", "malformed")
        if not name or not blank or len(name.encode()) > MAX_NAME or "\0" in name or len(digest) != 32:
            return Refused(name[:MAX_NAME], "malformed")
        password = self._users.plain_password(name, self._client)
        known = secrets.token_hex() if password is None else password
        right = hmac.new(known.encode(), self._challenge, "md5").hexdigest()
        if not hmac.compare_digest(right.encode(), digest.lower().encode()) or password is None:
            return Refused(name, "credentials")
        return authorised(self._users, name, self._users.known_as(name, self._client), "")
