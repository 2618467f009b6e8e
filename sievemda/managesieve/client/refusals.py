"""A response that is no OK, as an error. RFC 5804 §1.3."""

from __future__ import annotations

from sievemda.errors import (
    AlreadyExists,
    DataError,
    NotFound,
    NotPermitted,
    SievemdaError,
    TemporaryTrouble,
    Unavailable,
)
from sievemda.managesieve.client.wire import Response

_KINDS: dict[str, type[SievemdaError]] = {
    "NONEXISTENT": NotFound,
    "ALREADYEXISTS": AlreadyExists,
    "ACTIVE": NotPermitted,
    "QUOTA": NotPermitted,
    "TRYLATER": TemporaryTrouble,
    "AUTH-TOO-WEAK": NotPermitted,
    "ENCRYPT-NEEDED": NotPermitted,
    "TRANSITION-NEEDED": NotPermitted,
}
_HINTS = {
    "TRYLATER": "try again later",
    "AUTH-TOO-WEAK": "the server wants another mechanism",
    "ENCRYPT-NEEDED": "the server wants encryption for that",
    "TRANSITION-NEEDED": "the server must see the password once: use -m PLAIN, under TLS",
    "QUOTA/MAXSCRIPTS": "there are as many scripts as may be",
    "QUOTA/MAXSIZE": "it is larger than scripts may be",
    "QUOTA": "there is no room",
    "ACTIVE": "the script is active",
    "NONEXISTENT": "there is no such script",
    "ALREADYEXISTS": "there is a script of that name",
}


class Referred(Unavailable):
    """The scripts are with another server."""

    def __init__(self, url: str) -> None:
        super().__init__(f"the server refers to another one: {url}")
        self.url = url


class SaidGoodbye(Unavailable):
    """The server has ended the session: BYE."""


def refusal(response: Response, where: str, *, usual: type[SievemdaError] = DataError) -> SievemdaError:
    """The error to raise. `usual` is its kind when no response code says more."""
    code = response.code
    if code == "REFERRAL":
        return Referred(response.argument.decode("utf-8", "replace"))
    hint = _HINTS.get(code) or _HINTS.get(code.partition("/")[0], "")
    words = response.text.replace("\r\n", "\n").strip() or hint or f"the server said {response.status}"
    if code == "TRYLATER" and "later" not in words:
        words = f"{words} (try again later)"
    if code == "TRANSITION-NEEDED":
        words = f"{words} ({hint})"
    kind = _KINDS.get(code) or _KINDS.get(code.partition("/")[0])
    if response.status == "BYE":
        words = f"{where} ends the session: {words}"
        return TemporaryTrouble(words) if kind is TemporaryTrouble else SaidGoodbye(words)
    return (kind or usual)(words)
