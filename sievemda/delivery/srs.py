"""Sender rewriting: the envelope sender of a redirected message, in a domain that this site may send for.

A host that checks SPF refuses a message of somebody else's domain from us. So the sender's address is wrapped into one
of `srs_domain`, with a hash that keeps others from making such addresses and a day on which it was made:

    alice@example.net                              SRS0=HASH=DAY=example.net=alice@srs.example
    SRS0=HASH=DAY=example.net=alice@other.example  SRS1=HASH=other.example==HASH=DAY=example.net=alice@srs.example

Unwrapping what comes back is the MTA's business, before anything is delivered: the form, the hash and the day are those
of libsrs2 and postsrsd, which do that with the same secret.

Why only at the hand-over: our own bounces and the journal mean the sender, not the wrapping.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from sievemda.config import Outbox

_HASH = 4  # characters
_DAY = 86_400
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_WRAPPED = ("SRS0=", "SRS0+", "SRS0-")
_TWICE = ("SRS1=", "SRS1+", "SRS1-")


def rewritten(options: Outbox, sender: str, now: float) -> str:
    """The envelope sender to use in place of `sender`, the same where there is nothing to rewrite."""
    local, at, domain = sender.rpartition("@")
    home = options.srs_domain
    if not (home and at and local and domain) or domain.lower() == home.lower() or not options.srs_secrets:
        return sender
    secret = options.srs_secrets[0]
    if local[:5].upper() in _TWICE and local.count("=") > 2:
        _, first, rest = local[5:].split("=", 2)
        return f"SRS1={_hash(secret, first, rest)}={first}={rest}@{home}"
    if local[:5].upper() in _WRAPPED:
        rest = local[4:]
        return f"SRS1={_hash(secret, domain, rest)}={domain}={rest}@{home}"
    day = _day(now)
    return f"SRS0={_hash(secret, day, domain, local)}={day}={domain}={local}@{home}"


def _hash(secret: str, *words: str) -> str:
    digest = hmac.new(secret.encode(), "".join(words).lower().encode("utf-8", "surrogateescape"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()[:_HASH]


def _day(now: float) -> str:
    day = int(now) // _DAY
    return _DIGITS[day >> 5 & 31] + _DIGITS[day & 31]
