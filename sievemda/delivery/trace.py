"""The fields that final delivery adds to a message. RFC 5321 §4.4, RFC 5322 §3.6.

In front stand, in this order, Return-Path, Received, X-Cyrus-Session-Id and X-Sieve; a Message-ID and a Date that
were missing come at the end of the header, where they cannot be mistaken for the sender's trace. The names
X-Cyrus-Session-Id and X-Sieve are kept because tools of existing sites look for them.

Everything here is written once per transaction, so that all recipients can share one file: nothing in it may name a
recipient.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from itertools import count
from os import getpid
from time import time_ns

from sievemda import __version__
from sievemda.config import Settings
from sievemda.mail.envelope import Peer, Sender

_NOT_DOMAIN = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_NOT_COMMENT = re.compile(r"[^!-'*-\[\]-~]")  # printable ASCII without parentheses and backslash
_counter = count(1)


def trace_fields(settings: Settings, sender: Sender, peer: Peer) -> bytes:
    """What stands before the header as it came."""
    return (
        f"Return-Path: {return_path(settings, sender)}\n"
        f"{_received(settings, sender, peer)}"
        f"X-Cyrus-Session-Id: {_NOT_COMMENT.sub('_', peer.session)}\n"
        f"X-Sieve: {engine(settings)}\n"
    ).encode()


def return_path(settings: Settings, sender: Sender) -> str:
    """The envelope sender in its brackets; one without a domain gets this host's."""
    path = sender.reverse_path
    if path is None:
        return "<>"
    return f"<{path}>" if path.domain else f"<{path}@{settings.site.servername}>"


def new_message_id(settings: Settings) -> str:
    """A Message-ID that nobody else makes. RFC 5322 §3.6.4."""
    return f"<{time_ns():x}.{getpid():x}.{next(_counter):x}@{settings.site.servername}>"


def now_field() -> str:
    """The time as RFC 5322 §3.3 writes it, in the local zone."""
    return formatdate(localtime=True)


def engine(settings: Settings) -> str:
    """Name and, where the site tells it, version of this program."""
    return f"sievemda {__version__}" if settings.delivery.serverinfo == "on" else "sievemda"


def _received(settings: Settings, sender: Sender, peer: Peer) -> str:
    host = f"[{peer.address}]" if peer.address else "[unix socket]"
    lines = [f"Received: from {_NOT_DOMAIN.sub('_', peer.helo[:255]) or 'unknown'} ({host})"]
    if sender.auth is not None:
        lines.append(f"(authenticated user={_NOT_COMMENT.sub('_', sender.auth[:255])} bits=0)")
    told = "" if settings.delivery.serverinfo == "off" else f" ({engine(settings)})"
    lines.append(f"by {settings.site.servername}{told}")
    lines.append(f"with {_protocol(sender, peer)};")
    lines.append(now_field())
    return "\n\t".join(lines) + "\n"


def _protocol(sender: Sender, peer: Peer) -> str:
    """The `with` keyword: RFC 3848 for LMTP, S and A, RFC 6531 §4.3 for UTF8."""
    tls = "S" if peer.tls else ""
    authenticated = "A" if peer.authenticated else ""
    return f"{'UTF8' if sender.smtputf8 else ''}LMTP{tls}{authenticated}"
