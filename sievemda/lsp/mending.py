"""Quick fixes: what the hint of a problem says, done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lsprotocol.types import CodeAction, CodeActionKind, Diagnostic, Range, TextEdit, WorkspaceEdit

from sievemda.lsp.checking import Finding, diagnostic, findings
from sievemda.lsp.document import Document
from sievemda.lsp.requires import require
from sievemda.sieve.vocabulary import registry

_ADD = re.compile(r"add require (?P<listed>\[[^\]]*\]|\"[^\"]*\")")
_NAME = re.compile(r'"([^"]*)"')
_MEANT = re.compile(r"did you mean (?:'(?P<single>[^']+)'|\"(?P<double>[^\"]+)\")")
_COLON = re.compile(r"missing colon in front of the (?P<word>\w+) tag")


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
    text = finding.problem.sentence
    meant, colon = _MEANT.search(text), _COLON.search(text)
    if meant and (edit := _replaced(document, finding, word := meant["single"] or meant["double"])):
        yield _action(document, f"Change to {word}", edit, about)
    elif colon and (edit := _word_near(document, finding, colon["word"])):
        yield _action(document, f"Change to :{colon['word']}", edit, about)


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


def _word_near(document: Document, finding: Finding, word: str) -> TextEdit | None:
    """The edit that makes a tag of a name."""
    number = document.word_at(finding.start)
    for lexeme in document.words[number or 0 : (number or 0) + 2] if number is not None else ():
        if lexeme.kind == "IDENTIFIER" and lexeme.text.lower() == word:
            return TextEdit(document.lines.range(lexeme.offset, lexeme.offset), ":")
    return None


def _action(document: Document, title: str, edit: TextEdit, about: list[Diagnostic] | None = None) -> CodeAction:
    return CodeAction(
        title,
        kind=CodeActionKind.QuickFix,
        diagnostics=about,
        is_preferred=True if about else None,
        edit=WorkspaceEdit(changes={document.uri: [edit]}),
    )
