"""Files of rules as TOML: a table [general], and a table [rules.NAME] for each rule, whose content is the caller's."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from sievemda.errors import DataError
from sievemda.given import open_given

_MAX_SIZE = 1 << 20  # octets of a file
_MAX_NAME = 60  # characters of a name in an error


def read_tables(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """[general], and what stands below [rules]. DataError says what is wrong where; OSError when it cannot be read."""
    with open_given(path) as file:
        content = file.read(_MAX_SIZE + 1)
    if len(content) > _MAX_SIZE:
        raise DataError(f"{path}: a file of rules has at most {_MAX_SIZE} octets")
    try:
        tree = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as e:  # no TOML, no UTF-8, a number without an end, a nest of brackets
        raise DataError(f"{path}: {e}") from e
    if odd := sorted(set(tree) - {"general", "rules"}):
        raise DataError(f"{path}: {clean_name(odd[0])}: there are only [general] and [rules.NAME]")
    rules = as_table(path, "rules", tree.get("rules", {}))
    if not rules:
        raise DataError(f"{path}: there is no rule: write a table [rules.NAME]")
    return as_table(path, "general", tree.get("general", {})), rules


def as_table(path: Path, name: str, found: Any) -> dict[str, Any]:
    """What must be a table. DataError."""
    if not isinstance(found, dict):
        raise DataError(f"{path}: {name}: write a table [{name}]")
    return found


def clean_name(name: str) -> str:
    """A name from the file as it may stand in an error of one line."""
    return name[:_MAX_NAME] if name.isprintable() else repr(name[:_MAX_NAME])
