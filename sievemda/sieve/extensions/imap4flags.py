"""imap4flags: setflag, addflag, removeflag, hasflag, and `:flags` on keep and fileinto. RFC 5232.

Flags without the name of a variable live in the internal variable, which goes with every keep and fileinto that has
no `:flags`, the implicit keep included. What is no flag is ignored (§2).

The examples of §9 call one action `remove`; it is `removeflag`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sievemda.mail.flags import canonical, distinct, is_settable, words
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.extensions.variables import fetch, lookup_fault, name_fault, store
from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Command, Context, Fault, Option, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import names


@node
class FlagAction(Command, ABC):
    """An action on the internal variable, or on the one that is named; the name needs `variables` (§3)."""

    variable_name: Text | None
    list_of_flags: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.variable_name is None:
            return
        if "variables" not in context.vocabulary.capabilities:
            yield self.variable_name, 'the name of a flag variable needs variables: add require ["variables"]'
        elif fault := name_fault(self.variable_name, context):
            yield self.variable_name, fault

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from rubbish(self.list_of_flags)

    def execute(self, run: Run) -> None:
        given = words(run.texts(self.list_of_flags))
        if self.variable_name is None:
            run.flags = distinct(filter(is_settable, self.changed(run.flags, given)))
            return
        name = self.variable_name.source
        now = distinct(filter(is_settable, self.changed(flags_of(run, name), given)))
        store(run, name, " ".join(now))

    @abstractmethod
    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        """What becomes of these flags."""


@node
class SetFlag(FlagAction):
    """setflag [<variablename: string>] <list-of-flags: string-list>, §3.1."""

    keyword = "setflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        return given


@node
class AddFlag(FlagAction):
    """addflag [<variablename: string>] <list-of-flags: string-list>, §3.2."""

    keyword = "addflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        return [*flags, *given]


@node
class RemoveFlag(FlagAction):
    """removeflag [<variablename: string>] <list-of-flags: string-list>, §3.3."""

    keyword = "removeflag"

    def changed(self, flags: Sequence[str], given: Sequence[str]) -> Sequence[str]:
        gone = {flag.lower() for flag in given}
        return [flag for flag in flags if flag.lower() not in gone]


@node
class HasFlag(Test):
    """hasflag [MATCH-TYPE] [COMPARATOR] [<variable-list: string-list>] <list-of-flags: string-list>, §4."""

    keyword = "hasflag"
    matching: Matching = DEFAULT
    variable_list: Texts | None
    list_of_flags: Texts

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.variable_list is None:
            return
        if "variables" not in context.vocabulary.capabilities:
            yield 'the names of flag variables need variables: add require ["variables"]'
            return
        for name in self.variable_list:
            if fault := lookup_fault(name, context):
                yield name, fault
                return

    def holds(self, run: Run) -> bool:
        sets = [run.flags]
        if self.variable_list is not None:
            sets = [flags_of(run, name) for name in run.texts(self.variable_list)]
        flags = [flag for one in sets for flag in one]
        return match(run, self.matching, flags, words(run.texts(self.list_of_flags)))

    def about(self, run: Run) -> About:
        if self.variable_list is None:
            return About("the flag", "no flag is set")
        variables = names(run.texts(self.variable_list))
        return About(f"the flag in {variables}", f"no flag is set in {variables}")


@node
class Flags(Option):
    """:flags <list-of-flags: string-list>, §5: these, and none of the internal variable."""

    keyword = "flags"
    extends = ("keep", "fileinto", ":fcc")
    list_of_flags: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from rubbish(self.list_of_flags)

    def amend(self, effect: Effect, run: Run) -> Effect:
        flags = canonical(words(run.texts(self.list_of_flags)))
        return replace(effect, flags=flags) if isinstance(effect, Store) else effect


@node
class AddFlags(Option):
    """:addflags <string-list>, snooze draft §4.4.1: set when the message awakens."""

    keyword = "addflags"
    extends = ("snooze",)
    flags: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from rubbish(self.flags)

    def amend(self, effect: Effect, run: Run) -> Effect:
        return _snoozed(effect, add_flags=canonical(words(run.texts(self.flags))))


@node
class RemoveFlags(Option):
    """:removeflags <string-list>, snooze draft §4.4.1: cleared when the message awakens."""

    keyword = "removeflags"
    extends = ("snooze",)
    flags: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from rubbish(self.flags)

    def amend(self, effect: Effect, run: Run) -> Effect:
        return _snoozed(effect, remove_flags=canonical(words(run.texts(self.flags))))


def _snoozed(effect: Effect, **changes: tuple[str, ...]) -> Effect:
    if not isinstance(effect, Store) or effect.snooze is None:
        return effect
    return replace(effect, snooze=replace(effect.snooze, **changes))  # type: ignore[arg-type]


def flags_of(run: Run, name: str) -> tuple[str, ...]:
    """The flags that a variable holds, each once; what is no flag does not count (§2)."""
    return distinct(filter(is_settable, words((fetch(run, name),))))


def rubbish(flags: Texts) -> Iterator[Fault]:
    for item in flags:
        for word in words((item.source,)) if item.constant else ():
            if not is_settable(word):
                yield item, f"'{word[:80]}' is no flag that can be set: it is ignored"


EXTENSIONS = (
    Extension(
        "imap4flags",
        "RFC 5232",
        commands=(SetFlag, AddFlag, RemoveFlag),
        tests=(HasFlag,),
        options=(Flags, AddFlags, RemoveFlags),
    ),
)
