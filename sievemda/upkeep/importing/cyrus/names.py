"""Names of mailboxes as Cyrus keeps them, as names of ours.

`user.alice.Lists` and `example.org!user.alice` stand in headers, lists and quotas, with `^` for a dot in a component
and modified UTF-7 for what is not ASCII; the separator is U+001F in newer databases. In a spool the same components are
directories, behind a letter for the hash and `domain/e/example.org` where there are such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sievemda.store.spelling import decode_utf7

_SEPARATOR = "\x1f"
_HASH = re.compile(r"[a-zA-W]")


@dataclass(frozen=True, slots=True)
class Name:
    """`parts` of a user's mailbox begin with `user`."""

    parts: tuple[str, ...]
    domain: str = ""

    @property
    def user(self) -> str:
        """Whose it is, with the domain; empty for a shared folder."""
        if len(self.parts) < 2 or self.parts[0] != "user":
            return ""
        return f"{self.parts[1]}@{self.domain}" if self.domain else self.parts[1]

    @property
    def path(self) -> tuple[str, ...]:
        """Below the INBOX, or among the shared folders."""
        return self.parts[2:] if self.user else self.parts

    @property
    def is_deleted(self) -> bool:
        return self.parts[0] == "DELETED"

    @property
    def is_internal(self) -> bool:
        """Whether it holds scripts, calendars and the like, and no mail."""
        return bool(self.user) and bool(self.path) and self.path[0].startswith("#")

    def __str__(self) -> str:
        text = "/".join(self.parts)
        return f"{text}@{self.domain}" if self.domain else text


def internal(text: str) -> Name | None:
    """`example.org!user.alice.a^b`; None when it is no name."""
    domain, mark, rest = text.partition("!")
    if not mark:
        domain, rest = "", text
    parts = rest.split(_SEPARATOR) if _SEPARATOR in rest else rest.split(".")
    dots = _SEPARATOR not in rest
    found = tuple(_decoded(part.replace("^", ".") if dots else part) for part in parts)
    return Name(found, domain) if all(found) else None


def of_directory(directory: Path, top: Path, headed: set[Path]) -> Name | None:
    """The name of the mailbox in a directory of a spool; `headed` are the directories that have a header."""
    parts = list(directory.relative_to(top).parts)
    domain = ""
    if parts[:1] == ["domain"] and len(parts) > 1:
        del parts[0]
        if _HASH.fullmatch(parts[0]) and len(parts) > 1:
            del parts[0]
        domain = parts.pop(0)
    above = directory.parents[len(parts) - 1] if parts else directory
    if len(parts) > 1 and _HASH.fullmatch(parts[0]) and above / parts[0] not in headed:
        del parts[0]
    found = tuple(_decoded(part.replace("^", ".")) for part in parts)
    if not found or found == ("user",):
        return None
    return Name(found, domain.replace("^", "."))


def _decoded(part: str) -> str:
    decoded = decode_utf7(part)
    return part if decoded is None else decoded
