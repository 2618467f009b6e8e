"""The settings of external lists (RFC 6134): one table for each, `[sieve.sieve_extlists.LABEL]`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sievemda.config import ExternalList
from sievemda.errors import ConfigurationError

_PLACES = ("file", "dict", "vcards", "sqlite")


class ListTables:
    """Gathers the values of the tables, each under `LABEL.FIELD`."""

    def __init__(self, convert: Callable[[Any, Any, Path], Any]) -> None:
        self._convert = convert
        self._tables: dict[str, dict[str, Any]] = {}

    def take(self, key: str, value: Any, base: Path) -> None:
        """One value. Raises ValueError in words."""
        label, _, field = key.rpartition(".")
        if not label or field not in ExternalList.declared:
            raise ValueError(f"no such setting of a list; there are {', '.join(sorted(ExternalList.declared))}")
        kind = {"users": tuple[str, ...], "exact": bool, "max_lookup_size": int}.get(field, str)
        self._tables.setdefault(label, {})[field] = self._convert(kind, value, base)

    def lists(self) -> dict[str, ExternalList]:
        """The lists by label. Raises ConfigurationError for one that is not complete."""
        made = {label: ExternalList(**fields) for label, fields in self._tables.items()}
        problems = [f"sieve.sieve_extlists.{label}: {why}" for label, one in made.items() if (why := _fault(one))]
        if problems:
            raise ConfigurationError(*problems)
        return made


def _fault(one: ExternalList) -> str:
    from sievemda.sieve.listnames import normal_name  # noqa: PLC0415 - only who has lists loads the language

    if normal_name(one.name) is None:
        return f"name: {one.name!r} is not an absolute URI, such as tag:example.com,2026:friends"
    if sum(bool(getattr(one, place)) for place in _PLACES) != 1:
        return f"set one of {', '.join(_PLACES)}"
    if one.sqlite and not (one.statement or one.members):
        return "sqlite: a statement is wanted, such as 'select address from friends where owner = {user}'"
    return ""
