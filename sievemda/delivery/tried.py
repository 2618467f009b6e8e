"""The tests of a script as the journal keeps them: packed as rows, unpacked for people and programs.

Why rows: a script of 200 rules makes 200 of them in each delivery, and names of keys would be most of the text. The
bounds are against values of a megabyte and headers without end; what is cut says so.

Tests that were skipped (see `sieve.skipping`) are one row together: the values that they looked at, and the text of
what does not depend on the message. That text is made once for a script and not for each delivery, which takes a third
of a millisecond for 200 rules. Why it stands in the entry all the same: the journal must explain a delivery when the
script is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sievemda.sieve.skipping import Skipped
from sievemda.sieve.trail import Tried, parts_of

MAX_TESTS = 500
MAX_COMPARED = 8  # comparisons of one test, values of one comparison
MAX_TEXT = 200  # characters of one value
_TEXTS = 8  # of skipped tests that are kept for one plan: most messages pass by the same rules
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode

_Compared = tuple[Sequence[str], Sequence[str]]
Row = list[Any] | tuple[Any, ...] | dict[str, Any]


def pack(tests: Sequence[Tried]) -> list[Row]:
    """Rows of line, test, result, what was compared with what, and the script when it is not the user's own.

    A row of skipped tests has their text in `skipped`, the number of tests in `tests`, and `values` by their group.
    """
    rows: list[Row] = []
    room = min(MAX_TESTS, len(tests))
    for part in parts_of(tests):
        if room <= 0:
            break
        if isinstance(part, Skipped):
            rows.append(_skipped(part, room))
            room -= part.size
        else:
            rows.append(_row(*part))
            room -= 1
    return rows


def _skipped(part: Skipped, room: int) -> dict[str, Any]:
    told = {"skipped": _text(part, room), "tests": min(part.size, room), "values": [_texts(v) for v in part.values]}
    return told | ({"script": cut(part.script, MAX_TEXT)} if part.script else {})


def _text(part: Skipped, room: int) -> str:
    """Line, test, group and keys of each test of these items, or of as many as there is room for."""
    kept = part.plan.texts
    place = part.first, part.last, min(room, part.size)
    text: str | None = kept.get(place)
    if text is None:
        rows = [
            [line, test, group, [] if keys is None else _texts(keys)]
            for (line, test, group, keys), _ in zip(part.entries(), range(room), strict=False)
        ]
        text = _encode(rows)
        if len(kept) < _TEXTS:
            kept[place] = text
    return text


def _row(line: int, test: str, result: bool, compared: Sequence[_Compared], script: str = "") -> tuple[Any, ...]:
    cuts = [(_texts(values), _texts(keys)) for values, keys in compared[:MAX_COMPARED]]
    return (line, test, result, cuts, cut(script, MAX_TEXT)) if script else (line, test, result, cuts)


def unpack(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows, out of JSON again, as objects."""
    return [test for row in rows for test in (_unskipped(row) if isinstance(row, dict) else [_test(*row)])]


def _test(line: int, test: str, result: bool, compared: Iterable[_Compared], *script: str) -> dict[str, Any]:
    told = {
        "line": line,
        "test": test,
        "result": result,
        "compared": [{"values": values, "keys": keys} for values, keys in compared],
    }
    return told | ({"script": script[0]} if script else {})


def _unskipped(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    script = [row["script"]] if "script" in row else []
    for line, test, group, keys in json.loads(row["skipped"])[: row["tests"]]:
        yield _test(line, test, False, [] if group < 0 else [(row["values"][group], keys)], *script)


def _texts(texts: Sequence[str]) -> Sequence[str]:
    if len(texts) == 1 and len(texts[0]) <= MAX_TEXT:
        return texts
    kept = [cut(text, MAX_TEXT) for text in texts[:MAX_COMPARED]]
    return kept if len(texts) <= MAX_COMPARED else [*kept, f"... and {len(texts) - MAX_COMPARED} more"]


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}... ({len(text)} characters)"
