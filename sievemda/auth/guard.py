"""Failed logins: how long their answer waits, when an address is locked out, and the one line in the log.

An address (of IPv6 a /64, which is what one customer has) gets a point for each failure. Points leak away; with too
many of them at once the address is locked out: until its time is over, no credentials of it are looked at, and every
answer is the same "try again later", so that it tells nothing about users or passwords. Being refused for that reason
is no failure, or clients that go on trying would never get out; neither is what was no guess at a password.

A user is never locked out, since then anybody could lock him out. His points make the answers to *wrong* passwords
wait, from wherever they come; a right one is answered at once.

Why a repeated try may count nothing: a phone with a former password in it tries every few minutes, behind the same
address as a hundred colleagues. The same credentials again are no guess; unless they come fast, which costs us as much
as guessing. What is kept to recognise them is 8 bits of a digest: enough for that, and too little to find a password
by. A mechanism whose answers differ each time (SCRAM) shows no repetition; there the leak must suffice. And who gets
in at last has mistyped before: the points that he gave his address are taken back.

Why trouble with the file is let pass, once it is logged: this is a second line, and a full disk must not keep everybody
out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import re
import time
from collections import Counter
from dataclasses import dataclass

from sievemda import config
from sievemda.auth.names import canonical_user
from sievemda.auth.origin import is_within, networks, unmapped
from sievemda.errors import DataError, TemporaryTrouble
from sievemda.state.failures import ADDRESS, BOTH, USER, Count, Failures, Row

_log = logging.getLogger("sievemda.auth")

FIRST_PAUSE = 0.5  # seconds before the answer to a first failure
SOON = 10  # seconds; the same credentials again sooner than that count like others
_NO_GUESS = frozenset({"authzid", "binding", "denied", "locked", "mailbox", "malformed", "sessions"})  # reasons
_USER_LEAK = 1 / 60  # points of a user that go in a second
_ODD = re.compile(r"[^!-~]|[\\\"=]")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login, before its credentials are looked at. Methods may use the disk."""

    guard: Guard
    protocol: str
    address: str  # as it is logged; empty at a UNIX socket
    locked: bool  # whether it must be refused, whatever it says
    suspected: bool  # whether the address has points

    def failed(self, user: str, mechanism: str, reason: str, tried: bytes = b"") -> float:
        """Log it and count it; seconds to wait before the answer.

        `user` as the client spelled him, `reason` one word, `tried` what he sent for a password.
        """
        _log.warning(
            "%s: login failed: user=%s mech=%s rhost=%s reason=%s",
            self.protocol, word(user), word(mechanism), word(self.address), word(reason),
        )  # fmt: skip
        self.guard.counts[f"{self.protocol}_logins_{'locked_out' if reason == 'locked' else 'failed'}"] += 1
        if reason in _NO_GUESS:
            return self.guard.pause(1.0)
        return self.guard.count(self.protocol, self.address, user, tried)

    def succeeded(self, user: str) -> None:
        """He is in."""
        if self.suspected:
            self.guard.forgive(self.address, user)


class Guard:
    """One of each worker process; they share what `failures` keeps."""

    def __init__(self, failures: Failures, settings: config.Guard, site: config.Site) -> None:
        self._failures = failures
        self._settings = settings
        self._site = site
        self._never = networks(settings.lockout_never)
        self._leak = settings.lockout_failures / settings.lockout_within
        self._keep = settings.lockout_within + settings.lockout_time
        self.counts: Counter[str] = Counter()  # since this process began

    def attempt(self, protocol: str, address: str) -> Attempt:
        """What there is to know before a client's credentials are looked at: one look-up."""
        place = self._place(address)
        try:
            row = self._failures.find(ADDRESS, place) if place else Row()
        except TemporaryTrouble as e:
            _log.warning("%s: nobody can be locked out: %s", protocol, e)
            row = Row()
        now = int(time.time())
        locked = now < row.until <= now + self._settings.lockout_time  # a clock that was put back locks nobody
        return Attempt(self, protocol, address, locked, row.points > 0)

    def count(self, protocol: str, address: str, user: str, tried: bytes) -> float:
        """A failure; seconds to wait before it is answered."""
        try:
            return self.pause(self._count(protocol, self._place(address), self._user(user), tried))
        except TemporaryTrouble as e:
            _log.warning("%s: a failed login is not counted: %s", protocol, e)
            return self.pause(1.0)

    def forgive(self, address: str, user: str) -> None:
        """The user has got in: what he failed before at this address was no guess."""
        place = self._place(address)
        both = _both(place, self._user(user))
        try:
            if place and (points := self._failures.find(BOTH, both).points):
                self._failures.forgive(place, both, points)
        except TemporaryTrouble as e:
            _log.warning("failed logins are not forgiven: %s", e)

    def _count(self, protocol: str, place: str, user: str, tried: bytes) -> float:
        """The points of the user or of the address after this failure, whichever are more."""
        now, both = int(time.time()), _both(place, user)
        counts = [Count(USER, user, 1.0, _USER_LEAK)]
        if place:
            trace = _trace(both, tried)
            before = self._failures.find(BOTH, both)
            weight = 0.0 if trace and trace == before.tried and now - before.instant >= SOON else 1.0
            counts += [Count(ADDRESS, place, weight, self._leak), Count(BOTH, both, weight, self._leak, trace)]
        self._failures.add(counts, now, self._keep)
        points = max(self._failures.find(count.kind, count.name).points for count in counts)
        most, until = self._settings.lockout_failures, now + self._settings.lockout_time
        # More than one less: of the first points a little has leaked away when the last one comes.
        if place and most and self._failures.lock(place, most - 1, now, until):
            self.counts["addresses_locked_out"] += 1
            _log.warning("%s: locked out: rhost=%s seconds=%d", protocol, place, self._settings.lockout_time)
        return points

    def pause(self, points: float) -> float:
        """Seconds to wait when there are so many."""
        doublings = round(min(max(points - 1, 0), 30))
        return float(min(FIRST_PAUSE * 2.0**doublings, self._settings.failedloginpause))

    def _place(self, address: str) -> str:
        """What is counted for an address; empty for one that is never locked out."""
        return "" if is_within(address, self._never) else place_of(address)

    def _user(self, name: str) -> str:
        return user_of(name, self._site)


def place_of(text: str) -> str:
    """What is counted for an address, itself or its /64; empty for what is none."""
    try:
        found = unmapped(ipaddress.ip_interface(text.partition("%")[0]).ip)
    except ValueError:
        return ""
    return str(found) if found.version == 4 else str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))


def user_of(name: str, site: config.Site) -> str:
    """What is counted for a user: all spellings of him together, whether he exists or not."""
    try:
        return canonical_user(name, site)
    except DataError:
        return word(name)


def _both(place: str, user: str) -> str:
    return f"{place} {user}"


def _trace(both: str, tried: bytes) -> int:
    """1 to 256, the same for the same credentials; 0 for none."""
    return (
        1 + hashlib.blake2b(tried, digest_size=1, key=hashlib.sha256(both.encode()).digest()).digest()[0]
        if tried
        else 0
    )


def word(text: str) -> str:
    """`text` without anything that could end the word or the line in a log, or pose as another word."""
    return _ODD.sub(lambda m: f"\\x{ord(m[0]):02x}", text[:255]) or "-"
