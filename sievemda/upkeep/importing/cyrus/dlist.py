"""The notation in which Cyrus writes headers, mailbox lists and quotas: `%(N user.alice A %(alice lrs) U (work))`.

`%(` begins pairs of names and values, `(` a list; a value is an atom, a string in double quotes, a literal `{n}` or
`{n+}`, or one of the two again.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Value: TypeAlias = "bytes | list[Value] | dict[str, Value]"
_TOKEN = re.compile(
    rb"\s*(?:(?P<pairs>%\()|(?P<list>\()|(?P<end>\))|\{(?P<literal>[0-9]{1,10})\+?\}\r?\n"
    rb"|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<atom>[^\s()\"%]+|%[^(\s][^\s()]*))",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_DEEPEST = 16


def parse(text: bytes) -> Value:
    """The first value of a text. ValueError."""
    levels: list[tuple[bool, list[Value]]] = [(False, [])]
    position = 0
    while not (len(levels) == 1 and levels[0][1]):
        match = _TOKEN.match(text, position)
        if match is None or len(levels) > _DEEPEST:
            raise ValueError(f"not understood at {text[position : position + 20]!r}")
        position = match.end()
        if match["pairs"] or match["list"]:
            levels.append((bool(match["pairs"]), []))
        elif match["end"]:
            if len(levels) == 1:
                raise ValueError("a parenthesis too many")
            is_pairs, values = levels.pop()
            levels[-1][1].append(_pairs(values) if is_pairs else values)
        elif match["literal"]:
            end = position + int(match["literal"])
            levels[-1][1].append(text[position:end])
            position = end
        else:
            plain = match["atom"] if match["quoted"] is None else _ESCAPED.sub(rb"\1", match["quoted"])
            levels[-1][1].append(plain)
    return levels[0][1][0]


def _pairs(values: list[Value]) -> dict[str, Value]:
    names = [value.decode("utf-8", "replace") if isinstance(value, bytes) else "" for value in values[::2]]
    return dict(zip(names, values[1::2], strict=False))


def text_of(value: Value | None) -> str:
    """A string; empty for what is none."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else ""


def texts_of(value: Value | None) -> tuple[str, ...]:
    return tuple(map(text_of, value)) if isinstance(value, list) else ()


def rights_of(value: Value | None) -> tuple[tuple[str, str], ...]:
    """An ACL: identifiers and rights."""
    return tuple((name, text_of(rights)) for name, rights in value.items()) if isinstance(value, dict) else ()
