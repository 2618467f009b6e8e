"""Quick fixes: what the hint of a problem says, done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lsprotocol.types import CodeAction, CodeActionKind, Diagnostic, Range, TextEdit, WorkspaceEdit

from sievemda.lsp.checking import Finding, diagnostic, findings
from sievemda.lsp.document import Document
from sievemda.lsp.requires import require
from sievemda.sieve.vocabulary import registry

_ADD = re.compile(r"add require (?P<listed>\[[^\]]*\]|\"[^\"]*\")")
_NAME = re.compile(r'"([^"]*)"')
_MEANT = re.compile(r"did you mean (?:'(?P<single>[^']+)'|\"(?P<double>[^\"]+)\")")
_WRITE = re.compile(r"write (?P<word>:\w+|not|elsif|\"[^\"\\]{0,30}\")")
_SEMICOLON = "put a ';' here"
_ELSE_IF = re.compile(r"else\s+if\b", re.IGNORECASE)
_MOST = 1 << 16  # characters of a script that is checked again to see whether a fix is one


def code_actions(document: Document, within: Range, given: Sequence[Diagnostic]) -> list[CodeAction]:
    """What can be mended in a range, and everything that is missing in `require` at once."""
    first, last = document.lines.offset(within.start), document.lines.offset(within.end)
    known = findings(document)
    actions = [
        action
        for finding in known
        if finding.start <= last and finding.end >= first
        for action in _mending(document, finding, given)
    ]
    lacking = list(dict.fromkeys(name for finding in known for name in _lacking(finding)))
    if len(lacking) > 1 and any(action.title.startswith("Add require") for action in actions):
        edit = require(document, *lacking)
        if edit:
            actions.append(_action(document, f"Add everything that is missing to require ({', '.join(lacking)})", edit))
    return actions


def _mending(document: Document, finding: Finding, given: Sequence[Diagnostic]) -> Iterator[CodeAction]:
    told = diagnostic(document, finding)
    about = [one for one in given if one.range == told.range and one.message == told.message] or [told]
    for name in _lacking(finding):
        edit = require(document, name)
        if edit:
            yield _action(document, f'Add require "{name}"', edit, about)
    hint = finding.problem.hint
    meant, written = _MEANT.search(hint), _WRITE.fullmatch(hint)
    if meant and (edit := _replaced(document, finding, word := meant["single"] or meant["double"])):
        yield _action(document, f"Change to {word}", edit, about)
    elif written and (edit := _better(document, *_written(document, finding, written["word"]))):
        yield _action(document, f"Write {written['word']}", edit, about)
    elif hint == _SEMICOLON and (edit := _better(document, *_semicolon(document, finding))):
        yield _action(document, "Add ';'", edit, about)


def _lacking(finding: Finding) -> Iterator[str]:
    """The capabilities that a hint says to require."""
    if found := _ADD.search(finding.problem.sentence):
        yield from (name for name in _NAME.findall(found["listed"]) if name in registry().extensions)


def _replaced(document: Document, finding: Finding, word: str) -> TextEdit | None:
    """The edit that puts another word in place of the wrong one; as a string where that is one."""
    number = document.word_at(finding.start)
    lexeme = document.words[number] if number is not None else None
    if lexeme is None or lexeme.offset != finding.start:
        return None
    if lexeme.kind == "TAG" and not word.startswith(":"):
        word = f":{word}"
    elif lexeme.kind == "QUOTED_STRING":
        word = '"' + word.removeprefix("comparator-").replace("\\", "\\\\").replace('"', '\\"') + '"'
    elif lexeme.kind not in {"IDENTIFIER", "TAG"}:
        return None
    return TextEdit(document.lines.range(lexeme.offset, document.end(lexeme)), word)


def _written(document: Document, finding: Finding, word: str) -> tuple[int, int, str]:
    """The wrong words replaced, as offsets and text."""
    text, start, end = document.text, finding.start, finding.end
    if word == "elsif" and (two := _ELSE_IF.match(text, start)):
        end = two.end()
    if word == "not" and text[end : end + 1].isalnum():
        word = "not "
    return start, end, word


def _semicolon(document: Document, finding: Finding) -> tuple[int, int, str]:
    """A semicolon behind the last word before the place where it is missing."""
    at = 0
    for word in document.words:
        if word.offset >= finding.start:
            break
        if word.kind != "COMMENT":
            at = document.end(word)
    return at, at, ";"


def _better(document: Document, start: int, end: int, new: str) -> TextEdit | None:
    """The edit, when the script has fewer problems after it: a hint may have guessed wrong."""
    if len(document.text) > _MOST:
        return None
    after = replace(document, text=document.text[:start] + new + document.text[end:])
    if len(findings(after)) >= len(findings(document)):
        return None
    return TextEdit(document.lines.range(start, end), new)


def _action(document: Document, title: str, edit: TextEdit, about: list[Diagnostic] | None = None) -> CodeAction:
    return CodeAction(
        title,
        kind=CodeActionKind.QuickFix,
        diagnostics=about,
        is_preferred=True if about else None,
        edit=WorkspaceEdit(changes={document.uri: [edit]}),
    )
