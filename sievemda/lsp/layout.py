"""The canonical layout as edits: those of the runs of lines that change, so that the cursor and marks stay.

Why the tab size of the editor does not matter: there is one layout, which `sievemda sieve format` writes and can be
checked with, and a script that two people edit should not change with who saved it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol.types import Range, TextEdit

from sievemda.lsp.document import Document
from sievemda.sieve.format import format_script
from sievemda.sieve.problems import ScriptError


def formatting(document: Document, within: Range | None = None) -> list[TextEdit] | None:
    """The edits that lay the script out; of a range, those that touch its lines.

    `None` when it cannot be laid out, because it does not parse.
    """
    try:
        new = format_script(document.text, limits=document.world.limits)
    except ScriptError:
        return None
    lines = document.lines
    first, last = 0, len(document.text)
    if within is not None:
        first = lines.start_of_line(lines.offset(within.start))
        last = lines.end_of_line(lines.offset(within.end))
    return [
        TextEdit(lines.range(start, end), text)
        for start, end, text in differences(document.text, new)
        if start <= last and end >= first
    ]


def differences(old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """From where to where a text changes, as offsets of the old one, and to what.

    Lines correspond where as many characters that are not blank stand before them. That is linear, and a layout moves
    nothing else; were it to, the edits would be larger and still right.
    """
    before, after = _lines(old), _lines(new)
    start = begin = 0
    for count in sorted(before.keys() & after.keys()):
        end, stop = before[count], after[count]
        if old[start:end] != new[begin:stop]:
            yield start, end, new[begin:stop]
        start, begin = end, stop
    if old[start:] != new[begin:]:
        yield start, len(old), new[begin:]


def _lines(text: str) -> dict[int, int]:
    """Where the first line begins that has so many characters before it that are not blank."""
    found, count, offset = {0: 0}, 0, 0
    for line in text.splitlines(keepends=True):
        offset += len(line)
        count += len("".join(line.split()))
        found.setdefault(count, offset)
    return found
