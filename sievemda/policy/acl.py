"""Access control lists: RFC 4314 rights with the arithmetic of Cyrus (semantics, section 6).

An `Acl` is a value: identifiers and their rights, positive and negative. It says what somebody may do; who that
somebody is, which groups he belongs to and where the list is kept is the business of others.

Identifiers: a user id, `anyone` (everybody), `anonymous` (who gave no name), `authenticated` (who gave one; Dovecot
writes it), `group:NAME`; a `-` in front takes rights away.

Why `c` and `d` are not kept: they are names for groups of rights (RFC 4314 §2.1.1). They are resolved when rights are
read and added when rights are printed, so that nothing has to ask for both spellings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass

from sievemda.errors import DataError

Rights = frozenset[str]

ANYONE = "anyone"
ANONYMOUS = "anonymous"
AUTHENTICATED = "authenticated"

_ORDER = "lrswipkxte"
_TAIL = "an0123456789"
_MACROS = {"c": Rights("kx"), "d": Rights("te")}
_NAMED = {
    "none": "",
    "read": "lrs",
    "post": "lrsp",
    "append": "lrsip",
    "write": "lrswipkxte",
    "delete": "lrxte",
    "all": "lrswipkxtea",
}
NO_RIGHTS = Rights()
ALL_RIGHTS = Rights(_ORDER + "an")  # what the owner of a folder without an ACL has

_BAD_IDENTIFIER = re.compile(r"[^ -~]|[%&*/:?]")
_BAD_GROUP = re.compile(r"[\x00-\x1f\x7f%*/?:]")
MAX_IDENTIFIER = 80  # octets


def parse_rights(text: str, deleteright: str = "c") -> Rights:
    """`lrsp`, `lrswipcd`, or a word such as `read`; DataError for an unknown letter. RFC 4314 §2.1.1, §4.

    `c` and `d` count only when none of their members is in the same string: `kc` grants `k` alone. `deleteright` is
    the letter that brings the right to delete the mailbox (`x`) along.
    """
    text = _NAMED.get(text, text)
    letters = set(text)
    rights = letters - _MACROS.keys()
    if unknown := sorted(rights - set(_ORDER + _TAIL)):
        raise DataError(f"{unknown[0]!r} in {text[:80]!r} is not a right (known are {_ORDER}cd{_TAIL[:2]} and digits)")
    for macro, members in _macros(deleteright).items():
        if macro in letters and not members & letters:
            rights |= members
    return Rights(rights)


def _macros(deleteright: str) -> dict[str, Rights]:
    if deleteright == "c":
        return _MACROS
    macros = {"c": Rights("k"), "d": Rights("te")}
    macros[deleteright] = macros.get(deleteright, NO_RIGHTS) | Rights("x")
    return macros


def format_rights(rights: Rights) -> str:
    """The letters in the order of Cyrus, with `c` and `d` where one of their members is there."""
    legacy = "".join(macro for macro, members in _MACROS.items() if members & rights)
    return "".join(right for right in _ORDER if right in rights) + legacy + "".join(r for r in _TAIL if r in rights)


def with_implied(rights: Rights) -> Rights:
    """With what `a` brings along where the setting acl_admin_implies_write says so."""
    return rights | Rights("switen") if "a" in rights else rights


class BadIdentifier(DataError):
    """Nobody can have that identifier in an ACL."""


class UnknownGroup(BadIdentifier):
    """The identifier is that of a group that does not exist."""

    exit_code = os.EX_NOUSER


def check_identifier(identifier: str) -> None:
    """BadIdentifier when nobody can have it (semantics, section 6)."""
    name = identifier.removeprefix("-")  # the limit is on the name, not on what is done with it
    bad = _BAD_GROUP.search(name[6:]) if name.startswith("group:") else _BAD_IDENTIFIER.search(name)
    if bad or not name or name == "group:" or len(name.encode("utf-8", "surrogatepass")) > MAX_IDENTIFIER:
        raise BadIdentifier(f"{identifier[:100]!r} cannot stand in an ACL")


@dataclass(frozen=True, slots=True)
class Acl:
    """Entries in the order in which they were made; no identifier stands twice, none has no rights."""

    entries: tuple[tuple[str, Rights], ...] = ()

    @classmethod
    def parse(cls, text: str, deleteright: str = "c") -> Acl:
        """`anyone lrs fred lrsp`, as in the setting defaultacl."""
        words = text.split()
        if len(words) % 2:
            raise DataError(f"{text!r} is not a list of identifiers and rights")
        acl = cls()
        for identifier, rights in zip(words[::2], words[1::2], strict=True):
            acl = acl.changed(identifier, rights, deleteright)
        return acl

    def get(self, identifier: str) -> Rights:
        return next((rights for name, rights in self.entries if name == identifier), NO_RIGHTS)

    def having(self, identifier: str, rights: Rights) -> Acl:
        """With exactly these rights for the identifier; without rights it vanishes."""
        if any(name == identifier for name, _ in self.entries):
            kept = tuple((name, rights if name == identifier else old) for name, old in self.entries)
        else:
            kept = (*self.entries, (identifier, rights))
        return Acl(tuple(entry for entry in kept if entry[1]))

    def changed(self, identifier: str, change: str, deleteright: str = "c") -> Acl:
        """After a SETACL: `change` is rights, or rights to add (`+p`) or to take away (`-p`). RFC 4314 §3.1."""
        check_identifier(identifier)
        if change[:1] == "+":
            return self.having(identifier, self.get(identifier) | parse_rights(change[1:], deleteright))
        if change[:1] == "-":
            return self.having(identifier, self.get(identifier) - parse_rights(change[1:], deleteright))
        return self.having(identifier, parse_rights(change, deleteright))

    def without(self, identifier: str) -> Acl:
        return self.having(identifier, NO_RIGHTS)

    def secured(self, owner: str | None, implicit: Rights) -> Acl:
        """With the rights that an owner gets with every change of his entry, and never loses by a negative one."""
        if owner is None:
            return self
        negative = self.get(f"-{owner}") - implicit
        return self.having(owner, self.get(owner) | implicit).having(f"-{owner}", negative)

    def kept_for(self, owner: str | None, changed: str, implicit: Rights) -> Acl:
        """After a change of one entry: with the owner's implicit rights in his entry when it was about him.

        A negative entry stays as it was asked for, as in Cyrus: an administrator may take a right from an owner.
        """
        if owner is None or changed.removeprefix("-") != owner:
            return self
        return self.having(owner, self.get(owner) | implicit)

    def renamed(self, old: str, new: str) -> Acl:
        """The same list for somebody who has got another user id; what that id had already, it keeps."""
        names = {old: new, f"-{old}": f"-{new}"}
        acl = Acl()
        for name, rights in self.entries:
            now = names.get(name, name)
            acl = acl.having(now, acl.get(now) | rights)
        return acl

    def rights_of(self, identity: str | None, groups: Collection[str] = ()) -> Rights:
        """What `identity` (None is anonymous) may do: the union of what is granted, less what is taken away."""
        who = {ANYONE, ANONYMOUS} if identity is None else {ANYONE, AUTHENTICATED, identity}
        who.update(f"group:{group}" for group in groups)
        granted, taken = self.sums(who)
        return granted - taken

    def sums(self, who: Collection[str]) -> tuple[Rights, Rights]:
        """All that is granted to these identifiers, and all that is taken from them."""
        granted: set[str] = set()
        taken: set[str] = set()
        for name, rights in self.entries:
            if name in who:
                granted |= rights
            elif name[0] == "-" and name[1:] in who:
                taken |= rights
        return Rights(granted), Rights(taken)

    def mentions_groups(self) -> bool:
        return any("group:" in name for name, _ in self.entries)

    def __str__(self) -> str:
        return " ".join(f"{name} {format_rights(rights)}" for name, rights in self.entries)
