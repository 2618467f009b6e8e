"""What may come at the cursor: commands, tests, tags, and strings where it is known what they may be.

A word of an extension that the script does not require yet is offered too, and brings its `require` along as an
additional edit. What needs none comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lsprotocol.types import (
    CompletionItem,
    CompletionItemKind,
    CompletionItemLabelDetails,
    InsertTextFormat,
    MarkupContent,
    MarkupKind,
    Position,
    Range,
    TextEdit,
)

from sievemda.lsp.document import Document, value
from sievemda.lsp.lexicon import Spot, Tagged, Word, commands, expects, is_test, spot, tags, tests, unused, word_of
from sievemda.lsp.names import variables
from sievemda.lsp.requires import require
from sievemda.lsp.scene import Given, Scene
from sievemda.lsp.snippets import snippet
from sievemda.lsp.values import offers
from sievemda.sieve.signature import Kind
from sievemda.sieve.usage import Usage, usage

TRIGGERS = (":", '"', "[", "{", "$", ",", "(")
_REFERENCE = re.compile(r"\$\{[A-Za-z0-9_.]*\Z")
_STRINGY = (Kind.STRING, Kind.STRINGS)


@dataclass(frozen=True, slots=True)
class Taste:
    """What the client can take."""

    snippets: bool = False
    markdown: bool = False  # in the documentation of what is completed
    hover_markdown: bool = True


def completion(document: Document, position: Position, taste: Taste) -> list[CompletionItem]:
    """What may come at a position; nothing within a comment."""
    around, offset = document.scene(position)
    if around.comment:
        return []
    menu = _Menu(document, taste, around, offset)
    return list(menu.items())


class _Menu:
    def __init__(self, document: Document, taste: Taste, around: Scene, offset: int) -> None:
        self.document = document
        self.taste = taste
        self.around = around
        self.offset = offset

    def items(self) -> Iterator[CompletionItem]:
        around, word = self.around, self.around.word
        if around.inside:
            yield from self._in_string()
            return
        if word is not None and word.kind in {"TAG", "COLON"}:
            yield from self._tags(self._typed())
            return
        if word is not None and word.kind == "NUMBER":
            return
        typed = self._typed()
        wanted = expects(self.document, around)
        if wanted == "command":
            yield from self._commands(typed)
        elif wanted == "test":
            yield from self._tests(typed)
        if around.stack[-1].kind == "call":
            yield from self._tags(typed)
        yield from self._strings(typed)

    def _typed(self) -> Range:
        """What is replaced: the word up to the cursor."""
        start = self.around.word.offset if self.around.word else self.offset
        return self.document.lines.range(start, self.offset)

    # -- words -------------------------------------------------------------------------------------------------

    def _commands(self, typed: Range) -> Iterator[CompletionItem]:
        block = self.around.stack[-1]
        head = len(self.around.stack) == 1 and block.previous in {"", "require"} and self._only_requires()
        for name, word in commands(self.document).items():
            follows = getattr(word.cls, "follows", ())
            if (follows and block.previous not in follows) or (name == "require" and not head):
                continue
            yield self._word(name, word, typed)

    def _only_requires(self) -> bool:
        before = (call for call in self.document.closed if call.kind == "call" and call.at < self.offset)
        return all(call.name == "require" or call.end >= self.offset for call in before)

    def _tests(self, typed: Range) -> Iterator[CompletionItem]:
        for name, word in tests(self.document).items():
            yield self._word(name, word, typed)

    def _word(self, name: str, word: Word, typed: Range) -> CompletionItem:
        kind = CompletionItemKind.Function if is_test(word.cls) else CompletionItemKind.Keyword
        return self._item(name, kind, typed, usage(word.cls), (word.capability,), snippet(word.cls))

    def _tags(self, typed: Range) -> Iterator[CompletionItem]:
        call = self.around.call
        word = word_of(self.document, call) if call else None
        if call is None or word is None:
            return
        known = tags(self.document, word.cls)
        if call.given and call.given[-1].kind == "tag":
            last = known.get(call.given[-1].name)
            if last is not None and last.operand:
                return  # what stands here belongs to that tag
        if any(one.kind != "tag" for one in _trailing(call.given, known)):
            return  # tags come before the arguments
        for tag in unused(known, call.given):
            needs = (word.capability, tag.capability)
            yield self._item(f":{tag.name}", CompletionItemKind.Property, typed, tag.usage, needs, _with_operand(tag))

    # -- strings -----------------------------------------------------------------------------------------------

    def _in_string(self) -> Iterator[CompletionItem]:
        word = self.around.word
        assert word is not None
        before = self.document.text[word.offset : self.offset]
        if found := _REFERENCE.search(before):
            yield from self._variables(word.offset + found.start())
            return
        where = spot(self.document, self.around)
        if where is None or where.kind not in _STRINGY or not word.text.startswith('"'):
            return
        end, closing = self._rest(word.offset + 1, word.text)
        replaced = self.document.lines.range(word.offset + 1, end)
        for text, detail, capability in self._offered(where):
            yield self._string(text, detail, capability, replaced, quoted=_escaped(text) + closing)

    def _rest(self, start: int, text: str) -> tuple[int, str]:
        """Where the string at the cursor ends, and the quote that it lacks.

        One that goes on behind the line of the cursor was never closed: it ends at the cursor.
        """
        end = start - 1 + len(text)
        if len(text) > 1 and text.endswith('"') and end > self.offset - 1 and "\n" not in text:
            return end - 1, ""
        return self.offset, '"'

    def _strings(self, typed: Range) -> Iterator[CompletionItem]:
        where = spot(self.document, self.around)
        listed = self.around.stack[-1].kind == "strings"
        if where is None or where.kind not in _STRINGY or (listed and self._behind_item()):
            return
        for text, detail, capability in self._offered(where):
            yield self._string(text, detail, capability, typed, quoted=f'"{_escaped(text)}"')

    def _behind_item(self) -> bool:
        """Whether a comma must come first."""
        return self.document.text[: self.offset].rstrip()[-1:] == '"'

    def _offered(self, where: Spot) -> Iterator[tuple[str, str, str]]:
        listed = self.around.stack[-1]
        present = {value(word) for word in listed.items} if listed.kind == "strings" else set()
        for offer in offers(self.document, where):
            if offer.text not in present:
                yield offer.text, offer.detail, offer.capability

    def _variables(self, start: int) -> Iterator[CompletionItem]:
        """Names behind `${`, with the brace that closes it."""
        if "variables" not in self.document.allowed:
            return
        text = self.document.text
        name_end = re.compile(r"[A-Za-z0-9_.]*\}?").match(text, self.offset)
        end = name_end.end() if name_end and name_end[0].endswith("}") else self.offset
        replaced = self.document.lines.range(start, end)
        need = "" if "variables" in self.document.required else "variables"
        for word in variables(self.document).values():
            name = value(word)
            yield self._plain(f"${{{name}}}", CompletionItemKind.Variable, replaced, "variable", need)

    def _string(self, text: str, detail: str, capability: str, replaced: Range, quoted: str) -> CompletionItem:
        return self._plain(text, CompletionItemKind.Value, replaced, detail, capability, quoted)

    # -- items -------------------------------------------------------------------------------------------------

    def _plain(
        self, label: str, kind: CompletionItemKind, replaced: Range, detail: str, capability: str, text: str = ""
    ) -> CompletionItem:
        return CompletionItem(
            label,
            kind=kind,
            detail=detail or None,
            sort_text=_order(label, capability),
            filter_text=label,
            text_edit=TextEdit(replaced, text or label),
            insert_text_format=InsertTextFormat.PlainText,
            additional_text_edits=self._require(capability),
        )

    def _item(
        self, label: str, kind: CompletionItemKind, typed: Range, told: Usage, needs: tuple[str, ...], text: str
    ) -> CompletionItem:
        snippets = self.taste.snippets and text != label
        lacking = ", ".join(filter(None, needs))
        return CompletionItem(
            label,
            kind=kind,
            label_details=CompletionItemLabelDetails(description=lacking) if lacking else None,
            detail=told.line,
            documentation=_documentation(told, self.taste),
            sort_text=_order(label, lacking),
            filter_text=label,
            text_edit=TextEdit(typed, text if snippets else label),
            insert_text_format=InsertTextFormat.Snippet if snippets else InsertTextFormat.PlainText,
            additional_text_edits=self._require(*needs),
        )

    def _require(self, *needs: str) -> list[TextEdit] | None:
        lacking = [name for name in needs if name]
        edit = require(self.document, *lacking) if lacking else None
        return [edit] if edit else None


def _trailing(given: list[Given], known: dict[str, Tagged]) -> Iterator[Given]:
    """The arguments that belong to no tag."""
    waiting = False
    for one in given:
        if one.kind == "tag":
            tag = known.get(one.name)
            waiting = bool(tag and tag.operand)
        elif waiting:
            waiting = False
        else:
            yield one


def _with_operand(tag: Tagged) -> str:
    """A tag as a snippet, with room for what follows it."""
    if tag.choice:
        return f':{tag.name} "${{1:{tag.choice[0]}}}"'
    if tag.operand in _STRINGY:
        return f':{tag.name} "$1"'
    return f":{tag.name} ${{1:1}}" if tag.operand is Kind.NUMBER else f":{tag.name}"


def _documentation(told: Usage, taste: Taste) -> MarkupContent | None:
    lines = [told.summary, f"{told.source}" + (f', `require "{told.capability}"`' if told.capability else "")]
    kind = MarkupKind.Markdown if taste.markdown else MarkupKind.PlainText
    text = "\n\n".join(filter(None, lines))
    return MarkupContent(kind, text) if text else None


def _order(label: str, capability: str) -> str:
    return f"{1 if capability else 0}{label}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
