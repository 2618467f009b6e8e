"""xtext: how parameters of MAIL and RCPT write what could not stand there. RFC 3461 §4."""

from __future__ import annotations

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")


def xtext(value: str) -> str | None:
    """The text that an xtext stands for (hex digits upper-case); `None` when it is not one."""
    if not _XTEXT.fullmatch(value):
        return None
    return unhex(value) if "+" in value else value


def to_xtext(text: str) -> str:
    """The inverse of `xtext`."""
    octets = text.encode("utf-8", "surrogateescape")
    plain = (chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}" for octet in octets)
    return "".join(plain)


def unhex(value: str) -> str:
    """A text with its `+XX` undone; octets that are not UTF-8 are kept."""
    octets = re.sub(rb"\+([0-9A-F]{2})", lambda m: bytes.fromhex(m[1].decode()), value.encode())
    return octets.decode("utf-8", "surrogateescape")
