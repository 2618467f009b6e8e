"""Every reply of the LMTP server; nobody else writes reply codes.

A reply is the octets that go out, ready but for the last CRLF. The texts are fixed: what went wrong inside is for the
log, found there by the session id, and never for the peer. Only a refusal by the owner's script and one by the content
rules carry a reason from outside, which is cleaned and cut here.
"""

from __future__ import annotations

import re

from sievemda.mail.result import Receipt, Result

Reply = bytes

OK = b"250 2.0.0 Ok"
SENDER_OK = b"250 2.1.0 Ok"
RECIPIENT_OK = b"250 2.1.5 Ok"
NOT_VERIFIED = b"252 2.3.3 Cannot verify, send some mail and I will do my best"
GO_AHEAD = b"354 End data with <CR><LF>.<CR><LF>"
BYE = b"221 2.0.0 Bye"
TLS_READY = b"220 2.0.0 Ready to start TLS"

UNKNOWN_COMMAND = b"500 5.5.2 Unknown command"
LINE_TOO_LONG = b"500 5.5.2 Line too long"
BAD_SYNTAX = b"500 5.5.2 Syntax error"
HELO_IS_SMTP = b"500 5.5.2 This is LMTP, say LHLO"  # RFC 2033 §4.1
NO_ARGUMENT = b"501 5.5.4 No argument allowed"
ARGUMENT_WANTED = b"501 5.5.4 Argument missing"
BAD_HELO = b"501 5.5.4 Invalid domain in LHLO"
BAD_PATH = b"501 5.5.4 Syntax error in address"
BAD_8BIT = b"501 5.5.4 Address with 8-bit characters needs SMTPUTF8"
BAD_PARAMETER = b"501 5.5.4 Invalid value or repetition of parameter "
BAD_SIZE = b"501 5.5.2 SIZE needs a number"
UNKNOWN_PARAMETER = b"555 5.5.4 Unsupported parameter "
LHLO_FIRST = b"503 5.5.1 Say LHLO first"
NESTED_MAIL = b"503 5.5.1 Nested MAIL command"
MAIL_FIRST = b"503 5.5.1 Need MAIL command first"
RCPT_FIRST = b"503 5.5.1 No valid recipients"
TOO_MANY_RECIPIENTS = b"452 4.5.3 Too many recipients"
TOO_LARGE = b"552 5.2.3 Message size exceeds fixed maximum message size"
TLS_UNAVAILABLE = b"454 4.7.0 TLS not available"
TLS_ACTIVE = b"503 5.5.1 TLS is active already"
AUTH_OK = b"235 2.7.0 Authentication successful"  # this and the next: RFC 4954 §6
AUTH_FAILED = b"535 5.7.8 Authentication credentials invalid"
AUTH_UNKNOWN = b"504 5.5.4 Unrecognized authentication type"
AUTH_NEEDS_TLS = b"538 5.7.11 Encryption required for requested authentication mechanism"
AUTH_TRANSITION = b"432 4.7.12 A password transition is needed: log in once with PLAIN"
AUTH_TOO_WEAK = b"534 5.7.9 Authentication mechanism is too weak"
AUTH_NOT_NOW = b"503 5.5.0 AUTH is not possible now"
AUTH_CANCELLED = b"501 5.7.0 Authentication cancelled"
AUTH_NO_INITIAL = b"501 5.7.0 This mechanism takes no initial response"
AUTH_BAD_BASE64 = b"501 5.5.2 Cannot decode base64"
AUTH_TOO_LONG = b"500 5.5.6 Authentication exchange line is too long"
AUTH_LOCKED_OUT = b"454 4.7.0 Too many failed logins from your address, try again later"
AUTH_TROUBLE = b"454 4.7.0 Temporary authentication failure"
AUTH_REQUIRED = b"530 5.7.0 Authentication required"
AUTH_REQUIRED_SOFT = b"430 5.7.0 Authentication required"

IDLE = b"421 4.4.1 Idle for too long, closing"
SHUTDOWN = b"421 4.3.2 Service shutting down, closing"
TOO_MANY_CONNECTIONS = b"421 4.3.2 Too many connections, try again later"
TOO_MANY_ERRORS = b"421 4.7.0 Too many errors, closing"
FATAL = b"421 4.3.0 Internal error, closing"

MAX_LINE = 512  # octets of one reply line with its CRLF; RFC 5321 §4.5.3.1.5
MAX_LINES = 50

# Result -> code, enhanced code, text lines. A folder that does not exist and one that the poster may not know of get
# the same words.
_UNKNOWN = (
    "550",
    "5.1.1",
    ("Mailbox unknown. Either there is no mailbox of this name,", "or you have no right to see it.", "User unknown"),
)
_TABLE: dict[Result, tuple[str, str, tuple[str, ...]]] = {
    Result.ACCEPTED: ("250", "2.1.5", ("Ok",)),
    Result.DELIVERED: ("250", "2.1.5", ("Ok",)),
    Result.NO_SUCH_USER: _UNKNOWN,
    Result.NO_SUCH_MAILBOX: _UNKNOWN,
    Result.NOT_PERMITTED: (
        "550",
        "5.7.1",
        ("You have no right to post to this mailbox.", "Ask <{postmaster}> if you should.", "Permission denied"),
    ),
    Result.OVER_QUOTA: ("452", "4.2.2", ("Over quota",)),
    Result.OVER_QUOTA_PERMANENT: ("552", "5.2.2", ("Over quota",)),
    Result.USER_DENIED: ("451", "4.2.1", ("Mailbox is not available now",)),
    Result.MAILBOX_BROKEN: ("451", "4.2.0", ("Mailbox cannot take mail now",)),
    Result.REJECTED: ("550", "5.7.1", ("Rejected",)),
    Result.LOOP: ("554", "5.4.6", ("Too many hops, this message loops",)),
    Result.CONTENT_REFUSED: ("554", "5.6.0", ("Message content is not acceptable",)),
    Result.TOO_LARGE: ("552", "5.2.3", ("Message size exceeds fixed maximum message size",)),
    Result.BAD_ADDRESS: ("501", "5.5.4", ("Syntax error in address",)),
    Result.DISK_FULL: ("451", "4.3.1", ("Insufficient storage, try again later",)),
    Result.SPOOL_FULL: ("451", "4.3.1", ("Insufficient storage, try again later",)),
    Result.SPOOL_TROUBLE: ("451", "4.3.2", ("Cannot spool the message, try again later",)),
    Result.MEMORY_TROUBLE: ("451", "4.3.0", ("Internal error, try again later",)),
    Result.BUSY: ("451", "4.4.5", ("Busy, try again later",)),
    Result.TROUBLE: ("451", "4.3.0", ("Internal error, try again later",)),
}
_WITH_REASON = {Result.REJECTED, Result.CONTENT_REFUSED}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_accepted(receipt: Receipt) -> bool:
    """Whether the peer may forget this recipient (2xx)."""
    return _TABLE[receipt.result][0] == "250"


def reply(receipt: Receipt, session: str = "", postmaster: str = "postmaster", *, utf8: bool = False) -> Reply:
    """The one reply for one recipient. `session` is named in acceptances and in temporary trouble of ours.

    Every line of a reply carries the same enhanced code (RFC 2034 §4). Text outside ASCII goes out only to a peer that
    said SMTPUTF8 (RFC 6531 §3.7.4.2).
    """
    code, enhanced, texts = _TABLE[receipt.result]
    if receipt.reason and receipt.result in _WITH_REASON:
        texts = tuple(_lines(receipt.reason, utf8=utf8)) or texts
    elif receipt.result is Result.NOT_PERMITTED:
        texts = tuple(text.format(postmaster=postmaster) for text in texts)
    elif session and code in {"250", "451"}:
        journal = f" id={receipt.journal_id}" if receipt.journal_id else ""
        texts = (f"{texts[0]}{journal} SESSIONID=<{session}>",)
    return multiline(code, enhanced, texts)


def multiline(code: str, enhanced: str, texts: tuple[str, ...]) -> Reply:
    """`code-enhanced text` for all lines but the last. RFC 5321 §4.2.1."""
    prefix = f"{code}-{enhanced} " if enhanced else f"{code}-"
    lines = [prefix + text for text in texts]
    lines[-1] = lines[-1].replace("-", " ", 1)
    return "\r\n".join(lines).encode()


def with_name(prefix: Reply, name: str) -> Reply:
    """A refusal that names the parameter it means, cleaned and cut."""
    return prefix + _UNPRINTABLE.sub("?", name[:40]).encode("ascii", "replace")


def _lines(reason: str, *, utf8: bool) -> list[str]:
    """The lines of a reason, each short enough for one reply line, without control characters."""
    if not utf8:
        reason = reason.encode("ascii", "replace").decode()
    lines: list[str] = []
    for line in reason.strip().splitlines():
        text = _UNPRINTABLE.sub(" ", line).rstrip().encode("utf-8", "replace")
        lines += [piece.decode() for piece in _cut(text, MAX_LINE - 12)]
    return lines[:MAX_LINES]


def _cut(text: bytes, size: int) -> list[bytes]:
    """Pieces of at most `size` octets, never inside a character."""
    pieces = []
    while len(text) > size:
        end = size
        while text[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]
