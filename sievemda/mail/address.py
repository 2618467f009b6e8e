"""Addresses as RFC 5321 §4.1.2 writes them in MAIL and RCPT.

An `Address` holds the local part as it *means* (quotes and backslashes undone); `str()` writes it back so that it
can stand in a path. The null reverse-path is `None`, never an empty string and never `<>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The characters that may stand in an unquoted local part: an atom of RFC 5321 plus dots anywhere (deployed systems
# have leading, trailing and doubled dots) plus UTF-8 (RFC 6531 §3.3).
_ATOM = re.compile(r"[^\x00-\x20\x7f()<>\[\]\\,;:@\"]+")
# Letters, digits, `_` and everything beyond ASCII. Said by what they are not: to compile a range up to the last
# character takes milliseconds, and every command would wait for that.
_ALNUM = r"[^\x00-/:-@\[-^`{-\x7f]"
_LABEL = rf"{_ALNUM}(?:[^\x00-,./:-@\[-^`{{-\x7f]*{_ALNUM})?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\]|\[[A-Za-z0-9-]+:[!-Z^-~]+\]")
# Outside quotes a backslash takes the next character as it is, as old clients write it.
_LOCAL = re.compile(rf"(?:{_ATOM.pattern[:-1]}|\\[^\x00-\x1f\x7f])+")
_QUOTED = re.compile(r'"((?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*)"')
_ROUTE = re.compile(rf"@(?:{_DOMAIN.pattern})(?:,@(?:{_DOMAIN.pattern}))*:")
_SURROGATE = re.compile("[\ud800-\udfff]")  # what octets that are not UTF-8 stand as

MAX_LOCAL = 256  # octets; RFC 5321 §4.5.3.1.1 asks for 64 at least, sub-addresses and VERP need more
MAX_DOMAIN = 255


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address; `domain` is empty for a bare local part such as `postmaster`."""

    local: str
    domain: str = ""

    def __str__(self) -> str:
        local = self.local
        if not _ATOM.fullmatch(local):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{local}@{self.domain}" if self.domain else local


def parse_address(text: str) -> Address | None:
    """`local@domain` or a bare local part, without brackets; `None` when it is not an address. RFC 5321 §4.1.2.

    Octets that are not UTF-8 are in no address: RFC 6531 §3.3.
    """
    written = _QUOTED.match(text) or _LOCAL.match(text)
    if not written or not (text.isascii() or _SURROGATE.search(text) is None):
        return None
    local = written[1] if text[0] == '"' else written[0]
    if "\\" in local:
        local = re.sub(r"\\(.)", r"\1", local)
    rest = text[written.end() :]
    if rest and not (rest[0] == "@" and _DOMAIN.fullmatch(rest, 1)):
        return None
    if len(local.encode()) > MAX_LOCAL or len(rest) > MAX_DOMAIN + 1:
        return None
    return Address(local, rest[1:])


def strip_route(path: str) -> str:
    """Skip an obsolete source route `@a,@b:`; RFC 5321 §4.1.1.3 and appendix C."""
    route = _ROUTE.match(path)
    return path[route.end() :] if route else path
