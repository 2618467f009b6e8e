"""extracttext: the text of a part, in a variable. RFC 5703 §7.

HTML comes without its mark-up, lines end with CRLF as in strings of a script. A part without transfer encoding or
charset that is known, or that does not keep to them, gives the empty string, and so does one that contains parts. One
that is no text gives its content where that is UTF-8.

`:first` counts octets, as existing test suites of the language do, and never parts a character: what is stored is
never more than that many characters, which is what §7 asks for.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.mail.mime import Part
from sievemda.sieve.extensions.foreverypart import in_loop
from sievemda.sieve.extensions.variables import Modifier, cut, name_fault, store
from sievemda.sieve.loops import current
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension


@node
class ExtractText(Command):
    """extracttext [MODIFIER] [":first" number] <varname: string>, §7; outside of a loop it is an error."""

    keyword = "extracttext"
    first: int | None = None
    varname: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if not in_loop(context):
            yield "the extracttext command is not placed inside a foreverypart loop"
        elif fault := name_fault(self.varname, context):
            yield self.varname, fault

    def execute(self, run: Run) -> None:
        part = current(run)
        run.spend_matching(part.end - part.body)
        value, size = _content(part), run.limits.variable_size
        if self.first is not None:
            value = cut(value, self.first)
        modifiers = [option for option in self.options if isinstance(option, Modifier)]
        for modifier in sorted(modifiers, key=lambda modifier: -modifier.precedence):
            value = modifier.apply(value, size)
        store(run, self.varname.source, value)


def _content(part: Part) -> str:
    """What a variable can hold of it: nothing of a multipart that has delimiters, and no header of a missing body."""
    if part.children or part.opaque or part.prologue >= 0 or part.body == part.end:
        return ""
    return part.exact()


EXTENSIONS = (
    Extension(
        "extracttext",
        "RFC 5703 §7",
        commands=(ExtractText,),
        needs=("variables", "foreverypart"),
    ),
)
