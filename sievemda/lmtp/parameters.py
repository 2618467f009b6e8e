"""What MAIL and RCPT say: text after the verb -> `Sender` or `Recipient`, or the reply that refuses it.

Pure functions over one decoded line (UTF-8 with surrogate escapes, so that every octet can be told). The path is read
strictly: `<` follows the colon at once, and what follows `>` is a space or nothing.

Why not aiosmtpd's reader: it goes through `email`'s header parser for every address, keeps the options of all
recipients in one upper-cased list, and knows none of the parameters that LMTP clients send.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sievemda.lmtp import replies
from sievemda.mail.address import Address, parse_address, strip_route
from sievemda.mail.envelope import DeliverBy, Recipient, Sender
from sievemda.mail.xtext import unhex, xtext

# One path up to its `>`, quoted strings and escaped characters jumped over.
_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|\\.|[^<>"\\])*)>(?=[ \t]|$)', re.DOTALL)
# What nearly every client sends, taken by one match: `<local@domain>` of plain characters.
_PLAIN = re.compile(r"<([A-Za-z0-9._%+=/-]{1,64})@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9]+)*)>")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^ =\x00-\x1f\x7f]+))?")  # esmtp-param, RFC 5321 §4.1.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UXTEXT = re.compile(r"(?:[^\x00-\x20+=\\\x7f]|\+[0-9A-F]{2}|\\x\{[0-9A-F]{2,6}\})+")  # RFC 6533 §3
_ADDR_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")  # atom
_BY = re.compile(r"([+-]?[0-9]{1,9});([NRnr])([Tt])?")  # RFC 2852 §4
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 §3

Reply = replies.Reply


class Refused(Exception):
    """Internal to this module: the reply that ends the parsing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply


def parse_mail(argument: str, *, strict: bool = True, deliverby: bool = False) -> Sender | Reply:
    """The argument of MAIL, `FROM:<...> ...`. RFC 5321 §4.1.1.2.

    `strict` refuses 8-bit octets in addresses without SMTPUTF8, else each becomes `X` (lmtp_strict_rfc2821).
    `deliverby` takes BY=, which only who announces DELIVERBY may be sent.
    """
    try:
        path, options = _split(argument, "FROM:")
        values = _parameters(options, _MAIL_BY if deliverby else _MAIL)
        utf8 = bool(values.get("smtputf8"))
        return Sender(_address(path, utf8=utf8, strict=strict) if path else None, **values)
    except Refused as refused:
        return refused.reply


def parse_rcpt(argument: str, *, utf8: bool = False, strict: bool = True) -> Recipient | Reply:
    """The argument of RCPT, `TO:<...> ...`; `utf8` when MAIL said SMTPUTF8. RFC 5321 §4.1.1.3.

    `TO:<>` is a recipient with an empty local part and no domain: whether that is anybody is not a question of syntax.
    """
    if len(argument) < 256 and argument[:3].upper() == "TO:" and (plain := _PLAIN.fullmatch(argument, 3)):
        return Recipient(Address(plain[1], plain[2]))
    try:
        path, options = _split(argument, "TO:")
        values = _parameters(options, _RCPT)
        return Recipient(_address(path, utf8=utf8, strict=strict) if path else Address(""), **values)
    except Refused as refused:
        return refused.reply


def _split(argument: str, keyword: str) -> tuple[str, str]:
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(replies.BAD_PATH)
    path = _PATH.match(argument, len(keyword))
    if not path:
        raise Refused(replies.BAD_PATH)
    return path[1], argument[path.end() :]


def _address(path: str, *, utf8: bool, strict: bool) -> Address:
    """The address of a path without its brackets; an obsolete source route is skipped. RFC 5321 appendix C."""
    if not path.isascii():
        path = _eight_bit(path, utf8=utf8, strict=strict)
    address = parse_address(strip_route(path))
    if address is None:
        raise Refused(replies.BAD_PATH)
    return address


def _eight_bit(path: str, *, utf8: bool, strict: bool) -> str:
    """UTF-8 stays as it is under SMTPUTF8 (RFC 6531 §3.4); other octets are refused, or munged."""
    octets = path.encode("utf-8", "surrogateescape")
    if utf8:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if strict:
        raise Refused(replies.BAD_PATH if utf8 else replies.BAD_8BIT)
    return re.sub(rb"[\x80-\xff]", b"X", octets).decode("ascii")


Reader = Callable[[str, str | None], Any]  # (parameter's name, value) -> what the envelope keeps


def _parameters(options: str, known: dict[str, tuple[str, Reader]]) -> dict[str, Any]:
    """Every parameter once, each value read; RFC 5321 §4.1.1.11: an unknown one is 555."""
    found: dict[str, Any] = {}
    for word in filter(None, options.replace("\t", " ").split(" ")):
        match = _PARAMETER.fullmatch(word)
        name = word.partition("=")[0].upper()
        if name not in known:
            raise Refused(replies.with_name(replies.UNKNOWN_PARAMETER, name))
        field, read = known[name]
        if field in found:
            raise Refused(replies.with_name(replies.BAD_PARAMETER, name))
        value = match[2] if match else ""  # a value that is none: every reader refuses the empty string
        found[field] = read(name, value)
    if "orcpt" in found:
        found["orcpt_type"], found["orcpt"] = found["orcpt"]
    return found


def _bad(name: str) -> Refused:
    return Refused(replies.with_name(replies.BAD_PARAMETER, name))


def _size(_name: str, value: str | None) -> int:
    """RFC 1870 §3."""
    if not value or not _SIZE.fullmatch(value):
        raise Refused(replies.BAD_SIZE)
    return int(value)


def _choice(*allowed: str) -> Reader:
    def read(name: str, value: str | None) -> str:
        if not value or value.upper() not in allowed:
            raise _bad(name)
        return value.upper()

    return read


def _flag(name: str, value: str | None) -> bool:
    if value is not None:
        raise _bad(name)
    return True


def _text(name: str, value: str | None) -> str:
    """ENVID: xtext of printable ASCII. RFC 3461 §4.4."""
    text = xtext(value or "")
    if text is None or not text.isascii() or _CONTROL.search(text):
        raise _bad(name)
    return text


def _by(name: str, value: str | None) -> DeliverBy:
    """RFC 2852 §4: seconds from now, mode and trace. Who wants the message returned must leave some time."""
    found = _BY.fullmatch(value or "")
    if found is None or (found[2].upper() == "R" and int(found[1]) <= 0):
        raise _bad(name)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=int(found[1]))
    return DeliverBy(until=until, mode=found[2].upper(), trace=bool(found[3]))


def _identity(name: str, value: str | None) -> str | None:
    """AUTH=: the posting identity; `<>`, and a name that cannot be anybody's, is anonymous. RFC 4954 §5."""
    text = xtext(value or "")
    if text is None:
        raise _bad(name)
    unusable = text in {"", "<>"} or _CONTROL.search(text) or any("\ud800" <= c <= "\udfff" for c in text)
    return None if unusable else text


def _notify(name: str, value: str | None) -> tuple[str, ...]:
    """NEVER alone, or a list of the others. RFC 3461 §4.1."""
    words = tuple(dict.fromkeys((value or "").upper().split(",")))
    if words != ("NEVER",) and not set(words) <= {"SUCCESS", "FAILURE", "DELAY"}:
        raise _bad(name)
    return words


def _orcpt(name: str, value: str | None) -> tuple[str, str]:
    """`type;address`, the address as xtext, or for the type utf-8 as RFC 6533 §3 has it. RFC 3461 §4.2."""
    kind, _, encoded = (value or "").partition(";")
    if not _ADDR_TYPE.fullmatch(kind):
        raise _bad(name)
    if kind.lower() == "utf-8":
        return kind, _utf8_address(name, encoded)
    text = xtext(encoded)
    if text is None:
        raise _bad(name)
    return kind, text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _utf8_address(name: str, encoded: str) -> str:
    if not _UXTEXT.fullmatch(encoded):
        raise _bad(name)
    text = unhex(encoded).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    points = re.findall(r"\\x\{([0-9A-F]+)\}", text)
    if any(int(point, 16) > 0x10FFFF or 0xD800 <= int(point, 16) <= 0xDFFF for point in points):
        raise _bad(name)
    return re.sub(r"\\x\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), text)


_MAIL: dict[str, tuple[str, Reader]] = {
    "SIZE": ("size", _size),
    "BODY": ("body", _choice("7BIT", "8BITMIME")),  # RFC 6152
    "SMTPUTF8": ("smtputf8", _flag),  # RFC 6531 §3.4
    "AUTH": ("auth", _identity),
    "RET": ("ret", _choice("FULL", "HDRS")),  # RFC 3461 §4.3
    "ENVID": ("envid", _text),
}
_MAIL_BY: dict[str, tuple[str, Reader]] = {**_MAIL, "BY": ("by", _by)}
_RCPT: dict[str, tuple[str, Reader]] = {
    "NOTIFY": ("notify", _notify),
    "ORCPT": ("orcpt", _orcpt),
    "IGNOREQUOTA": ("ignore_quota", _flag),
}
