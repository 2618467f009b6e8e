"""Cyrus' internal names of mailboxes, as in the dumps of its databases (semantics, section 1).

`[domain!]user.LOCALPART[.box]*` for a user's, `[domain!]box[.box]*` for shared ones; a dot inside a component is `^`,
and what is not ASCII stands in modified UTF-7. What was deleted is `DELETED.NAME.HEX`.

Why `^` and `!` become shifts of modified UTF-7 where they are part of a name: Cyrus has no such names, folders that an
IMAP server made may have; `^` would be read as a dot and `!` as the end of a domain.
"""

from __future__ import annotations

import re

from sievemda.errors import DataError
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.spelling import decode_utf7, encode_utf7

_DELETED = re.compile(r"(?:[^!]*!)?DELETED(?:\.|$)")
_SHIFTED = {"^": "&AF4-", "!": "&ACE-"}
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_deleted(text: str) -> bool:
    """Whether an internal name is that of a mailbox that was deleted and can still be brought back."""
    return _DELETED.match(text) is not None


def format_internal(name: MailboxName) -> str:
    """A root of a domain, which has neither owner nor path, is `example.org!`."""
    local, _, domain = (name.owner or "").partition("@")
    parts = list(map(_encoded, name.path))
    if name.owner is not None:
        parts = ["user", _encoded(local), *parts]
    domain = domain or name.domain
    return (f"{domain}!" if domain else "") + ".".join(parts)


def _encoded(component: str) -> str:
    text = encode_utf7(component)
    for character, shift in _SHIFTED.items():
        text = text.replace(character, shift)
    return text.replace(".", "^")


def parse_internal(namespace: Namespace, text: str) -> MailboxName:
    """The mailbox of an internal name; also of an administrator's with slashes, which stand in no internal one.

    DataError when no mailbox can have that name.
    """
    if _UNREADABLE.search(text):
        raise DataError(f"{text[:200]!r} cannot be a mailbox: it has control characters or is not UTF-8")
    if "/" in text:
        return namespace.parse_admin(text)
    domain, bang, rest = text.rpartition("!")
    domain = namespace.domain(domain) if bang else ""
    if bang and not rest:
        if not domain:
            raise DataError(f"{text[:200]!r} is the root of no domain")
        return MailboxName(None, (), domain)
    parts = [_decoded(part, text) for part in rest.split(".")]
    if parts[0] != "user":
        return MailboxName(None, tuple(parts), domain)
    if len(parts) == 1:
        raise DataError(f"{text[:200]!r} names no mailbox: a user's name must follow")
    return MailboxName(namespace.user(parts[1], domain), tuple(parts[2:]))


def _decoded(part: str, text: str) -> str:
    found = part.replace("^", ".")
    for character, shift in _SHIFTED.items():
        found = found.replace(shift, character)
    decoded = decode_utf7(found)
    if not decoded or decoded in (".", "..") or _UNREADABLE.search(decoded):
        raise DataError(f"{text[:200]!r} cannot be a mailbox: {part[:80]!r} is no part of a name")
    return decoded
