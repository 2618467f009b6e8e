"""One line of a list of mailboxes: what belongs to a mailbox beside its messages, as JSON and back.

The form is that of Cyrus' `ctl_mboxlist -d`: internal name to an object whose numbers are strings. What Cyrus has in
other files stands under keys of our own, which it passes over: `quota` (resource to limit, in octets or a number),
`specialuse`, `annotations` (user, "" for all, to entry to value), `subscriptions` (internal names). A quota root where
there is no mailbox has the type `i`, an intermediate name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sievemda.errors import DataError
from sievemda.mail.annotation import canonical, fault
from sievemda.policy.quota import MAX_LIMIT, RESOURCES, Limits
from sievemda.store.annotations import LARGEST
from sievemda.store.names import MailboxName

MAIL, ROOT = "e", "i"
_LEFT_OUT = {  # by the letters of a type: what it is, and whether nobody is to be told of it
    "d": ("deleted", True),
    "i": ("intermediate", True),
    "r": ("remote", False),
}
Annotations = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file says of a mailbox, or of a quota root alone. None: it does not say."""

    where: str  # for messages: a line of a file
    name: MailboxName
    kind: str = MAIL
    partition: str = ""
    acl: tuple[tuple[str, str], ...] | None = None
    id: str = ""
    limits: Limits | None = None
    special_use: str | None = None
    annotations: Annotations | None = None
    subscriptions: tuple[str, ...] | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """By which entries are put in order: a user's together, a mailbox before those below it."""
        local, _, domain = (self.name.owner or "").partition("@")
        return (domain or self.name.domain, "user" if self.name.owner else "", local, *self.name.path)

    def encode(self) -> bytes:
        """As a row to be sorted: the key, and after it everything."""
        limits = None if self.limits is None else _numbers(self.limits)
        of = (self.where, self.name.owner, self.name.path, self.name.domain, self.partition, self.acl, self.id)
        more = (limits, self.special_use, self.annotations, self.subscriptions)
        return "\x01".join(self.key).encode() + b"\x00" + self.kind.encode() + json.dumps((*of, *more)).encode()


def decoded(row: bytes) -> Entry:
    rest = row.partition(b"\x00")[2].decode()
    where, owner, path, domain, partition, acl, id_, *more = json.loads(rest[1:])
    limits, use, annotations, subscriptions = more
    return Entry(
        where,
        MailboxName(owner, tuple(path), domain),
        rest[0],
        partition,
        None if acl is None else tuple((name, rights) for name, rights in acl),
        id_,
        None if limits is None else Limits(**limits),
        use,
        annotations,
        None if subscriptions is None else tuple(subscriptions),
    )


def _numbers(limits: Limits) -> dict[str, int]:
    fields = ("storage", "messages", "mailboxes", "annotation")
    return {field: value for field in fields if (value := getattr(limits, field)) is not None}


class Left(Exception):
    """An entry that is not for us: what it is, and whether nobody is to be told."""

    def __init__(self, what: str, why: str = "", *, silent: bool = False) -> None:
        super().__init__(why or what)
        self.what = what
        self.silent = silent


def type_of(text: str, server: str = "") -> str:
    """MAIL or ROOT for the type of an entry, as letters or as a number; Left for what is no mail folder of ours."""
    if server or text in ("r", "1"):
        raise Left("remote", f"it lies on {server[:80]}" if server else "it lies on another server")
    letters = set(text)
    for letter, (what, silent) in _LEFT_OUT.items():
        if letter in letters:
            raise Left(what, silent=silent)
    if text not in ("", "0", MAIL):
        raise Left("not mail", f"it is of type {text[:20]!r}, which is no mail folder")
    return MAIL


def from_json(where: str, name: MailboxName, fields: Mapping[str, Any]) -> Entry:
    """Left for what is not for us; DataError for what cannot be understood."""
    quota = fields.get("quota")
    kind = _text(fields, "mbtype")
    if not (ROOT in kind and isinstance(quota, dict)):
        kind = type_of(kind, _text(fields, "server"))
    use = fields.get("specialuse")
    if use is not None and not isinstance(use, str):
        raise DataError("specialuse is no string")
    return Entry(
        where,
        name,
        MAIL if kind == MAIL else ROOT,
        _text(fields, "partition"),
        _acl(fields.get("acl")),
        _text(fields, "uniqueid"),
        None if quota is None else limits_of(quota),
        use,
        _annotations(fields.get("annotations")),
        _subscriptions(fields.get("subscriptions")),
    )


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{key} is no string")
    return _utf8(key, str(value))


def _utf8(what: str, text: str) -> str:
    """The text; DataError for half a pair of surrogates, which JSON can have and no file."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{what[:80]} has characters in it that are no text: {text[:80]!r}") from error
    return text


def _acl(value: Any) -> tuple[tuple[str, str], ...] | None:
    """An object, as Cyrus writes it since 3.4, or one string with tabs in it."""
    if value is None:
        return None
    if isinstance(value, str):
        return acl_of(value)
    if not isinstance(value, dict) or not all(isinstance(rights, str) for rights in value.values()):
        raise DataError("acl is no object of strings")
    return tuple(value.items())


def acl_of(text: str) -> tuple[tuple[str, str], ...]:
    """`alice<TAB>lrs<TAB>bob<TAB>lr<TAB>`; DataError when it is cut off."""
    words = text.removesuffix("\t").split("\t") if text else []
    if len(words) % 2:
        raise DataError("its ACL is cut off: identifiers and rights come in pairs")
    return tuple(zip(words[::2], words[1::2], strict=True))


def limits_of(value: Any, kib: int = 1) -> Limits:
    """Limits by resource; `kib` is the unit of those of room. A limit may be in an object `limit`, as in a report."""
    if not isinstance(value, dict):
        raise DataError("quota is no object")
    found: dict[str, int] = {}
    for resource, said in value.items():
        field = RESOURCES.get(resource.upper())
        if field is None:
            raise DataError(f"{resource[:80]!r} is not a resource")
        limit = _number(resource, said.get("limit") if isinstance(said, dict) else said)
        if limit is not None:
            found[field] = limit * (kib if field in ("storage", "annotation") else 1)
            if found[field] > MAX_LIMIT:
                raise DataError(f"{resource} has a limit that cannot be")
    return Limits(**found)


def _number(resource: str, said: Any) -> int | None:
    """None for no limit."""
    text = str(said)
    if said is None or text == "-1":
        return None
    if isinstance(said, bool) or not (text.isascii() and text.isdigit() and len(text) < 20):
        raise DataError(f"{resource} has a limit that is no number: {text[:80]!r}")
    return int(text)


def _annotations(value: Any) -> Annotations | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(entries, dict) for entries in value.values()):
        raise DataError("annotations is no object of objects")
    found: Annotations = {}
    for user, entries in value.items():
        for entry, text in entries.items():
            if wrong := fault(entry):
                raise DataError(f"{entry[:80]!r} is no annotation: {wrong}")
            if not isinstance(text, str):
                raise DataError(f"the annotation {entry[:80]!r} is no string")
            found.setdefault(_utf8("a user's name", user), {})[canonical(entry)] = _utf8(entry, text)
    if len(json.dumps(found)) > LARGEST:
        raise DataError(f"the annotations are longer than {LARGEST} octets")
    return found


def _subscriptions(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise DataError("subscriptions is no list of names")
    return tuple(value)
