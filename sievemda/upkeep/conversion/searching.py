"""Searches of procmail and maildrop (a pattern, an area, whether case counts) as tests of Sieve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from sievemda.sieve.ere import Case
from sievemda.sieve.patterns import check, pattern
from sievemda.upkeep.conversion.expression import Char, Mark, Node, Row, Set, spliced
from sievemda.upkeep.conversion.fields import USUAL, Look, looks
from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.script import FALSE, Check, Test, any_of, quote, quote_list
from sievemda.upkeep.conversion.wording import Match, Part, match_of, numbers, part_anywhere, parts_behind

_P = ParamSpec("_P")
_NEVER = Set(frozenset(), False)


@dataclass(frozen=True, slots=True)
class Search:
    """`capture`: what the pattern extracts is wanted, so that it must be a regular expression."""

    node: Node
    exact: bool = False  # case counts
    capture: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A test, and the groups of the pattern in the order of the match variables that hold them."""

    test: Test
    groups: tuple[int, ...] = ()


def _bounded(work: Callable[_P, Found]) -> Callable[_P, Found]:
    """Patterns that are too deep for us are too deep for anybody."""

    @wraps(work)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Found:
        try:
            return work(*args, **kwargs)
        except RecursionError:
            raise Impossible("a pattern is too complicated") from None

    return guarded


@_bounded
def in_header(search: Search, remarks: Remarks) -> Found:
    """Raises `Impossible`."""
    every = looks(search.node, remarks)
    if search.capture and len(every) != 1:
        raise Impossible("what a pattern extracts can come from several places of it")
    tests: list[Test] = []
    groups: tuple[int, ...] = ()
    for look in every:
        parts = _parts(look)
        if parts == [Part((), True, True)] and look.behind and look.rest == (Mark("end"),):
            remarks.approximate("a field with blanks alone counts as an empty one")
        if search.capture and len(parts) != 1:
            raise Impossible("what a pattern extracts can come from several places of it")
        if parts:
            tests.append(_field_test(look, _match(parts, search), search))
            groups = tuple(numbers(parts[0].items))
        if look.fields == USUAL and not search.capture:  # the `From ` line is as good as any
            tests.append(_field_test(Look((), look.rest), _match(parts, search), search))
    if not every or not tests:
        remarks.approximate("the pattern fits no field as programs write them, with a blank behind the colon")
    return Found(any_of(tests) if tests else FALSE, groups)


def _parts(look: Look) -> list[Part]:
    if not look.fields:
        return parts_behind(_without_date(look.rest), blank="")
    if look.rest == (_NEVER,):
        return []
    return parts_behind(look.rest) if look.behind else [part_anywhere(look.rest)]


def _without_date(rest: tuple[Node, ...]) -> tuple[Node, ...]:
    """Of the `From ` line without the blank in front of its date, which the envelope does not have."""
    rest = spliced(rest)
    return (*rest[:-1], Mark("end")) if rest[-1:] == (Char(" "),) else rest


def _match(parts: list[Part], search: Search, *, line: bool = False) -> Match:
    found = match_of(parts, fold=not search.exact, capture=search.capture, line=line)
    if found.kind == "regex":
        for key in found.keys:
            try:
                check(key, Case.EXACT if search.exact else Case.ASCII)
            except ValueError as e:
                raise Impossible(f"the pattern is no regular expression here: {e}") from e
    return found


def _field_test(look: Look, match: Match, search: Search) -> Test:
    encoded = "=?" if match.kind in {"contains", "is"} else "=\\?"
    if any(encoded in key for key in match.keys):
        raise Impossible("encoded words ('=?') are decoded before a script sees them")
    if not look.fields:
        return _check("envelope", '"from"', match, search, "envelope")
    if match == Match("contains", ("",)):
        return any_of([Check(f"exists {quote(_name(field))}") for field in look.fields])
    return _check("header", quote_list([_name(field) for field in look.fields]), match, search)


def _name(field: str) -> str:
    return "-".join(part.capitalize() for part in field.split("-"))


def _check(test: str, where: str, match: Match, search: Search, *requires: str) -> Check:
    comparator = ' :comparator "i;octet"' if search.exact else ""
    needs = {*requires, *(["regex"] if match.kind == "regex" else [])}
    where = f" {where}" if where else ""
    for key in match.keys:
        quote(key)
    return Check(f"{test}{comparator} :{match.kind}{where} {quote_list(match.keys)}", frozenset(needs))


@_bounded
def in_body(search: Search, remarks: Remarks) -> Found:
    """Text as it stands in the message, nothing decoded, as procmail sees it."""
    items = spliced((search.node,))
    begins = items[:1] == (Mark("edge"),)
    part = Part(items[1:] if begins else items, begins=False, ends=False)
    found = _match([part], search, line=True)
    if begins and found.kind == "contains":
        found = Match("matches", tuple(f"{key}*" for key in _globs(found.keys)))
    elif begins:
        found = Match("regex", tuple(f"^({key})" if not search.capture else f"^{key}" for key in found.keys))
    if items and Mark("edge") in items[1:]:
        remarks.approximate("'^^' at the end of a pattern for the body")
    return Found(_check("body :raw", "", found, search, "body"), tuple(numbers(items)))


@_bounded
def in_text_parts(search: Search, remarks: Remarks) -> Found:
    """Decoded text, as maildrop sees it."""
    found = _match([part_anywhere((search.node,))], search, line=True)
    remarks.approximate("of the body every text part is searched as a whole, not line by line")
    return Found(_check("body :text", "", found, search, "body"), tuple(numbers((search.node,))))


@_bounded
def in_envelope(search: Search) -> Found:
    """In the envelope sender."""
    match = _match([part_anywhere((search.node,))], search)
    return Found(_check("envelope", '"from"', match, search, "envelope"))


@_bounded
def in_text(search: Search, value: str) -> Found:
    """In what a variable holds when the message comes; `value` is the string with `${name}` in it."""
    part = part_anywhere((search.node,))
    match = match_of([part], fold=not search.exact, capture=search.capture)
    if match.kind == "regex":
        match = _match([part], search)
    return Found(_check("string", quote_list([value]), match, search, "variables"), tuple(numbers(part.items)))


def _globs(keys: tuple[str, ...]) -> list[str]:
    return ["".join(f"\\{c}" if c in "*?\\" else c for c in key) for key in keys]


def is_plain(node: Node) -> bool:
    """Whether a pattern is empty: it is found everywhere."""
    return spliced((node,)) in ((), (Row(()),))


def holds(search: Search, value: str) -> bool:
    """Whether a text that is known already is matched: that is answered here and now. Raises `Impossible`."""
    keys = match_of([part_anywhere((search.node,))], fold=not search.exact, capture=True).keys
    try:
        found = [pattern(key, Case.EXACT if search.exact else Case.ASCII) for key in keys]
    except ValueError as e:
        raise Impossible(f"the pattern is no regular expression here: {e}") from e
    return any(one.search(value.encode("utf-8", "replace")) is not None for one in found)
