"""special-use: specialuse_exists, and `:specialuse` on what stores. RFC 8579.

Only the user's own mailboxes are looked at for a use (§7). A use that is no attribute of RFC 6154 §6 (a backslash and
an atom) is an error, found when the script is compiled where it is a literal, else when it runs: as an invalid mailbox
name is (§4). One that nobody knows is none: no mailbox has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sievemda.sieve.effects import Effect
from sievemda.sieve.extensions.mailbox import QUESTION, aimed
from sievemda.sieve.node import Context, Fault, Option, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, Texts, is_utf8
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import presence

_USE = re.compile(r"\\[!#$&'+-\[^-z|}~]{1,255}")  # RFC 6154 §6: use-attr; the characters of an atom, RFC 9051 §9


@node
class SpecialUseExists(Test):
    """specialuse_exists [<mailbox: string>] <special-use-attrs: string-list>, §3.

    With a mailbox: it exists, the owner may deliver into it, and it has every one of the uses. Without: for each of
    the uses there is a mailbox like that.
    """

    keyword = "specialuse_exists"
    mailbox: Text | None
    special_use_attrs: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _faults(self.special_use_attrs)

    def holds(self, run: Run) -> bool:
        uses = run.texts(self.special_use_attrs)
        for use in uses:
            run.spend_matching(QUESTION)
            _check(use, self.line)
        if self.mailbox is None:
            found = [use for use in uses if run.facts.special_use_exists(None, (use,))]
            run.saw(found, uses)
            return len(found) == len(uses)
        name = run.text(self.mailbox)
        if not is_utf8(name):
            run.note("specialuse_exists: the name of the mailbox is not UTF-8")
            return False
        result = run.facts.special_use_exists(name, uses)
        run.saw(uses if result else (), uses)
        return result

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(
            seen,
            result,
            "a mailbox has the special use {}",
            "no such mailbox has the special use {}",
        )


@node
class SpecialUse(Option):
    """:specialuse <special-use-attr: string>, §4; with `:fcc`, RFC 8580 §3.1.3; on snooze, snooze draft §4.4.3."""

    keyword = "specialuse"
    extends = ("fileinto", "snooze", "implicit_keep_target", ":fcc")
    special_use_attr: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        yield from _faults((self.special_use_attr,))

    def amend(self, effect: Effect, run: Run) -> Effect:
        use = run.text(self.special_use_attr)
        _check(use, self.line)
        return aimed(effect, special_use=use)


def _faults(uses: Texts | tuple[Text, ...]) -> Iterator[Fault]:
    for use in uses:
        if use.constant and not _USE.fullmatch(use.source):
            yield use, _invalid(use.source)


def _check(use: str, line: int) -> None:
    if not _USE.fullmatch(use):
        raise RunError(_invalid(use), line)


def _invalid(use: str) -> str:
    return f"invalid special-use attribute {use[:80]!r}: it must be a backslash and a word"


EXTENSIONS = (Extension("special-use", "RFC 8579", tests=(SpecialUseExists,), options=(SpecialUse,)),)
