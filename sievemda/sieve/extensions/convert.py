"""convert: parts of one media type become another one, as an action and as a test. RFC 6558.

Outside of a loop all parts of that type, inside one only the part that the loop is at. Either all of them are converted
or none (§2). Later tests and actions have to do with the converted message; actions that came before keep theirs.

What is done here are texts: from one charset to another (`charset=`, and `unknown-character-replacement=` for what it
lacks), from text/html to text/plain and back. All else is done by programs that the site lists (`Facts.execute`); a
conversion for which there is none fails, which is no error.

The names of the parameters are those of RFC 5259 §7. A part keeps the Content fields that say what it is for
(disposition, identifier, description, language, location); those about its octets are made anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sievemda.mail.decoding import exact_text
from sievemda.mail.header import charset
from sievemda.mail.html import html_to_text, text_to_html
from sievemda.mail.mime import Part
from sievemda.mail.rebuild import Entity, Replacement, data_entity, replaced, text_entity
from sievemda.sieve.loops import current, pay, root
from sievemda.sieve.node import Command, Context, Fault, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts, octets
from sievemda.sieve.vocabulary import Extension

_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}/[!#$%&'*+.^_`|~0-9A-Za-z-]{1,127}")
_KEPT = frozenset({
    "content-disposition", "content-id", "content-description", "content-language", "content-location",
})  # fmt: skip
_OF_TEXT = frozenset({"charset", "unknown-character-replacement"})


class _Failed(Exception):
    """A conversion cannot be done, for this reason."""


@node
class Convert(Command):
    """convert <quoted-from-media-type: string> <quoted-to-media-type: string> <transcoding-params: string-list>, §2."""

    keyword = "convert"
    quoted_from_media_type: Text
    quoted_to_media_type: Text
    transcoding_params: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _faults(self)

    def execute(self, run: Run) -> None:
        _convert(run, self)


@node
class ConvertTest(Test):
    """The same as a test, §2.2: false "if and only if at least one conversion failed"."""

    keyword = "convert"
    quoted_from_media_type: Text
    quoted_to_media_type: Text
    transcoding_params: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _faults(self)

    def holds(self, run: Run) -> bool:
        return _convert(run, self)


def _faults(node: Convert | ConvertTest) -> Iterator[Fault]:
    for kind in (node.quoted_from_media_type, node.quoted_to_media_type):
        if kind.constant and not _TYPE.fullmatch(kind.source):
            yield kind, f"'{kind.source[:80]}' is no media type"
    for param in node.transcoding_params:
        if param.constant and param.source and param.source.find("=") < 1:
            yield param, f"'{param.source[:80]}' is no transcoding parameter: it must be NAME=VALUE"


def _convert(run: Run, node: Convert | ConvertTest) -> bool:
    """Convert all parts that are meant, or none; whether nothing failed."""
    source = run.text(node.quoted_from_media_type).lower()
    target = run.text(node.quoted_to_media_type).lower()
    params = [param for param in run.texts(node.transcoding_params) if param]
    parts = [current(run)] if run.loops else list(root(run).walk())
    wanted = [part for part in parts if part.type and part.type.name == source]
    if not wanted:
        return True
    pay(run)
    try:
        entities = [_converted(run, part, source, target, params) for part in wanted]
    except _Failed as why:
        run.note(f"convert from {source} to {target} failed: {why}")
        return False
    changes = [Replacement(part, entity, _KEPT) for part, entity in zip(wanted, entities, strict=True)]
    run.edit(replaced(run.message, root(run), changes), f"converted {len(wanted)} of {source} to {target}")
    return True


def _converted(run: Run, part: Part, source: str, target: str, params: Sequence[str]) -> Entity:
    if part.children:
        raise _Failed("it contains other parts")
    run.spend_matching(part.end - part.body)
    data = None if part.opaque else part.octets
    if data is None:
        raise _Failed("its transfer encoding is unknown")
    named = {name.strip().lower(): value for name, _, value in (param.partition("=") for param in params)}
    if _is_ours(source, target):
        return _text(data, part.charset, source, target, named)
    program = f"{source}-to-{target}".replace("/", "-")
    done = run.facts.execute("convert", program, params, data)
    if done is None:
        raise _Failed("there is no such conversion")
    if not done.ok:
        raise _Failed("the program failed")
    text = exact_text(done.output, "utf-8") if target.startswith("text/") else None
    return data_entity(target, done.output) if text is None else text_entity(text, target.removeprefix("text/"))


def _is_ours(source: str, target: str) -> bool:
    return {source, target} <= {"text/plain", "text/html"} or (source == target and source.startswith("text/"))


def _text(data: bytes, named: str | None, source: str, target: str, params: Mapping[str, str]) -> Entity:
    if not _OF_TEXT.issuperset(params):
        raise _Failed(f"unknown parameter '{min(params.keys() - _OF_TEXT)[:80]}'")
    text = exact_text(data, named)
    if text is None:
        raise _Failed("it is not in the charset that it names")
    if source != target:
        text = html_to_text(text) if source == "text/html" else text_to_html(text)
    wanted = params.get("charset", "utf-8")
    codec = charset(wanted)
    if codec is None:
        raise _Failed(f"unknown charset '{wanted[:80]}'")
    if "unknown-character-replacement" in params:
        text = _reduced(text, codec, params["unknown-character-replacement"])
    try:
        return text_entity(text, target.removeprefix("text/"), wanted.lower())
    except UnicodeError:
        raise _Failed(f"the charset {wanted} lacks characters of it") from None


def _reduced(text: str, codec: str, substitute: str) -> str:
    """The text with what the charset lacks replaced; the substitute must be in it."""
    lacking = {character for character in set(text) if not _has(codec, character)}
    return text.translate({ord(character): substitute for character in lacking})


def _has(codec: str, character: str) -> bool:
    try:
        octets(character).decode().encode(codec)
    except UnicodeError:
        return False
    return True


EXTENSIONS = (
    Extension(
        "convert",
        "RFC 6558",
        commands=(Convert,),
        tests=(ConvertTest,),
        note="texts and their charsets; other media types by programs that the site lists",
    ),
)
