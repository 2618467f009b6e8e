"""mime: header, address and exists look at the fields of parts, and at what is in them. RFC 5703 §4.

Without `:mime` these tests see the header of the message, also inside a loop. With it they see that of the part that
the loop is at, with `:anychild` also those of all parts below it.

What is not said there: a Content-Type or Content-Disposition that cannot be read has no value for `:type`, `:subtype`,
`:contenttype`, since §4.1 counts "the number of headers that parsed successfully". Encoded words in parameters, which
RFC 2047 §5 forbids and many senders write, are decoded. With `:mime` the address test takes any field, as in the
example of §4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from sievemda.mail.message import Message
from sievemda.mail.parameters import disposition, media_type, structured
from sievemda.sieve.fields import Occurrence
from sievemda.sieve.loops import current
from sievemda.sieve.node import Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import Extension

_PARSING = 200  # characters that are charged for reading one field
_TYPE, _DISPOSITION = "content-type", "content-disposition"


@node
class Mime(Option):
    """:mime, §4.1."""

    keyword = "mime"
    extends = ("header", "address", "exists")

    def entities(self, run: Run, found: Sequence[Message], options: Sequence[Option]) -> Sequence[Message]:
        part = current(run)
        if any(isinstance(option, AnyChild) for option in options):
            return [each.header for each in part.walk()]
        return (part.header,)


@node
class WithMime(Option):
    """A tag that may only stand beside `:mime`: "presence of the ":anychild" in absence of ":mime" is an error"."""

    extends: ClassVar[tuple[str, ...]] = ("header",)

    def misuse(self, owner: Command | Test, context: Context) -> Iterator[Fault]:
        if not any(isinstance(option, Mime) for option in owner.options):
            yield f"the ':{self.keyword}' tag of the {owner.keyword} test needs the ':mime' tag"


@node
class AnyChild(WithMime):
    """:anychild, §4.1."""

    keyword = "anychild"
    extends = ("header", "address", "exists")


@node
class Type(WithMime):
    """:type, §4.1: the type, or the disposition; a blank string for other fields."""

    keyword, group = "type", "MIME option"

    def extract(self, run: Run, found: Occurrence) -> Sequence[str] | None:
        run.spend_matching(_PARSING)
        name = found.name.lower()
        if name == _TYPE:
            kind = media_type(found.raw)
            return kind[:1] if kind else ()
        return _disposition(found) if name == _DISPOSITION else ("",)


@node
class Subtype(WithMime):
    """:subtype, §4.1: a blank string for all but Content-Type."""

    keyword, group = "subtype", "MIME option"

    def extract(self, run: Run, found: Occurrence) -> Sequence[str] | None:
        run.spend_matching(_PARSING)
        name = found.name.lower()
        if name == _TYPE:
            kind = media_type(found.raw)
            return kind[1:] if kind else ()
        return ("",) if name != _DISPOSITION or _disposition(found) else ()


@node
class ContentType(WithMime):
    """:contenttype, §4.1: type and subtype; as `:type` for Content-Disposition."""

    keyword, group = "contenttype", "MIME option"

    def extract(self, run: Run, found: Occurrence) -> Sequence[str] | None:
        run.spend_matching(_PARSING)
        name = found.name.lower()
        if name == _TYPE:
            kind = media_type(found.raw)
            return ("/".join(kind),) if kind else ()
        return _disposition(found) if name == _DISPOSITION else ("",)


@node
class Param(WithMime):
    """:param <param-list: string-list>, §4.1: the values of the parameters of these names, RFC 2231 undone."""

    keyword, group = "param", "MIME option"
    names: Texts

    def extract(self, run: Run, found: Occurrence) -> Sequence[str] | None:
        run.spend_matching(_PARSING)
        wanted = {name.lower() for name in run.texts(self.names)}
        return [value for name, value in structured(found.raw).parameters if name in wanted]


def _disposition(found: Occurrence) -> Sequence[str]:
    kind = disposition(found.raw)
    return (kind,) if kind else ()


EXTENSIONS = (Extension("mime", "RFC 5703 §4", options=(Mime, AnyChild, Type, Subtype, ContentType, Param)),)
