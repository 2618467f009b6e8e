"""saslauthd, which asks PAM, LDAP, Kerberos, an IMAP server: whatever the site has told it.

Its protocol: login, password, service and realm, each behind its length in two octets; an answer behind its length in
two octets, that begins with OK or NO. What follows the NO tells sometimes why; most of its mechanisms say nothing that
tells an unknown user from a wrong password.
"""

from __future__ import annotations

import struct
from pathlib import Path

from sievemda.auth.backends import Answer, Verdict
from sievemda.auth.backends.asking import Conversation, Gate, asked_name
from sievemda.auth.backends.passwordless import Passwordless
from sievemda.auth.client import Client
from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble

_MOST = 255  # octets of a field; from more it turns away without an answer
_WRONG = (b"Incorrect password", b"Account expired", b"Password expired", b"PAM acct error")
_TROUBLE = (b"[ALERT]", b"internal", b"lookup failure", b"PAM start error", b"Insufficient permission")


class Saslauthd(Passwordless):
    name = "saslauthd"

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._gate = Gate(f"{path}", float(settings.auth.auth_timeout))

    def check(self, userid: str, password: str, client: Client) -> Answer:
        login, _, realm = asked_name(userid, self._settings).partition("@")
        try:
            fields = [text.encode() for text in (login, password, client.service, realm)]
        except UnicodeEncodeError:
            return Answer(Verdict.UNKNOWN)
        if not (userid and password) or any(len(field) > _MOST or b"\0" in field for field in fields):
            return Answer(Verdict.UNKNOWN)
        return self._verdict(self._asked(fields))

    def probe(self) -> None:
        """Nothing is asked: a question without a user would be logged as a failure by many mechanisms."""
        with self._gate.question() as until, Conversation(self._path, until):
            return

    def _asked(self, fields: list[bytes]) -> bytes:
        with self._gate.question() as until, Conversation(self._path, until) as conversation:
            conversation.send(b"".join(struct.pack(">H", len(field)) + field for field in fields))
            (count,) = struct.unpack(">H", conversation.octets(2))
            return conversation.octets(count)

    def _verdict(self, answer: bytes) -> Answer:
        if answer[:2] == b"OK" and answer[2:3] in b" ":
            return Answer(Verdict.RIGHT)
        if answer[:2] != b"NO" or answer[2:3] not in b" " or any(word in answer for word in _TROUBLE):
            raise TemporaryTrouble(f"{self._path}: it says {answer[:100]!r}")
        return Answer(Verdict.WRONG if any(word in answer for word in _WRONG) else Verdict.UNKNOWN)
