"""body: a test of what is in a message. RFC 5173.

It looks at the message as it is now, with what `replace`, `enclose` and `convert` made of it; a loop over its parts
changes nothing.

`:text`, the default, is every text part, that of HTML without its mark-up; each is a value of its own. A part whose
Content-Type cannot be read is no text. What cannot be decoded completely is looked at as far as it can; a part in a
transfer encoding that nobody knows is no text, and `:content` sees it as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.decoding import crlf, to_text
from sievemda.mail.mime import Part
from sievemda.sieve.loops import root
from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Context, Fault, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import names


@node
class Body(Test):
    """body [COMPARATOR] [MATCH-TYPE] [BODY-TRANSFORM] <key-list: string-list>, §4."""

    keyword = "body"
    matching: Matching = DEFAULT
    raw: bool = False
    content: Texts | None = None
    text: bool = False
    key_list: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.raw + (self.content is not None) + self.text > 1:
            yield "only one of ':raw', ':content' and ':text' may be given for the body test"

    def holds(self, run: Run) -> bool:
        keys = run.texts(self.key_list)
        if not run.shown.has_body:  # §4: then even a test for the empty string, or for no string, is false
            run.saw((), keys)
            return False
        wanted = run.captures_wanted
        run.captures_wanted = False  # §6: "MUST NOT set match variables"
        try:
            return match(run, self.matching, self._values(run), keys)
        finally:
            run.captures_wanted = wanted

    def about(self, run: Run) -> About:
        if not run.shown.has_body:
            return About("the body", "the message has no body: there is no empty line behind its header")
        if self.raw:
            return About("the body as it was sent")
        if self.content is None:
            return About("a text of the body", "there is no text in the body")
        kinds = names(run.texts(self.content))
        return About(f"a part of the type {kinds}", f"the body has no part of the type {kinds}")

    def _values(self, run: Run) -> Sequence[str]:
        if self.raw:
            return (_raw(run),)
        parts = list(root(run).walk())
        if self.content is None:
            return [_text(run, part) for part in parts if part.is_text and part.octets is not None]
        wanted = [kind.lower() for kind in run.texts(self.content)]
        run.spend_matching(len(parts) * len(wanted))
        return [value for part in parts if _is_wanted(part, wanted) for value in _content(run, part)]


def _raw(run: Run) -> str:
    """§5.1: "the entire undecoded body of a message as a single item"."""
    message = run.shown
    known: str | None = message.derived.get("body")
    if known is None:
        source = message.body_of
        run.spend_matching(source.stored_size)
        known = message.derived["body"] = to_text(source.data[source.header_end :], None)
    return known


def _is_wanted(part: Part, wanted: Sequence[str]) -> bool:
    """§5.2: the empty string is any type; TYPE/SUBTYPE; TYPE; a slash at an end, or two of them, is nothing."""
    kind = part.type
    names = {"", kind.type, kind.name} if kind else {""}
    return not names.isdisjoint(wanted)


def _content(run: Run, part: Part) -> Sequence[str]:
    """§5.2: what is searched of a part that is wanted."""
    run.spend_matching(part.end - part.body)
    if part.is_multipart:
        return part.outer_texts()
    if part.is_message:
        head = part.children[0].header.head
        return (to_text(head[:-1] if head.endswith(b"\n\n") else head, None),)
    octets = part.octets
    if octets is None:
        return (to_text(part.data[part.body : part.end], None),)
    if part.is_text:
        return (part.text,)
    text = octets.decode("utf-8", "surrogateescape")
    return (text if part.encoding == "base64" else crlf(text),)


def _text(run: Run, part: Part) -> str:
    run.spend_matching(part.end - part.body)
    return part.readable


EXTENSIONS = (Extension("body", "RFC 5173", tests=(Body,)),)
