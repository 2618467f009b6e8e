"""imapflags: the spelling of draft-melnikov-sieve-imapflags that became imap4flags, as clients still write it.

`setflag`, `addflag` and `removeflag` are those of RFC 5232 without the name of a variable; `mark` and `unmark` set and
clear the system flag Flagged. There is no `:flags` and no `hasflag`. A script has the one or the other: together they
are refused, since only one of them knows names of variables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from sievemda.mail.flags import canonical, words
from sievemda.sieve.extensions.imap4flags import rubbish
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import Extension

FLAGGED = "\\Flagged"


@node
class OldFlagAction(Command, ABC):
    list_of_flags: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from rubbish(self.list_of_flags)

    def execute(self, run: Run) -> None:
        run.flags = canonical(self.changed(run.flags, words(run.texts(self.list_of_flags))))

    @abstractmethod
    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        """What becomes of these flags."""


@node
class OldSetFlag(OldFlagAction):
    """setflag <flag-list: string-list>"""

    keyword = "setflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        return given


@node
class OldAddFlag(OldFlagAction):
    """addflag <flag-list: string-list>"""

    keyword = "addflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        return [*flags, *given]


@node
class OldRemoveFlag(OldFlagAction):
    """removeflag <flag-list: string-list>"""

    keyword = "removeflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        return without(flags, given)


@node
class Mark(Command):
    """mark: adds the flag Flagged."""

    keyword = "mark"

    def execute(self, run: Run) -> None:
        run.flags = canonical([*run.flags, FLAGGED])


@node
class Unmark(Command):
    """unmark: removes the flag Flagged."""

    keyword = "unmark"

    def execute(self, run: Run) -> None:
        run.flags = without(run.flags, (FLAGGED,))


def without(flags: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    gone = {flag.lower() for flag in given}
    return tuple(flag for flag in flags if flag.lower() not in gone)


EXTENSIONS = (
    Extension(
        "imapflags",
        "draft-melnikov-sieve-imapflags",
        commands=(OldSetFlag, OldAddFlag, OldRemoveFlag, Mark, Unmark),
        excludes=("imap4flags",),
        note="the old spelling of imap4flags",
    ),
)
