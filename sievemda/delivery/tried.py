"""The tests of a script as the journal keeps them: packed as rows, unpacked for people and programs.

Why rows: a script of 200 rules makes 200 of them in each delivery, and names of keys would be most of the text. The
bounds are against values of a megabyte and headers without end; what is cut says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MAX_TESTS = 500
MAX_COMPARED = 8  # comparisons of one test, values of one comparison
MAX_TEXT = 200  # characters of one value

_Compared = tuple[Sequence[str], Sequence[str]]
Row = tuple[int, str, bool, list[_Compared]] | tuple[int, str, bool, list[_Compared], str]


def pack(tests: Sequence[tuple[int, str, bool, Sequence[_Compared], str]]) -> list[Row]:
    """Rows of line, test, result, what was compared with what, and the script when it is not the user's own."""
    return [_row(*test) for test in tests[:MAX_TESTS]]


def _row(line: int, test: str, result: bool, compared: Sequence[_Compared], script: str = "") -> Row:
    cuts = [(_texts(values), _texts(keys)) for values, keys in compared[:MAX_COMPARED]]
    return (line, test, result, cuts, cut(script, MAX_TEXT)) if script else (line, test, result, cuts)


def unpack(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The rows, out of JSON again, as objects."""
    return [
        {
            "line": line,
            "test": test,
            "result": result,
            "compared": [{"values": values, "keys": keys} for values, keys in compared],
            **({"script": script[0]} if script else {}),
        }
        for line, test, result, compared, *script in rows
    ]


def _texts(texts: Sequence[str]) -> Sequence[str]:
    if len(texts) == 1 and len(texts[0]) <= MAX_TEXT:
        return texts
    kept = [cut(text, MAX_TEXT) for text in texts[:MAX_COMPARED]]
    return kept if len(texts) <= MAX_COMPARED else [*kept, f"... and {len(texts) - MAX_COMPARED} more"]


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}... ({len(text)} characters)"
