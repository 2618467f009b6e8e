"""A pattern that procmail or maildrop searches for in the header, as tests of the fields that it names.

What names its field (`^Subject:.*x`, `^(To|Cc):.*x`, `^TO_x`) is exact. What names none is looked for in the fields in
which people look for things, and what names part of a name in the fields that are called so: approximate, and told.
Why not left out: `* list-owner@example.org` without a field is what half of all such files have, and it means these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sievemda.upkeep.conversion.expression import (
    Alternatives,
    Char,
    Group,
    Mark,
    Node,
    Repeat,
    Set,
    Wild,
    spliced,
)
from sievemda.upkeep.conversion.report import Impossible, Remarks

_CHOICES = 12  # characters of a set that are tried one by one in a name
_FORKS = 300  # ways to read the front of a pattern
_NAME = re.compile(r"[!-9;-~]+")  # RFC 5322 §2.2
_FIELD_MISSING = "a pattern without a field is looked for in the usual fields only"
USUAL = ("from", "to", "cc", "subject", "sender", "reply-to", "return-path", "list-id", "delivered-to", "message-id")
KNOWN = (
    *USUAL, "bcc", "date", "received", "references", "in-reply-to", "resent-from", "resent-to", "resent-cc",
    "resent-sender", "list-post", "list-unsubscribe", "list-help", "list-archive", "list-subscribe", "list-owner",
    "mailing-list", "x-mailing-list", "x-beenthere", "x-loop", "precedence", "organization", "errors-to", "x-mailer",
    "user-agent", "x-spam-flag", "x-spam-status", "x-spam-level", "x-original-to", "x-envelope-to", "envelope-to",
    "x-envelope-from", "apparently-to", "original-to", "content-type", "mime-version", "auto-submitted", "newsgroups",
    "keywords", "comments", "importance", "x-priority", "x-list",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look and for what. `fields` empty: the envelope sender, which stands in the `From ` line.

    `behind`: the pattern begins right behind the colon; else it is searched for in the value.
    """

    fields: tuple[str, ...]
    rest: tuple[Node, ...]
    behind: bool = True


@dataclass(frozen=True, slots=True)
class _Reading:
    name: str
    rest: tuple[Node, ...]
    bound: bool  # a line begins where the name does


def looks(node: Node, remarks: Remarks) -> list[Look]:
    """Raises `Impossible`."""
    found: list[Look] = []
    readings, steps = [_Reading("", (node,), bound=False)], 0
    while readings:
        steps += 1
        if steps > _FORKS * 10 or len(readings) > _FORKS:
            raise Impossible("a pattern has too many forms")
        step = _step(readings.pop(0), remarks)
        readings[:0] = [one for one in step if isinstance(one, _Reading)]
        found += [one for one in step if isinstance(one, Look)]
    return _joined(found)


def _joined(found: list[Look]) -> list[Look]:
    """The same pattern in several fields is one look."""
    out: dict[tuple[tuple[Node, ...], bool, bool], tuple[str, ...]] = {}
    for one in found:
        key = (one.rest, one.behind, bool(one.fields))
        out[key] = tuple(dict.fromkeys((*out.get(key, ()), *one.fields)))
    return [Look(fields, rest, behind) for (rest, behind, _), fields in out.items()]


def _step(reading: _Reading, remarks: Remarks) -> Sequence[_Reading | Look]:
    """One node further: more readings, or what was read."""
    rest = spliced(reading.rest)
    if not rest:
        return [_prefix(reading.name, (), remarks)] if reading.bound else [_anywhere(reading, remarks)]
    forks = _forks(rest[0])
    if forks is not None:
        return [_Reading(reading.name, (*fork, *rest[1:]), reading.bound) for fork in forks]
    head, tail = rest[0], rest[1:]
    name, bound = reading.name, reading.bound
    match head:
        case Mark():
            return _marked(head, reading, rest, remarks)
        case Char(":") if name:
            return [_colon(reading, tail, remarks)]
        case Char(" ") if bound and name in {"from", ">from"}:
            return [Look((), tail)] if name == "from" else []
        case Char(value) if _NAME.fullmatch(value):
            return [_Reading(name + value.lower(), tail, bound)]
    return [_unnamed(reading, rest, remarks)]


def _forks(head: Node) -> list[tuple[Node, ...]] | None:
    """The ways that a node can be read in the name of a field; None when it is one thing."""
    match head:
        case Group(inner, _):
            return [(inner,)]
        case Alternatives(branches):
            return [(branch,) for branch in branches]
        case Repeat(inner, 0, 1):
            return [(inner,), ()]
        case Set(members, False) if len({c.lower() for c in members}) <= _CHOICES and all(
            map(_NAME.fullmatch, members)
        ):
            return [(Char(c),) for c in sorted({c.lower() for c in members})]
    return None


def _marked(mark: Mark, reading: _Reading, rest: tuple[Node, ...], remarks: Remarks) -> Sequence[_Reading | Look]:
    match mark.kind:
        case "begin":
            if reading.name or reading.bound:
                raise Impossible("a pattern goes over several lines of the header")
            return [_Reading("", rest[1:], bound=True)]
        case "edge":
            raise Impossible("'^^' in the header asks for the first line of it")
        case "split":
            raise Impossible("what MATCH is to hold begins before a field")
    return [_unnamed(reading, rest, remarks)]


def _colon(reading: _Reading, tail: tuple[Node, ...], remarks: Remarks) -> Look:
    if not reading.bound:
        remarks.approximate("a pattern without '^' is read as if the name of its field stood at the beginning")
    return Look((reading.name,), tail)


def _unnamed(reading: _Reading, rest: tuple[Node, ...], remarks: Remarks) -> Look:
    """What comes now is no character of a name."""
    head = rest[0]
    if reading.bound and isinstance(head, Char | Mark):
        if head == Mark("end"):
            raise Impossible("a pattern asks for a line of the header without a colon")
        return (
            Look(("from",), (Set(frozenset(), False),))
            if isinstance(head, Char)
            else _prefix(reading.name, rest, remarks)
        )
    colon = next((at for at, one in enumerate(rest) if one == Char(":")), 0)
    if colon:
        named = _fields_like(reading, rest[:colon])
        if named:
            remarks.approximate(f"a field with a name like this is one of {', '.join(named)}")
            return Look(named, rest[colon + 1 :])
    if reading.bound and reading.name:
        return _prefix(reading.name, rest, remarks)
    return _anywhere(_Reading(reading.name, rest, reading.bound), remarks)


def _fields_like(reading: _Reading, pattern: tuple[Node, ...]) -> tuple[str, ...]:
    """The fields whose names fit; simple wildcards only."""
    text = ".*" * (not reading.bound) + re.escape(reading.name)
    for one in pattern:
        match one:
            case Char(value):
                text += re.escape(value.lower())
            case Wild() | Set():
                text += "."
            case Repeat(Wild() | Set(), _, _):
                text += ".*"
            case _:
                return ()
    if len(text) > 200 or text.count(".*") > 5:
        return ()
    compiled = re.compile(text)
    return tuple(field for field in KNOWN if compiled.fullmatch(field))


def _prefix(name: str, rest: tuple[Node, ...], remarks: Remarks) -> Look:
    """`^From.*x`: every field that is called so; what follows is searched for in its value."""
    if not name:
        return _anywhere(_Reading("", rest, bound=True), remarks)
    fields = tuple(dict.fromkeys((name, *(field for field in KNOWN if field.startswith(name)))))
    if name not in KNOWN and len(fields) > 1:
        fields = fields[1:]
    remarks.approximate(f"'^{name}' without a colon is read as the field {', '.join(fields)}")
    return Look(fields, rest, behind=False)


def _anywhere(reading: _Reading, remarks: Remarks) -> Look:
    remarks.approximate(_FIELD_MISSING)
    return Look(USUAL, (*map(Char, reading.name), *reading.rest), behind=False)
