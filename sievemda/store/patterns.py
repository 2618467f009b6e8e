"""Patterns of mailbox names as in LIST (RFC 3501 §6.3.8), over administrators' names.

`*` stands for anything, `%` for anything within one level. A pattern without a domain that ends in a wildcard matches
names of every domain; one without any wildcard matches the mailbox of that name alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sievemda.errors import DataError
from sievemda.store.names import MailboxName, Namespace


class Pattern:
    """DataError for what is neither a pattern nor a name."""

    def __init__(self, namespace: Namespace, text: str) -> None:
        local, at, domain = text.rpartition("@") if namespace.virtual else ("", "", "")
        if not at:
            local = text
        self._all = text == "*"
        self._only = None if {"*", "%"} & set(text) else namespace.parse_admin(text)
        self._separator = "." if _is_dotted(local, namespace.separator) else "/"
        self._local = wildcards(local, self._separator)
        any_domain = not at and local[-1:] in ("*", "%")
        self._domain = wildcards("*" if any_domain else _domain(namespace, domain), ".")
        self._head = re.split(r"[*%]", local, maxsplit=1)[0]
        self.user = None if namespace.virtual and any_domain else _one_user(namespace, text)

    @property
    def is_name(self) -> bool:
        """Whether it matches one mailbox alone."""
        return self._only is not None

    def matches(self, name: MailboxName) -> bool:
        if self._all:
            return True
        if self._only is not None:
            return name == self._only
        owner, _, domain = (name.owner or "").partition("@")
        parts = name.path if name.owner is None else ("user", owner, *name.path)
        return bool(self._domain(domain or name.domain) and self._local(self._text(parts)))

    def may_match_below(self, userid: str) -> bool:
        """Whether any mailbox of a user could match."""
        start = self._text(("user", userid.partition("@")[0]))
        return start.startswith(self._head) or self._head.startswith(start)

    def _text(self, parts: Sequence[str]) -> str:
        if self._separator == ".":
            return ".".join(part.replace(".", "^") for part in parts)
        return "/".join(parts)


def _is_dotted(pattern: str, separator: str) -> bool:
    """Either separator is understood where it is unambiguous."""
    if separator == "/":
        return pattern.startswith("user.") and "/" not in pattern
    return "/" not in pattern


def _domain(namespace: Namespace, text: str) -> str:
    """A domain as it is in names; a pattern of one stays, in lower case."""
    try:
        return text.lower() if {"*", "%"} & set(text) else namespace.domain(text)
    except DataError:
        return text.lower()


def _one_user(namespace: Namespace, text: str) -> str | None:
    """The user to whom a pattern is confined, if it is to one."""
    try:
        owner = namespace.parse_admin(text).owner
    except DataError:
        return None
    return owner if owner and not set(owner) & set("*%") else None


def wildcards(pattern: str, separator: str) -> Callable[[str], re.Match[str] | None]:
    """Runs of wildcards are one, so that a hostile pattern cannot make matching slow."""
    tokens = re.findall(r"[*%]+|[^*%]+", pattern)
    one_level = f"[^{re.escape(separator)}]*"
    parts = [(".*" if "*" in token else one_level) if token[0] in "*%" else re.escape(token) for token in tokens]
    return re.compile("".join(parts), re.DOTALL).fullmatch
