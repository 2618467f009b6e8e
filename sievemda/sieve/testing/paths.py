"""Paths of SMTP as test files give them: `local@domain`, with angle brackets or without. RFC 5321 §4.1.2.

More is taken than the grammar has, as Pigeonhole does: dots anywhere in a local part, and labels of a domain that begin
or end with `-` or have `_`. A source route is checked and dropped.
"""

from __future__ import annotations

import re

from sievemda.mail.address import Address

_LABEL = r"[A-Za-z0-9_-]+"
_LITERAL = r"\[[!-Z^-~]+\]"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|{_LITERAL})"
_DOTTED = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_ROUTE = re.compile(rf"@{_DOMAIN}(?:,@{_DOMAIN})*:")
_PATH = re.compile(rf"({_DOTTED}|{_QUOTED})(?:@({_DOMAIN}))?")


def smtp_path(text: str, *, bare: bool = False) -> Address | None:
    """The address; `None` when it is none. With `bare` a local part alone will do."""
    bracketed = text.startswith("<") and text.endswith(">") and len(text) > 1
    path = text[1:-1] if bracketed else text
    route = _ROUTE.match(path) if bracketed else None
    found = _PATH.fullmatch(path, route.end() if route else 0)
    if found is None or not (found[2] or (bare and not route)):
        return None
    local = found[1]
    if local.startswith('"'):
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return Address(local, found[2] or "")
