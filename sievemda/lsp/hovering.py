"""What the word under the pointer is, and how the command under the cursor is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol.types import (
    Hover,
    MarkupContent,
    MarkupKind,
    ParameterInformation,
    Position,
    SignatureHelp,
    SignatureInformation,
)

from sievemda.lsp.document import Document, value
from sievemda.lsp.lexicon import Word, commands, spot, tags, tests, word_of
from sievemda.lsp.names import variables
from sievemda.lsp.scene import STRINGS, Scene, scene
from sievemda.sieve.literals import number_value
from sievemda.sieve.scanner import Lexeme
from sievemda.sieve.usage import Usage, usage, word_usage
from sievemda.sieve.vocabulary import Extension, registry

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_.]*|[0-9]+)\}")
_PARAMETER = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]|<[^>]*>|block$")
_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def hover(document: Document, position: Position, *, markdown: bool) -> Hover | None:
    """What stands at a position; `None` where there is nothing to say."""
    offset = document.lines.offset(position)
    number = document.word_at(offset)
    if number is None:
        return None
    word = document.words[number]
    if number and word.offset == offset and document.end(document.words[number - 1]) == offset:
        word = word if word.kind in {"IDENTIFIER", "TAG", "NUMBER", *STRINGS} else document.words[number - 1]
    around = scene(document.words, word.offset, len(document.text))
    told = _told(document, around, word, offset)
    if not told:
        return None
    start, end, text = told
    kind = MarkupKind.Markdown if markdown else MarkupKind.PlainText
    return Hover(MarkupContent(kind, text if markdown else _plain(text)), document.lines.range(start, end))


def _told(document: Document, around: Scene, word: Lexeme, offset: int) -> tuple[int, int, str] | None:
    """From where to where, and what."""
    text = ""
    if word.kind == "IDENTIFIER":
        text = _about_name(document, around, word)
    elif word.kind == "TAG":
        text = _about_tag(document, around, word)
    elif word.kind == "NUMBER":
        text = _about_number(document, around, word)
    elif word.kind in STRINGS:
        for found in _REFERENCE.finditer(word.text):
            if word.offset + found.start() <= offset <= word.offset + found.end():
                text = _about_variable(document, found["name"])
                return (word.offset + found.start(), word.offset + found.end(), text) if text else None
        text = _about_string(document, around, word)
    return (word.offset, document.end(word), text) if text else None


def _about_name(document: Document, around: Scene, word: Lexeme) -> str:
    name = word.text.lower()
    test = around.stack[-1].kind != "block"
    known = (tests if test else commands)(document).get(name) or (commands if test else tests)(document).get(name)
    return _card(usage(known.cls), document, extra=_tags_of(document, known)) if known else ""


def _tags_of(document: Document, word: Word) -> str:
    """The tags that the extensions in use add."""
    added = [f"`:{name}`" for name in sorted(document.vocabulary.options(word.cls.keyword))]
    return f"Also: {', '.join(added)}" if added else ""


def _about_tag(document: Document, around: Scene, word: Lexeme) -> str:
    call = around.call
    owner = word_of(document, call) if call else None
    tag = tags(document, owner.cls).get(word.text[1:].lower()) if owner else None
    return _card(tag.usage, document) if tag else ""


def _about_number(document: Document, around: Scene, word: Lexeme) -> str:
    """Octets where a size is meant; elsewhere only what a letter behind the number makes of it."""
    where = spot(document, around)
    octets = where is not None and where.cls.keyword == "size"
    number = number_value(word.text)
    if not octets and word.text.isdigit():
        return ""
    size = next((f" ({number / unit:.4g} {name})" for name, unit in _SIZES if number >= unit), "")
    return f"`{word.text}` = {number}" + (f" octets{size}" if octets else "")


def _about_string(document: Document, around: Scene, word: Lexeme) -> str:
    where = spot(document, around)
    if where is None:
        return ""
    said = value(word)
    if where.role == "capabilities":
        extension = registry().extensions.get(said)
        return _about_capability(document, extension) if extension else f"`{said}`: there is no such capability."
    if where.role == "comparator":
        told = word_usage(said)
        return _card(told, document) if told.source else ""
    if where.role in {"name", "value", "varname"} and said.lower() in variables(document):
        return _about_variable(document, said)
    return ""


def _about_capability(document: Document, extension: Extension) -> str:
    lines = [f"**{extension.name}** — {extension.rfc}"]
    brought = [
        *(f"`{cls.keyword}`" for cls in (*extension.commands, *extension.tests)),
        *(f"`:{item.keyword}`" for item in extension.options),
        *(f"`:{item.name}`" for item in extension.match_types),
        *(f"`:{item.name}`" for item in extension.address_parts),
        *(f'`"{item.name}"`' for item in extension.comparators),
    ]
    if brought:
        lines.append(", ".join(dict.fromkeys(brought)))
    if extension.note:
        lines.append(f"{extension.note[:1].upper()}{extension.note[1:]}.")
    if extension.implies:
        lines.append(f"The name that {', '.join(f'`{name}`' for name in extension.implies)} had before.")
    if extension.name not in document.allowed:
        lines.append("It is not allowed here.")
    return "\n\n".join(lines)


def _about_variable(document: Document, name: str) -> str:
    if name.isdigit():
        return f"`${{{name}}}` is " + (
            "all that the last `:matches` or `:regex` matched."
            if int(name) == 0
            else f"what wildcard or group {int(name)} of the last `:matches` or `:regex` stood for."
        )
    word = variables(document).get(name.lower())
    if word is None:
        return "" if "." in name else f"`${{{name}}}` is set nowhere in this script: it is empty."
    line = document.lines.position(word.offset).line
    start = document.lines.start_of_line(word.offset)
    source = document.text[start : document.lines.end_of_line(word.offset)].strip()
    return f"Variable `{value(word)}`, first set in line {line + 1}:\n\n```sieve\n{source[:200]}\n```"


def _card(told: Usage, document: Document, extra: str = "") -> str:
    lines = [f"```sieve\n{told.line}\n```", told.summary]
    source = told.source
    if told.capability:
        lacking = told.capability not in document.vocabulary.capabilities
        source += f' — `require "{told.capability}"`' + (", which is missing" if lacking else "")
    lines += [extra, source]
    return "\n\n".join(filter(None, lines))


def _plain(text: str) -> str:
    """Without the marks of Markdown."""
    return re.sub(r"```(?:sieve)?\n?|\*\*|`", "", text).replace("\n\n\n", "\n\n").strip()


# -- how the command under the cursor is written ---------------------------------------------------------------


def signature_help(document: Document, position: Position) -> SignatureHelp | None:
    """The usage line of the command or test at a position, and which part of it is being written."""
    around, _ = document.scene(position)
    call = around.call
    word = word_of(document, call) if call and not around.comment else None
    if word is None:
        return None
    told = usage(word.cls)
    parts = [(found.start(), found.end()) for found in _PARAMETER.finditer(told.line)]
    active = _active(document, around, told.line, parts)
    information = SignatureInformation(
        told.line,
        documentation="\n\n".join(filter(None, (told.summary, told.source))),
        parameters=[ParameterInformation(part) for part in parts],  # it is ASCII: the same in any encoding
        active_parameter=active,
    )
    return SignatureHelp([information], active_signature=0, active_parameter=active)


def _active(document: Document, around: Scene, line: str, parts: list[tuple[int, int]]) -> int | None:
    where = spot(document, around)
    if where is None:
        return None
    written = [line[start:end] for start, end in parts]
    if where.tag:
        return next(_holding(written, f":{where.tag}"), None)
    positional = [number for number, part in enumerate(written) if re.match(r"\[?<(?!\")", part)]
    return positional[where.number] if where.number < len(positional) else None


def _holding(written: list[str], tag: str) -> Iterator[int]:
    for number, part in enumerate(written):
        if re.search(rf"{tag}\b", part):
            yield number
