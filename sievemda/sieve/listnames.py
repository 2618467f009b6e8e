"""Names of external lists: absolute URIs, and the form in which two names of one list are equal. RFC 6134 §2.5, §2.6.

A name that begins with a colon stands for a URN of Sieve. Of the URI the scheme and the fixed part of such a URN know
no case, nor does the address book `default`; all else keeps its case. The name of an address book is decoded.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

SIEVE_URN = "urn:ietf:params:sieve:"
ADDRESS_BOOK = SIEVE_URN + "addrbook:"
DEFAULT_BOOK = ADDRESS_BOOK + "default"

_PCHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_ABSOLUTE = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*+:(?:{_PCHAR}|[/?\[\]])+")  # RFC 3986 §4.3: no fragment
_BOOK = re.compile(rf"({_PCHAR}+)(\?(?:{_PCHAR}|[/?])*)?")  # RFC 6134 §2.6: a segment, and a query for extensions
_MOST = 1_024  # characters; longer than any name that a person gives


def normal_name(name: str) -> str | None:
    """The normal form of a name; `None` when it is no name of a list."""
    uri = SIEVE_URN + name[1:] if name.startswith(":") else name
    if len(uri) > _MOST or uri == SIEVE_URN or not _ABSOLUTE.fullmatch(uri):
        return None
    if uri[: len(SIEVE_URN)].lower() == SIEVE_URN:
        return _sieve_name(uri[len(SIEVE_URN) :])
    scheme, _, rest = uri.partition(":")
    return f"{scheme.lower()}:{rest}"


def _sieve_name(parameter: str) -> str | None:
    kind, _, rest = parameter.partition(":")
    if unquote(kind).lower() != "addrbook":
        return SIEVE_URN + parameter
    parts = _BOOK.fullmatch(rest)  # `addrbook` in itself has no meaning
    if parts is None:
        return None
    book = unquote(parts[1], errors="surrogateescape")
    return ADDRESS_BOOK + ("default" if book.lower() == "default" else book) + (parts[2] or "")
