"""mailto URIs, read strictly. RFC 2368, RFC 3986 §2, with the characters that RFC 6068 §2 lets stand for themselves.

A URI that is wrong anywhere is wrong as a whole (RFC 5435 §3.2), and `ValueError` says where. What it may not say
(unsafe fields: RFC 2368 §4, RFC 5436 §2.7) and what is too much of it is left out, and told of in `ignored`.

Why encoded UTF-8 is allowed, which RFC 2368 does not know: the `:encodeurl` of RFC 5435 §6 makes it of any text that is
not ASCII, and RFC 6068 §2 settles what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sievemda.mail.address import Address
from sievemda.mail.addresslist import mailboxes

Mailboxes = tuple[tuple[str, Address], ...]  # phrase and address

# Commas and colons in the list of recipients must be encoded (RFC 2368 §2); `/` is harmless in a query (RFC 3986 §3.4).
_TO = re.compile(r"(?:[A-Za-z0-9._~!$'*+@-]|%[0-9A-Fa-f]{2})*")
_VALUE = re.compile(r"(?:[A-Za-z0-9._~!$'()*+,;:@=/-]|%[0-9A-Fa-f]{2})*")
_CODED = re.compile(rb"%([0-9A-Fa-f]{2})")
_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 §2.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST = 65_536  # characters of a URI

# What makes a message ours, says where it has been, or is not for a stranger to say.
_UNSAFE = frozenset({
    "auto-submitted", "bcc", "date", "delivered-to", "dkim-signature", "disposition-notification-to",
    "errors-to", "from", "in-reply-to", "message-id", "mime-version", "original-message-id", "precedence", "received",
    "references", "reply-to", "return-path", "return-receipt-to", "sender", "x-original-to", "x-sieve",
    "x-sieve-action", "x-sieve-redirected-from",
})  # fmt: skip
_UNSAFE_BEGINNINGS = ("resent-", "content-", "list-", "arc-")


@dataclass(frozen=True, slots=True)
class Mailto:
    """What a mailto URI says; `headers` are the fields beside To, Cc and Subject, with their names capitalized."""

    to: Mailboxes = ()
    cc: Mailboxes = ()
    subject: str | None = None
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Who gets the message, each once."""
        found = {_canonical(address): address for _, address in (*self.to, *self.cc)}
        return tuple(found.values())


@dataclass(slots=True)
class _Draft:
    """A URI being read."""

    recipients: int
    fields: int
    to: list[tuple[str, Address]] = field(default_factory=list)
    cc: list[tuple[str, Address]] = field(default_factory=list)
    once: dict[str, str] = field(default_factory=dict)  # subject and body
    headers: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)


def read_mailto(uri: str, *, recipients: int = 8, headers: int = 16) -> Mailto:
    """Read a whole URI, `mailto:` included. Raises `ValueError`, which says what is wrong.

    `recipients` and `headers` are bounds; what goes beyond them is ignored.
    """
    scheme, colon, rest = uri.partition(":")
    if scheme.lower() != "mailto" or not colon:
        raise ValueError("it does not begin with 'mailto:'")
    if len(rest) > _LONGEST:
        raise ValueError(f"it is too long: the limit is {_LONGEST} characters")
    to, mark, query = rest.partition("?")
    draft = _Draft(recipients, headers)
    if to:
        _add_recipients(draft, draft.to, _decoded(to, _TO, "the recipients"))
    for name, value in _fields(query) if mark else ():
        _add_field(draft, name, value)
    return Mailto(
        tuple(draft.to),
        tuple(draft.cc),
        draft.once.get("subject"),
        draft.once.get("body"),
        tuple(draft.headers),
        tuple(draft.ignored),
    )


def _fields(query: str) -> Iterator[tuple[str, str]]:
    """Names and values as they are meant."""
    for item in query.split("&") if query else ():
        coded_name, equals, coded = item.partition("=")
        if not equals:
            raise ValueError(f"the field {item[:80]!r} has no '='")
        name = _decoded(coded_name, _VALUE, "the name of a field")
        if not _NAME.fullmatch(name):
            raise ValueError(f"invalid name of a field: {name[:80]!r}")
        value = _decoded(coded, _VALUE, f"the field {name}")
        if name.lower() == "body":
            value = value.replace("\r\n", "\n").replace("\r", "\n")
            if "\0" in value:
                raise ValueError("the body holds a NUL")
        elif _CONTROL.search(value):
            raise ValueError(f"the field {name} holds a control character")
        yield name, value


def _add_field(draft: _Draft, name: str, value: str) -> None:
    lower = name.lower()
    if lower in {"to", "cc"}:
        _add_recipients(draft, draft.to if lower == "to" else draft.cc, value)
    elif lower in _UNSAFE or lower.startswith(_UNSAFE_BEGINNINGS):
        draft.ignored.append(f"a URI may not set the field {name}")
    elif lower in {"subject", "body"}:
        if lower in draft.once:
            draft.ignored.append(f"{name} is given twice: the first one counts")
        else:
            draft.once[lower] = value
    elif len(draft.headers) >= draft.fields:
        draft.ignored.append(f"too many fields: the limit is {draft.fields}")
    else:
        draft.headers.append((name[:1].upper() + name[1:], value))


def _add_recipients(draft: _Draft, where: list[tuple[str, Address]], text: str) -> None:
    """RFC 2368 §2: `to` is a list of RFC 822 mailboxes, phrases and comments included."""
    found = mailboxes(text)
    if not found or not all(str(address).isascii() and address.domain for _, address in found):
        raise ValueError(f"invalid recipient: {text[:80]!r}")
    for phrase, address in found:
        if _canonical(address) in draft.known:
            draft.ignored.append(f"{address} is named twice")
        elif len(draft.known) >= draft.recipients:
            draft.ignored.append(f"too many recipients: the limit is {draft.recipients}")
        else:
            draft.known.add(_canonical(address))
            where.append((phrase, address))


def _canonical(address: Address) -> str:
    return f"{address.local}@{address.domain.lower()}"


def _decoded(text: str, allowed: re.Pattern[str], what: str) -> str:
    """The text without its percent-encoding. RFC 3986 §2.1."""
    good = allowed.match(text)
    end = good.end() if good else 0
    if end < len(text):
        raise ValueError(f"invalid character {text[end]!r} in {what}: it must be percent-encoded")
    octets = _CODED.sub(lambda pair: bytes([int(pair[1], 16)]), text.encode("ascii"))
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{what}: what is encoded there is not UTF-8") from None


def quoted(text: str) -> str:
    """Percent-encode all but the unreserved characters. RFC 3986 §2.1, §2.3."""
    octets = text.encode("utf-8", "surrogateescape")
    return "".join(chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in octets)


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
