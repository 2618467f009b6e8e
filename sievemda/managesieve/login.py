"""The AUTHENTICATE command: SASL over ManageSieve lines. RFC 5804 §2.1.

One `Exchange` is one AUTHENTICATE, from the mechanism's name to accepted or refused.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass

from sievemda.auth.client import Client
from sievemda.auth.guard import Attempt, word
from sievemda.auth.sasl.offer import SERVER_FIRST, Hindrance, may_transit, mechanisms
from sievemda.auth.sasl.steps import Challenge, Mechanism, Refused
from sievemda.managesieve.reply import Reply
from sievemda.managesieve.service import Service
from sievemda.managesieve.stay import Stay

_log = logging.getLogger("sievemda.managesieve")

MAX_FAILURES = 10  # wrong credentials in one session, then BYE
_LOCKED_OUT = "too many failed logins from your address; try again later"


@dataclass(frozen=True, slots=True)
class Next:
    """`reply` is None while the client is to respond to `challenge`; `stay` is set when he is in."""

    challenge: bytes = b""
    reply: Reply | None = None
    stay: Stay | None = None
    user: str = ""  # who has logged in, for himself or for the owner
    delay: float = 0.0  # seconds to wait before answering


class Login:
    """The authentications of one session, and what is remembered of them: how many failed."""

    def __init__(self, service: Service, client: Client) -> None:
        self._service = service
        self.client = client
        self.failures = 0
        self._exchange: Mechanism | None = None
        self._name = ""
        self._verdict: Refused | None = None

    @property
    def under_way(self) -> bool:
        """Whether the next line is a response, not a command."""
        return self._exchange is not None

    @property
    def has_tls(self) -> bool:
        """At a UNIX socket there is nobody to hide from."""
        return self._service.tls and not self.client.socket_user

    @property
    def refused(self) -> bool:
        """Whether it is so already that it will be, whatever the client says."""
        return self._exchange is not None and self._verdict is not None

    def offered(self) -> list[str]:
        """Names of the mechanisms that can be used now, the strongest first, but PLAIN before all others.

        Why PLAIN: Net::ManageSieve takes the first name or none. To all others their order says nothing (RFC 5804
        §1.7), and PLAIN is offered only where nobody listens.
        """
        names = mechanisms(self._service.users, self.client, self._service.settings).names()
        return sorted(names, key=lambda name: name != "PLAIN")

    def begin(self, mechanism: bytes, initial: bytes | None) -> Next:
        """AUTHENTICATE. `initial` is the initial response in base64; an empty one may be `=`, as in SMTP and IMAP."""
        name = mechanism.decode("ascii", errors="replace").upper()
        offer = mechanisms(self._service.users, self.client, self._service.settings)
        start = offer.ready.get(name)
        if start is None:
            return Next(reply=self._hindered(offer.hindrance(name)))
        if initial is not None and name in SERVER_FIRST:
            return Next(reply=Reply("NO", "this mechanism takes no initial response"))
        self._exchange, self._name, self._verdict = start(), name, None
        return self._step(None) if initial is None else self.respond(b"" if initial == b"=" else initial)

    def _hindered(self, why: Hindrance) -> Reply:
        """RFC 5804 §1.3."""
        if why == "weak":
            return Reply("NO", "this site does not allow this mechanism", "AUTH-TOO-WEAK")
        if why == "encryption":
            how = "use STARTTLS first" if self.has_tls else "there is no TLS here"
            return Reply("NO", f"this mechanism is for encrypted connections only: {how}", "ENCRYPT-NEEDED")
        return Reply("NO", "this mechanism is not supported")

    def respond(self, response: bytes) -> Next:
        """A response in base64, or `*` to cancel."""
        if response == b"*":
            return self.abandon("authentication cancelled")
        try:
            return self._step(base64.b64decode(response, validate=True))
        except binascii.Error:
            return self.abandon("the response is not base64")

    def abandon(self, text: str) -> Next:
        """End the exchange; the client can try again. A verdict that stood already is one all the same."""
        self._exchange, verdict = None, self._verdict
        if verdict is None:
            return Next(reply=Reply("NO", text))
        attempt = self._service.guard.attempt("managesieve", self.client.address)
        return self._refused(attempt, verdict.user, verdict.reason, text)

    def _step(self, response: bytes | None) -> Next:
        if self._exchange is None:
            raise ValueError("there is no exchange")
        attempt = self._service.guard.attempt("managesieve", self.client.address)
        if attempt.locked:
            self._exchange = None
            return self._refused(attempt, "", "locked", _LOCKED_OUT)
        try:
            step = self._exchange.step(response)
        except BaseException:
            self._exchange = None
            raise
        if isinstance(step, Challenge):
            self._verdict = step.verdict
            return Next(challenge=base64.b64encode(step.data))
        self._exchange = None
        if isinstance(step, Refused):
            code = "TRANSITION-NEEDED" if may_transit(self._name, step, self._service.settings) else ""
            return self._refused(attempt, step.user, step.reason, "authentication failed", response or b"", code)
        attempt.succeeded(step.user)
        owner = self._service.owner_for(step.user, step.owner)
        if elsewhere := self._service.referred(owner):
            _log.info(
                "managesieve: referred: user=%s rhost=%s: %s",
                word(step.user),
                word(self.client.address),
                elsewhere.text,
            )
            return Next(reply=elsewhere)
        inbox = self._service.inbox_of(owner)
        if inbox is None:
            return self._refused(attempt, step.user, "mailbox", "there is no mailbox for this user")
        if self._service.is_denied(owner):
            return self._refused(attempt, step.user, "denied", "this user is not allowed in now")
        _log.info(
            "managesieve: login: user=%s mech=%s rhost=%s owner=%s",
            word(step.user), self._name, word(self.client.address), word(owner),
        )  # fmt: skip
        return Next(stay=Stay(self._service, owner, inbox, step.user, self.client), user=step.user)

    def _refused(self, attempt: Attempt, user: str, reason: str, text: str, tried: bytes = b"", code: str = "") -> Next:
        """One log line, a pause, and in the end BYE."""
        delay = attempt.failed(user, self._name, reason, tried)
        self.failures += 1
        code = "TRYLATER" if reason == "locked" else code
        if self.failures >= MAX_FAILURES:
            return Next(reply=Reply("BYE", "too many failed authentication attempts", code), delay=delay)
        return Next(reply=Reply("NO", text, code), delay=delay)
