"""Dovecot's auth service, at a socket that is called auth-client: what its passdbs say, we say.

The protocol is Dovecot's "Authentication Protocol", version 1: lines of fields with tabs between them. Both sides name
their version and the client a number of its own; the server ends its part with DONE. `AUTH ID PLAIN` then carries the
SASL response, and is answered by OK or FAIL with that ID.

Why a number by chance in CPID and not our process: Dovecot takes one connection for each number, and every question of
ours is a connection. Why `no-penalty`: our guard slows down guessing, and all users of a host would share the pauses.
"""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from sievemda.auth.backends import Answer, Verdict
from sievemda.auth.backends.asking import Conversation, Gate, asked_name
from sievemda.auth.backends.passwordless import Passwordless
from sievemda.auth.client import Client
from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble

_MOST = 8192  # octets of a line
_MOST_LINES = 200
_MOST_FIELD = 1024  # octets of a name or password
_SHUT = frozenset({b"user_disabled", b"pass_expired"})  # of somebody whose password is right
_ESCAPES = {b"0": b"\0", b"1": b"\1", b"t": b"\t", b"n": b"\n", b"l": b"\n", b"r": b"\r"}


class Dovecot(Passwordless):
    name = "dovecot"

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._gate = Gate(f"{path}", float(settings.auth.auth_timeout))

    def check(self, userid: str, password: str, client: Client) -> Answer:
        try:
            fields = [asked_name(userid, self._settings).encode(), password.encode()]
        except UnicodeEncodeError:
            return Answer(Verdict.UNKNOWN)
        if not (userid and password) or any(len(field) > _MOST_FIELD or b"\0" in field for field in fields):
            return Answer(Verdict.UNKNOWN)
        with self._gate.question() as until, Conversation(self._path, until) as conversation:
            self._greet(conversation)
            conversation.send(_question(fields, client))
            return self._answer(conversation)

    def probe(self) -> None:
        with self._gate.question() as until, Conversation(self._path, until) as conversation:
            self._greet(conversation)

    def _greet(self, conversation: Conversation) -> None:
        conversation.send(f"VERSION\t1\t1\nCPID\t{secrets.randbelow(1 << 31) or 1}\n".encode())
        plain = version = False
        for _ in range(_MOST_LINES):
            command, *words = conversation.line(_MOST).split(b"\t")
            if command == b"VERSION":
                version = words[:1] == [b"1"]
            elif command == b"MECH":
                plain |= words[:1] == [b"PLAIN"]
            elif command == b"DONE" and version:
                if not plain:
                    raise TemporaryTrouble(f"{self._path}: PLAIN is not among its auth_mechanisms")
                return
            elif not version:
                break
        raise TemporaryTrouble(f"{self._path}: it does not speak version 1 of Dovecot's protocol")

    def _answer(self, conversation: Conversation) -> Answer:
        for _ in range(_MOST_LINES):
            command, *words = conversation.line(_MOST).split(b"\t")
            if words[:1] != [b"1"] or command not in {b"OK", b"FAIL", b"CONT"}:
                continue  # of the server as a whole: a new key, say
            found = {key: _unescaped(value) for key, _, value in (word.partition(b"=") for word in words[1:])}
            if command == b"OK":
                shut = b"nologin" in found
                return Answer(
                    Verdict.WRONG if shut else Verdict.RIGHT, found.get(b"user", b"").decode(errors="replace")
                )
            if command == b"FAIL" and b"temp" not in found and found.get(b"code") != b"temp_fail":
                shut = not _SHUT.isdisjoint({*found, found.get(b"code")})
                return Answer(Verdict.WRONG if shut else Verdict.UNKNOWN)
            break
        raise TemporaryTrouble(f"{self._path}: it cannot tell now")


def _question(fields: list[bytes], client: Client) -> bytes:
    response = base64.b64encode(b"\0" + b"\0".join(fields))
    words = [b"AUTH", b"1", b"PLAIN", b"service=" + _escaped(client.service), b"secured", b"no-penalty"]
    if client.address:
        words.append(b"rip=" + _escaped(client.address))
    return b"\t".join([*words, b"resp=" + response]) + b"\n"


def _escaped(text: str) -> bytes:
    octets = text.encode(errors="replace")
    for letter, octet in sorted(_ESCAPES.items(), key=lambda item: item[1] != b"\1"):
        octets = octets.replace(octet, b"\1" + letter)
    return octets


def _unescaped(octets: bytes) -> bytes:
    first, *parts = octets.split(b"\1")
    return first + b"".join(_ESCAPES.get(part[:1], part[:1]) + part[1:] for part in parts)
