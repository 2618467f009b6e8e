"""Names of annotations, RFC 5464 §3.2: what can be one, and the one spelling in which they are compared."""

from __future__ import annotations

import re

SHARED, PRIVATE = "/shared", "/private"
_SCOPE = re.compile(r"/(?:shared|private)/", re.IGNORECASE)
_VENDOR = re.compile(r"/[a-z]+/vendor(?:/|$)", re.IGNORECASE)
_LONGEST = 1_000  # characters


def fault(name: str) -> str:
    """What is wrong with the name of an entry, in words; empty when nothing is."""
    if not _SCOPE.match(name):
        return "it must begin with /private/ or /shared/"
    for wrong, text in (("//", "two slashes in a row"), ("*", "an asterisk"), ("%", "a percent sign")):
        if wrong in name:
            return f"it has {text}"
    if name.endswith("/"):
        return "it ends with a slash"
    if not name.isascii() or any(character < " " or character == "\x7f" for character in name):
        return "it has characters that are not printable ASCII"
    if _VENDOR.match(name) and name.count("/") < 4:
        return "an entry of a vendor has at least four parts"
    return "it is too long" if len(name) > _LONGEST else ""


def canonical(name: str) -> str:
    """Entry names are case-insensitive: this is the spelling under which one is kept."""
    return name.lower()
