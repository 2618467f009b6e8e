"""Changes of one setting in a configuration file: comments, order and layout stay as somebody wrote them.

Why tomlkit: it is the one library that writes TOML back as it was read. It is loaded by whoever changes a file, never
by a delivery.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from sievemda import configload
from sievemda.config import Mode
from sievemda.errors import ConfigurationError


def changed(text: str, key: str, value: Any) -> str:
    """The text of a file with another value for the setting of that full key. ConfigurationError: it is no TOML."""
    document = _parsed(text)
    places = list(_places(document, key))
    if not places:
        return _ends_as(text, _added(text, key, value))
    for table, name in places:
        table[name] = value
    return _ends_as(text, _text(document))


def _ends_as(text: str, new: str) -> str:
    """With CR LF everywhere where that is how all lines ended before."""
    if not text or text.count("\n") != text.count("\r\n") or "\n" not in text:
        return new
    return re.sub(r"\r?\n", "\r\n", new)


def without(text: str, key: str) -> str:
    """The text without that setting, under whatever name; the same when it is not there."""
    document = _parsed(text)
    places = list(_places(document, key))
    for table, name in places:
        del table[name]
    return _ends_as(text, _text(document)) if places else text


def _parsed(text: str) -> Any:
    import tomlkit  # noqa: PLC0415 - only who changes a file needs it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the file is no TOML: {error}") from error


def _text(document: Any) -> str:
    import tomlkit  # noqa: PLC0415

    return tomlkit.dumps(document)


def _places(tree: MutableMapping[str, Any], key: str, above: str = "") -> Iterator[tuple[Any, str]]:
    """Where a setting stands: the table, and its name there. It may be called by the last part of its key."""
    for name in list(tree):
        value, full = tree[name], above + name
        if _is(full, key):
            yield tree, name
        elif isinstance(value, MutableMapping):
            yield from _places(value, key, f"{full}.")


def _is(name: str, key: str) -> bool:
    try:
        return name == key or configload.full_key(name) == key
    except ValueError:
        return False


def _added(text: str, key: str, value: Any) -> str:
    """Behind the line that shows its default as a comment, where there is one; else at the end of its section."""
    beside = _beside_its_comment(text, key, value)
    if beside is not None:
        return beside
    import tomlkit  # noqa: PLC0415

    document = _parsed(text)
    *sections, name = key.split(".")
    table = document
    for section in sections:
        if section not in table:
            table[section] = tomlkit.table()
        table = table[section]
        if not isinstance(table, MutableMapping):
            raise ConfigurationError(f"{section} is no section in the file")
    if sections:
        table[name] = value
    else:  # before the first section
        plain = f"{_line(name, value)}\n"
        return plain + text
    return _text(document)


def _line(name: str, value: Any) -> str:
    import tomlkit  # noqa: PLC0415

    return tomlkit.dumps({name: value}).rstrip("\n")


def _beside_its_comment(text: str, key: str, value: Any) -> str | None:
    """None when no such comment stands in its section."""
    section, _, name = key.rpartition(".")
    inside: str = ""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if header := re.fullmatch(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(?:#.*)?", line.rstrip("\r\n")):
            inside = header[1]
        elif inside == section and re.match(rf"#\s*{re.escape(name)}\s*=", line):
            end = "" if line.endswith("\n") else "\n"
            candidate = "".join([*lines[: number + 1], f"{end}{_line(name, value)}\n", *lines[number + 1 :]])
            return candidate if _has(candidate, key, value) else None
    return None


def _has(text: str, key: str, value: Any) -> bool:
    """Whether a text is TOML in which that key has that value: what looks like a comment may be in a string."""
    try:
        found: Any = tomllib.loads(text)
        for part in key.split("."):
            found = found[part]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(found == value)


def typed(key: str, text: str, base: Path) -> Any:
    """A value as given on the command line, as it is written in a file. ValueError with what was expected."""
    if key not in configload.known():
        if key == "data" or key.startswith("store.partitions."):
            return str(configload.convert(Path, text, base))
        return text
    if key in configload.WRITTEN_OTHERWISE:
        raise ValueError(f"write {configload.WRITTEN_OTHERWISE[key]}")
    kind = configload.kind_of(key)
    value = configload.convert(kind, text, base)
    if kind is Mode:
        return f"{value:04o}"
    if isinstance(value, bool):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, int):
        return value if text.strip().lstrip("-").isdigit() else text.strip()
    return "" if value is None else str(value)
