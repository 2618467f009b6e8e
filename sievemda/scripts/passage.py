"""A history of somebody's scripts as JSON, for an archive or another host; read as hostile input.

An object for each version, with the fields of `Version`, and one for what was last known: `active` and `scripts`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any, get_args

from sievemda.errors import DataError
from sievemda.state.past import Past
from sievemda.state.versions import Action, Version
from sievemda.store.script_names import FORBIDDEN

_TOGETHER = 10_000  # versions in one piece
_LONGEST = 4096  # characters of a name, an address and the like; a deactivation may name several scripts
_MOST = 1 << 62
_LAST = 253_370_764_800  # the year 9999: no later time can be shown
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
_NUMBERS = frozenset({"number", "instant", "size", "undoes"})
_LISTS = frozenset({"active", "active_before"})


def to_json(past: Past) -> dict[str, Any]:
    return {**_head(past), "versions": [asdict(version) for version in past.versions]}


def from_json(found: Any) -> Past:
    """DataError when it is no history."""
    if not isinstance(found, dict) or not isinstance(found.get("versions", []), list):
        raise DataError("what should be a history of scripts is none")
    scripts = found.get("scripts", {})
    if not isinstance(scripts, dict):
        raise DataError("what should be a history of scripts is none")
    versions = tuple(map(_version, found.get("versions", [])))
    digests = {_word("script", name): _digest("scripts", digest) for name, digest in scripts.items()}
    return Past(versions, _list("active", found.get("active", [])), digests)


def encode(past: Past) -> Iterator[bytes]:
    """In pieces of bounded size, one value a line. At least one."""
    for start in range(0, max(len(past.versions), 1), _TOGETHER):
        lines = [_head(past), *map(asdict, past.versions[start : start + _TOGETHER])]
        yield b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def decode(piece: bytes) -> Past:
    """DataError."""
    try:
        head, *versions = [json.loads(line) for line in piece.splitlines()]
    except (ValueError, RecursionError) as error:
        raise DataError("what should be a history of scripts is none") from error
    if not isinstance(head, dict):
        raise DataError("what should be a history of scripts is none")
    return from_json(head | {"versions": versions})


def _head(past: Past) -> dict[str, Any]:
    return {"active": list(past.active), "scripts": dict(past.scripts)}


def _version(found: Any) -> Version:
    if not isinstance(found, dict):
        raise DataError("a version that is none")
    values = {each.name: _value(each.name, found[each.name]) for each in fields(Version) if each.name in found}
    if not {"number", "instant", "status", "action", "script"} <= values.keys() or values["number"] < 1:
        raise DataError("a version of which something is missing")
    return Version(**values)


def _value(name: str, value: Any) -> Any:
    if name in _NUMBERS:
        if not isinstance(value, int) or not 0 <= value < (_LAST if name == "instant" else _MOST):
            raise DataError(f"{name} of a version is no number")
        return value
    if name in _LISTS:
        return _list(name, value)
    if name in ("digest", "before"):
        return _digest(name, value)
    text = _word(name, value)
    if (name == "status" and text not in ("done", "failed")) or (name == "action" and text not in get_args(Action)):
        raise DataError(f"{name} of a version is nothing that it can be")
    return text


def _list(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(value):
        raise DataError(f"{name} of a version is no list of names")
    return tuple(_word(name, each) for each in value)


def _word(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or FORBIDDEN.search(value.replace("/", "")):
        raise DataError(f"{name} of a version is not what it can be")
    return value


def _digest(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise DataError(f"{name} of a version is no digest")
    return value
