"""What the lines of a `dovecot-acl` mean to Dovecot, and the lines that make Dovecot enforce one of our ACLs.

Cyrus adds up everything that matches somebody and takes everything away that is taken from him. Dovecot goes through
the entries by their kind: anyone, authenticated, group, owner, user, group-override, and within a kind by name. Of each
kind the first entry that matches *replaces* what was granted so far, when it grants anything, and what was taken so
far, when it takes anything; further ones of that kind add to it. So `anyone lrs` and `user=bob p` give bob `p` alone.
A line without rights grants nothing, which replaces, too. Two lines for one identifier make an entry that grants and
takes. Whoever owns the mailbox has an entry that grants all and takes nothing, unless a line `owner` says otherwise.
(Found by asking Dovecot 2.3.19 for the rights of four users in some thousand random files; a test asks it again.)

`enforcing` therefore writes for each identifier what somebody of that name effectively has, and `equivalent` makes of
foreign lines an ACL that comes to the same by Cyrus' arithmetic. Two things cannot be said on the other side:

* Whoever has an entry of his own *and* is in a group that has one: his line is right for the groups that he is in when
  it is written. Change the ACL (any entry) after changing such a membership.
* In `equivalent`, a right that a group's line withholds from its members is taken from all of them, also from who is
  in another group or has a line of his own that grants it. The rights that count, `rights_of`, are Dovecot's exactly;
  only after the ACL has been changed here, the list counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sievemda.policy.acl import ALL_RIGHTS, ANONYMOUS, ANYONE, AUTHENTICATED, NO_RIGHTS, Acl, Rights

OWNER = "owner"
USER, GROUP, OVERRIDE = "user", "group", "group-override"
_ORDER = (ANYONE, AUTHENTICATED, GROUP, OWNER, USER, OVERRIDE)
LETTERS = "lrwstipekxa"  # in Dovecot's order
KNOWN = Rights(LETTERS)
_PREFIXED = {ANYONE, AUTHENTICATED}  # users whose bare name would be something else

GroupsOf = Callable[[str], Collection[str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the lines for one identifier grant and take; None is not the same as no rights."""

    kind: str
    name: str = ""
    granted: Rights | None = None
    taken: Rights | None = None

    @property
    def identifier(self) -> str:
        """The identifier of our ACLs; "owner" for whoever it is."""
        if self.kind == GROUP:
            return f"group:{self.name}"
        if self.kind != USER:
            return self.kind
        ambiguous = self.name in _PREFIXED or self.name.startswith(("-", "group:", "user="))
        return f"user={self.name}" if ambiguous else self.name


def entry_for(identifier: str, granted: Rights | None, taken: Rights | None) -> Entry:
    if identifier in (ANYONE, AUTHENTICATED):
        return Entry(identifier, "", granted, taken)
    if identifier.startswith("group:"):
        return Entry(GROUP, identifier[6:], granted, taken)
    return Entry(USER, identifier.removeprefix("user="), granted, taken)


def merged(lines: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that lines make, in the order of the lines."""
    found: dict[tuple[str, str], Entry] = {}
    for line in lines:
        key = (line.kind, line.name)
        if (old := found.get(key)) is None:
            found[key] = line
        else:
            granted = (old.granted or NO_RIGHTS) | (line.granted or NO_RIGHTS)
            found[key] = Entry(*key, granted, (old.taken or NO_RIGHTS) | (line.taken or NO_RIGHTS))
    return tuple(found.values())


# -- what Dovecot enforces ---------------------------------------------------------------------------------------------


def rights_of(
    entries: Collection[Entry], identity: str | None, groups: Collection[str] = (), *, owned: bool = False
) -> Rights:
    """What Dovecot lets somebody do; None is anonymous. `owned` says that the mailbox is his own."""
    who = {(ANYONE, ""), (USER, ANONYMOUS if identity is None else identity)}
    if identity is not None:
        who.add((AUTHENTICATED, ""))
    for group in groups:
        who |= {(GROUP, group), (OVERRIDE, group)}
    return _resolved(entries, who, owned=owned)


def _resolved(entries: Collection[Entry], who: Collection[tuple[str, str]], *, owned: bool = False) -> Rights:
    matching = [entry for entry in entries if (entry.kind, entry.name) in who]
    if owned:
        own = next((entry for entry in entries if entry.kind == OWNER), Entry(OWNER))
        granted = ALL_RIGHTS if own.granted is None else own.granted
        matching.append(Entry(OWNER, "", granted, own.taken or NO_RIGHTS))
    granted, taken, kind = NO_RIGHTS, NO_RIGHTS, ""
    for entry in sorted(matching, key=lambda entry: (_ORDER.index(entry.kind), entry.name)):
        if entry.granted is not None:
            granted = granted | entry.granted if entry.kind == kind else entry.granted
        if entry.taken is not None:
            taken = taken | entry.taken if entry.kind == kind else entry.taken
        kind = entry.kind
    return granted - taken


# -- ours as Dovecot's -------------------------------------------------------------------------------------------------


def enforcing(acl: Acl, owner: str | None, groups_of: GroupsOf) -> list[Entry]:
    """The entries with which Dovecot enforces an ACL, the owner's first when the ACL does not name him."""
    named = dict.fromkeys(name.removeprefix("-") for name, _ in acl.entries)
    order = [owner, *named] if owner is not None and owner not in named else [*named]
    made = (_enforcing_one(acl, name, owner, groups_of) for name in order)
    return [entry for entry in made if entry is not None]


def _enforcing_one(acl: Acl, name: str, owner: str | None, groups_of: GroupsOf) -> Entry | None:
    granted, taken = acl.get(name), acl.get(f"-{name}")
    if name == ANYONE:
        return Entry(ANYONE, "", granted - taken) if granted - taken else None
    common, withheld = acl.sums({ANYONE, AUTHENTICATED})
    if name == AUTHENTICATED:
        return Entry(AUTHENTICATED, "", common - withheld)
    if name.startswith("group:"):
        return entry_for(name, (common | granted) - withheld if granted else None, taken or None)
    identity = None if name == ANONYMOUS else name
    groups = groups_of(name) if identity and acl.mentions_groups() else ()
    if granted or name == owner:
        return entry_for(name, acl.rights_of(identity, groups), None)
    withheld = Rights().union(*(acl.get(f"-group:{group}") for group in groups))
    return entry_for(name, None, taken | withheld)


# -- Dovecot's as ours -------------------------------------------------------------------------------------------------


def equivalent(entries: Collection[Entry], owner: str | None, groups_of: GroupsOf) -> Acl:
    """An ACL that comes to what Dovecot enforces, as far as one can (see above), its entries in the order of the lines.

    Lines for group-override are not in it.
    """
    plain = [entry for entry in entries if entry.kind != OVERRIDE]
    made = _for_many(plain)
    users = [entry for entry in plain if entry.kind == USER and entry.name != owner]
    mentions_groups = any(entry.kind == GROUP for entry in plain)
    for entry in users:
        identity = None if entry.name == ANONYMOUS else entry.name
        groups = groups_of(entry.name) if identity and mentions_groups else ()
        who = _who(identity, entry.identifier, groups)
        made = _fitted(made, entry, who, rights_of(plain, identity, groups))
    if owner is not None:
        groups, own = groups_of(owner) if mentions_groups else (), ((OWNER, ""), (USER, owner))
        taken = (entry.taken or NO_RIGHTS for entry in plain if (entry.kind, entry.name) in own)
        entry = entry_for(owner, ALL_RIGHTS, Rights().union(*taken))
        made = _fitted(made, entry, _who(owner, owner, groups), rights_of(plain, owner, groups, owned=True))
    order = [owner if entry.kind == OWNER else entry.identifier for entry in plain]
    places = {name: place for place, name in reversed(list(enumerate(order)))}
    return Acl(tuple(sorted(made.entries, key=lambda entry: places.get(entry[0].removeprefix("-"), len(order)))))


def _for_many(entries: Collection[Entry]) -> Acl:
    """The part for those who are not named, made so that nothing need be taken from them, where that is possible."""
    everybody = _resolved(entries, {(ANYONE, "")})
    acl = Acl().having(ANYONE, everybody)
    if any(entry.kind == AUTHENTICATED for entry in entries):
        known = _resolved(entries, {(ANYONE, ""), (AUTHENTICATED, "")})
        acl = acl.having(ANYONE, everybody & known).having(AUTHENTICATED, known if known - everybody else NO_RIGHTS)
        acl = acl.having(ANONYMOUS, everybody if everybody - known else NO_RIGHTS)
    base, _ = acl.sums({ANYONE, AUTHENTICATED})
    for entry in entries:
        if entry.kind == GROUP:
            wanted = _resolved(entries, {(ANYONE, ""), (AUTHENTICATED, ""), (GROUP, entry.name)})
            acl = acl.having(entry.identifier, wanted if entry.granted is not None else wanted - base)
            acl = acl.having(f"-{entry.identifier}", (base - wanted) | (entry.taken or NO_RIGHTS))
    return acl


def _who(identity: str | None, identifier: str, groups: Collection[str]) -> set[str]:
    known = {ANONYMOUS} if identity is None else {AUTHENTICATED, identifier}
    return {ANYONE, *known, *(f"group:{group}" for group in groups)}


def _fitted(acl: Acl, entry: Entry, who: set[str], wanted: Rights) -> Acl:
    """With an entry that gives its bearer the wanted rights, whatever he has without it."""
    name = entry.identifier
    has, lacks = acl.sums(who)
    acl = acl.having(name, wanted if entry.granted is not None else acl.get(name) | (wanted - (has - lacks)))
    return acl.having(f"-{name}", (has - wanted - lacks) | ((entry.taken or NO_RIGHTS) - wanted))
