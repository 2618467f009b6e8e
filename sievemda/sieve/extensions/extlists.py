"""extlists: `:list` compares with the members of a list outside of the script. RFC 6134.

`:list` goes with every test that has a match type, as the examples of §2.9 use it beyond the tests that §2.2 demands.
What a list is made of, and whether letters have case in it, is the business of who answers `Facts`.

Why a list that there is not is a run-time error of `:list`, and not an empty list: a script that lets friends through
and rejects everybody else would reject everybody (§2.2: unable to query the list, the test is an error). A script that
wants to know beforehand asks `valid_ext_list`.

A question is asked once: what one test has learned of a list, the others of the run know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sievemda.mail.addresslist import sieve_address
from sievemda.sieve.base.actions import RedirectCommand, sent_on
from sievemda.sieve.limits import Limits
from sievemda.sieve.listnames import ADDRESS_BOOK, normal_name
from sievemda.sieve.matching import EACH, Matching, MatchType
from sievemda.sieve.node import Context, Fault, Test, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Texts
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import presence


@dataclass(slots=True)
class Known:
    """What a run has learned so far: values that are in no way in a list, and answers to whole questions."""

    questions: int = 0
    strangers: dict[str, set[str]] = field(default_factory=dict)
    answers: dict[tuple[str, tuple[str, ...]], str | None] = field(default_factory=dict)


class ListMatch(MatchType):
    """:list, §2.2: true when a value is a member of one of the lists. No comparator has a say in that."""

    name = "list"
    collates = False

    def key_fault(self, key: str, how: Matching, limits: Limits) -> str:
        return name_fault(key)

    def any(self, run: Run, how: Matching, values: Sequence[str], keys: Sequence[str], count: int) -> bool:
        run.spend_matching(sum(map(len, values)) + EACH * len(values) * len(keys))
        wanted = tuple(dict.fromkeys(value for value in (each.strip() for each in values) if value))
        for key in keys:
            member = member_of(run, existing(run, key), wanted)
            if member is not None:
                if run.captures_wanted:
                    run.captures = (member,)
                return True
        return False


def member_of(run: Run, name: str, values: tuple[str, ...]) -> str | None:
    """The member that the first of the values in the list is; one question, or none."""
    known: Known = run.kept.setdefault(ListMatch, Known())
    if (name, values) not in known.answers:
        strangers = known.strangers.setdefault(name, set())
        new = [value for value in values if value not in strangers]
        found = _ask(run, known, name, new) if new else None
        known.answers[name, values] = found
        if found is None:
            strangers.update(new)
    return known.answers[name, values]


def _ask(run: Run, known: Known, name: str, values: Sequence[str]) -> str | None:
    most = run.limits.list_values
    if len(values) > most:
        raise RunError(f"too many values to look up in a list: {len(values)} > {most}", run.line)
    known.questions += 1
    if known.questions > run.limits.list_lookups:
        raise RunError(f"too many questions to lists: the limit is {run.limits.list_lookups}", run.line)
    return run.facts.in_list(name, values)


def existing(run: Run, name: str) -> str:
    """The normal form of the name of a list that there is."""
    normal = normal_name(name)
    if normal is None:
        raise RunError(name_fault(name), run.line)
    if not run.facts.has_list(normal):
        raise RunError(f"there is no external list '{name[:80]}'", run.line)
    return normal


def name_fault(name: str) -> str:
    if normal_name(name) is None:
        return f"'{name[:80]}' is no name of an external list: it must be an absolute URI, or begin with ':'"
    return ""


@node
class ValidExtList(Test):
    """valid_ext_list <ext-list-names: string-list>, §2.7: the names are valid, and there are such lists."""

    keyword = "valid_ext_list"
    ext_list_names: Texts

    def holds(self, run: Run) -> bool:
        names = run.texts(self.ext_list_names)
        normal = [(name, normal_name(name)) for name in names]
        found = [name for name, form in normal if form is not None and run.facts.has_list(form)]
        run.saw(found, names)
        return len(found) == len(names)

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return presence(seen, result, "there is a list {}", "there is no list {}")


@node
class RedirectToList(RedirectCommand):
    """redirect :list <ext-list-name: string>, §2.3: to every member, each of which must be an address.

    It is one action whatever the number of members, which has a limit of its own (§3). A list without members is no
    reason to lose the message: then nothing is sent, and the implicit keep stays due.
    """

    keyword = "redirect"
    list_: bool = False

    def problems(self, context: Context) -> Iterator[Fault]:
        if not self.list_:
            yield from RedirectCommand.problems(self, context)
        elif not (context.limits.redirects and context.limits.list_recipients):
            yield "local policy prohibits the use of a redirect action to a list"
        elif self.address.constant and (fault := name_fault(self.address.source)):
            yield self.address, fault

    def warnings(self, context: Context) -> Iterator[Fault]:
        if self.list_ and (normal_name(self.address.source) or "").startswith(ADDRESS_BOOK):
            yield self.address, "this sends the message to everybody in an address book"

    def execute(self, run: Run) -> None:
        if not self.list_:
            RedirectCommand.execute(self, run)
            return
        name = run.text(self.address)
        found = run.facts.list_members(existing(run, name), run.limits.list_recipients)
        run.spend_matching(sum(map(len, found)))
        members = tuple(dict.fromkeys(_address(member, name, self.line) for member in found))
        if members:
            run.add(self.amended(sent_on(run, name, self.line, members), run))
        else:
            run.note(f"redirect: the list '{name[:80]}' has no members, nothing is sent")


def _address(member: str, name: str, line: int) -> str:
    """A member as an address; a pattern is none (§2.3), though its letters could be those of one."""
    address = sieve_address(member)
    if address is None or not address.domain or "*" in member:
        raise RunError(f"the list '{name[:80]}' is no list of addresses: {member[:80]!r}", line)
    return str(address)


EXTENSIONS = (
    Extension(
        "extlists",
        "RFC 6134",
        commands=(RedirectToList,),
        tests=(ValidExtList,),
        match_types=(ListMatch(),),
        note="`:list` with every test that has a match type; files, vCard folders, SQL",
    ),
)
