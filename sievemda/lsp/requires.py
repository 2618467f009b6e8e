"""Adding a capability to the `require` of a script."""

from __future__ import annotations

from lsprotocol.types import Range, TextEdit

from sievemda.lsp.document import Document, value
from sievemda.lsp.scene import Frame
from sievemda.sieve.scanner import Lexeme
from sievemda.sieve.vocabulary import registry


def require(document: Document, *names: str) -> TextEdit | None:
    """The edit that makes the script require these capabilities and those that they need; `None` when it does.

    They go into the last `require` of the script. Without one there is a new one before the first command: above the
    comment that belongs to that command, below what stands at the head of the file.
    """
    missing = _missing(document, names)
    if not missing:
        return None
    added = ", ".join(f'"{name}"' for name in missing)
    lines = document.lines
    last = _last(document)
    if last is not None:
        given = last.given[0]
        word = given.words[-1]
        end = document.end(word)
        if given.kind == "strings":
            return TextEdit(lines.range(end, end), f", {added}")
        return TextEdit(lines.range(word.offset, end), f"[{word.text}, {added}]")
    listed = f"[{added}]"
    at = lines.position(_head(document))
    return TextEdit(Range(at, at), f"require {listed};{_line_end(document)}")


def _missing(document: Document, names: tuple[str, ...]) -> list[str]:
    known, wanted = registry().extensions, list(names)
    missing: list[str] = []
    have = {value(word) for call in document.requires for word in call.given[0].words}
    while wanted:
        name = wanted.pop(0)
        if name and name not in have and name not in missing:
            missing.append(name)
            wanted.extend(known[name].needs if name in known else ())
    return missing


def _last(document: Document) -> Frame | None:
    return max(document.requires, key=lambda call: call.at, default=None)


def _head(document: Document) -> int:
    """Where the first command begins, or the comment right above it, at the beginning of a line."""
    words, text = document.words, document.text
    first: int = 0
    while first < len(words) and words[first].kind == "COMMENT":
        first += 1
    at = words[first].offset if first < len(words) else len(text)
    start = document.lines.start_of_line(at)
    while first and _touches(text, words[first - 1], start):
        first -= 1
        start = document.lines.start_of_line(words[first].offset)
    return start if start or not text.startswith("\ufeff") else 1


def _touches(text: str, comment: Lexeme, start: int) -> bool:
    """Whether a comment ends on the line just above, without a blank line between."""
    end = comment.offset + len(comment.text)
    return end <= start and text[end:start].count("\n") <= 1


def _line_end(document: Document) -> str:
    return "\r\n" if "\r\n" in document.text else "\n"
