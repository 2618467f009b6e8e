"""Header tests of a rule: `{ field = "List-Id", contains = ["news", "sale"] }`, or a list of such tables.

A message fits when a field of that name has one of the values; `exists = true` asks for any value. `not = true` turns a
test round: then a message without such a field fits as well.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from sievemda.sieve.ere import Case
from sievemda.sieve.patterns import check
from sievemda.upkeep.expiry.criteria import HeaderTest, How

_FIELD = re.compile(r"[!-9;-~]{1,100}")  # RFC 5322 §2.2
_KEYS = {"field", "not", *get_args(How)}


def header_tests(value: Any) -> tuple[HeaderTest, ...]:
    """Raises ValueError."""
    tables = value if isinstance(value, list) else [value]
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise ValueError('write { field = "List-Id", contains = "news" }, or a list of such tables')
    return tuple(map(_test, tables))


def _test(table: dict[str, Any]) -> HeaderTest:
    if odd := sorted(set(table) - _KEYS):
        raise ValueError(f"{odd[0][:100]!r}: there are only field, not, {', '.join(get_args(How))}")
    field, negated = table.get("field"), table.get("not", False)
    if not isinstance(field, str) or not _FIELD.fullmatch(field):
        raise ValueError('of which field? Such as field = "List-Id"')
    if not isinstance(negated, bool):
        raise ValueError("not: write true or false")  # noqa: TRY004 - one kind of error to collect
    ways = [how for how in get_args(How) if how in table]
    if len(ways) != 1:
        raise ValueError(f"say one of {', '.join(get_args(How))}")
    how: How = ways[0]
    if how == "exists":
        if not isinstance(table[how], bool):
            raise ValueError("exists: write true or false")
        return HeaderTest(field, how, (), negated == table[how])
    values = table[how] if isinstance(table[how], list) else [table[how]]
    if not values or not all(isinstance(each, str) for each in values):
        raise ValueError(f"{how}: write a text or a list of texts")
    if how == "regex":
        for each in values:
            check(each, Case.ASCII)
    return HeaderTest(field, how, tuple(values), negated)
